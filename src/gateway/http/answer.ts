/** What a handler gives back. Writing it is the exchange's business, so that no handler can forget to answer. */
import type { JsonObject } from "../../lib/json.js";
import type { ErrorCode } from "../../protocol/mod.js";
import type { Coding } from "../../services/catalog/mod.js";
import type { ActorError, AskResult } from "../ports.js";
import { type ProblemOptions, problemOfError } from "./problem.js";

export type Answer =
  | {
      readonly kind: "body";
      readonly status: number;
      readonly body: Uint8Array | string;
      readonly contentType: string;
      readonly headers?: readonly (readonly [string, string])[];
    }
  /** `coded`: the body would have been sent in one of several codings. */
  | { readonly kind: "unchanged"; readonly etag: string; readonly cacheControl: string; readonly coded?: boolean }
  | { readonly kind: "problem"; readonly code: ErrorCode; readonly options: ProblemOptions }
  /** The handler has taken the response over, abort handling included. */
  | { readonly kind: "taken" };

export const JSON_TYPE = "application/json";

export function json(value: unknown, status = 200): Answer {
  return { kind: "body", status, body: JSON.stringify(value), contentType: JSON_TYPE };
}

export function problem(code: ErrorCode, detail?: JsonObject, retryAfterMs?: number): Answer {
  return {
    kind: "problem",
    code,
    options: {
      ...(detail === undefined ? {} : { detail }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  };
}

export function refused(error: ActorError): Answer {
  return { kind: "problem", ...problemOfError(error) };
}

export function fromResult(result: AskResult<unknown>): Answer {
  return result.ok ? json(result.value) : refused(result.error);
}

/** The same content in another coding is another representation and has a tag of its own: RFC 9110 section 8.8.3. */
export function tagFor(etag: string, coding: Coding): string {
  return coding === "identity" ? etag : `${etag.slice(0, -1)}-${coding}"`;
}

/** Does an `If-None-Match` header name this tag? Weak comparison, as RFC 9110 section 13.1.2 asks. */
export function matches(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === "") return false;
  if (ifNoneMatch === etag || ifNoneMatch === "*") return true;
  return ifNoneMatch.split(",", 16).some((each) => each.trim().replace(/^W\//, "") === etag);
}

/** Which of our codings a client takes. */
export interface TakenCodings {
  readonly brotli: boolean;
  readonly gzip: boolean;
}

/** Clients say it in few ways; what is remembered of them has a bound all the same. */
const MOST_REMEMBERED = 256;
const LONGEST_REMEMBERED = 200;
const remembered = new Map<string, TakenCodings>();

/** What an `Accept-Encoding` header says. A coding with the weight 0 is refused: RFC 9110 section 12.5.3. */
export function takenCodings(acceptEncoding: string): TakenCodings {
  const known = remembered.get(acceptEncoding);
  if (known !== undefined) return known;
  const taken = new Map<string, boolean>();
  for (const each of acceptEncoding.toLowerCase().split(",", 32)) {
    const [coding = "", ...parameters] = each.split(";").map((part) => part.trim());
    taken.set(coding, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)));
  }
  const rest = taken.get("*") ?? false;
  const read = { brotli: taken.get("br") ?? rest, gzip: taken.get("gzip") ?? taken.get("x-gzip") ?? rest };
  if (acceptEncoding.length <= LONGEST_REMEMBERED && remembered.size < MOST_REMEMBERED) {
    remembered.set(acceptEncoding, read);
  }
  return read;
}
