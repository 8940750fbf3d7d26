/**
 * Operations: what a client can ask of the services by HTTP, as data. The gateway makes routes, checks and limits of it,
 * the documents their tables; a service gives one handler for each and knows nothing of HTTP. Commands to actors are in
 * `commands.ts`; what is in neither table cannot be reached.
 */
import type { JsonObject } from "../../lib/json.js";
import type { Role } from "../commands.js";
import type { ErrorCode } from "../errors.js";
import type { Static, TObject, TSchema } from "../schemas.js";

export interface Operation {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `/v1/things/:thingId`. Every parameter is in `params`. */
  readonly path: string;
  /** One sentence for the documents. */
  readonly summary: string;
  /** `anyone` needs no token; a valid one still tells the handler who calls. */
  readonly access: readonly Role[] | "anyone";
  /** Which limit it counts against; the gateway owns the rates. `none`: it has a limit of its own. */
  readonly tier: "browse" | "search" | "order" | "command" | "none";
  readonly params?: TObject;
  /** Numbers and booleans are read from their text; an array is a list with commas. */
  readonly query?: TObject;
  readonly body?: TSchema;
  /** The body reaches the handler as its bytes too, because a signature stands over them. */
  readonly signed?: true;
  /** Writes need an `Idempotency-Key` unless repeating them is harmless by their nature. Default for POST: needed. */
  readonly keyed?: boolean;
  readonly reply: TSchema;
  /** Beside those of every operation (`invalid`, `unauthenticated`, `rate_limited` …). */
  readonly refusals?: readonly ErrorCode[];
  /** Above the gateway's ordinary bound. */
  readonly maxBodyBytes?: number;
}

export type Operations = Readonly<Record<string, Operation>>;

export interface OperationCaller {
  readonly id: string;
  readonly role: Role;
  /** The person behind it. Absent on tokens that the operator had made. */
  readonly accountId?: string;
  readonly sessionId?: string;
}

type Of<T> = T extends TSchema ? Static<T> : undefined;

export interface OperationCall<O extends Operation = Operation> {
  /** Null only where `access` is `anyone` and no valid token came along. */
  readonly caller: O["access"] extends "anyone" ? OperationCaller | null : OperationCaller;
  readonly params: Of<O["params"]>;
  readonly query: Of<O["query"]>;
  readonly body: Of<O["body"]>;
  /** Of a signed operation; else empty. */
  readonly bytes: Uint8Array;
  readonly headers: { readonly signature: string; readonly userAgent: string };
  /** The idempotency key; empty where none is needed. Unique for the caller, not for all. */
  readonly key: string;
  /** Where the call comes from, for limits of the service's own. Never stored. */
  readonly address: string;
}

export type OperationResult<Reply = unknown> =
  | {
      readonly ok: true;
      readonly value: Reply;
      /** With a tag, an unchanged answer is 304. */
      readonly etag?: string;
      /** Default: not kept anywhere. */
      readonly cacheControl?: string;
    }
  /** An answer whose text is ready. */
  | {
      readonly ok: true;
      readonly json: Uint8Array;
      readonly gzip?: Uint8Array;
      readonly etag?: string;
      readonly cacheControl?: string;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly detail?: JsonObject;
      readonly retryAfterMs?: number;
    };

export type OperationHandler<O extends Operation = Operation> = (
  call: OperationCall<O>,
) => OperationResult<Static<O["reply"]>> | Promise<OperationResult<Static<O["reply"]>>>;

/** What a service gives for its table: every operation has its handler, checked by the compiler. */
export type OperationHandlers<T extends Operations> = { readonly [Name in keyof T]: OperationHandler<T[Name]> };

/** For the summary of a list whose pages are made by `pageByAge`. */
export const PAGES_BY_AGE =
  "`nextBefore` leads to the next page. What shares a millisecond is on one page, which then holds less than `limit`, or more.";

export const operations = <const T extends Operations>(table: T): T => table;

/**
 * The values of a query by its schema, as yet unchecked: a text where the schema wants another kind becomes one where it
 * can. A name that comes twice is an array of texts, which no schema but an array's takes.
 */
export function readQuery(schema: TObject, query: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of new URLSearchParams(query)) {
    const kind = kindOf(Object.hasOwn(schema.properties, name) ? schema.properties[name]! : undefined);
    const value = kind === "array" ? text.split(",").filter((each) => each !== "") : readValue(kind, text);
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    // A property of this name is set as any other, also where every object has one.
    Object.defineProperty(values, name, {
      value: before === undefined ? value : [before, value].flat(),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return values;
}

function kindOf(schema: TSchema | undefined): string {
  const { type } = (schema ?? {}) as { readonly type?: unknown };
  return typeof type === "string" ? type : "string";
}

/** As JSON writes them, and whole ones by their digits alone: what `Number` takes besides (`0x10`, ` 1`, `1e3`) is a text. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;

function readValue(kind: string, text: string): unknown {
  switch (kind) {
    case "number":
      return NUMBER.test(text) ? Number(text) : text;
    case "integer":
      return INTEGER.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    default:
      return text;
  }
}
