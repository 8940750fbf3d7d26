/** What a handler gives back. Writing it is the exchange's business, so that no handler can forget to answer. */
import type { JsonObject } from "../../lib/json.js";
import type { ErrorCode } from "../../protocol/mod.js";
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
  | { readonly kind: "unchanged"; readonly etag: string; readonly cacheControl: string }
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

/** Does an `If-None-Match` header name this tag? Weak comparison, as RFC 9110 section 13.1.2 asks. */
export function matches(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === "") return false;
  if (ifNoneMatch === etag || ifNoneMatch === "*") return true;
  return ifNoneMatch.split(",", 16).some((each) => each.trim().replace(/^W\//, "") === etag);
}
