/** Everything the client can fail with is a `SwiftEatsError`: a stable code, and whether trying again may help. */
import type { JsonObject } from "../src/lib/json.js";
import type { ErrorCode } from "../src/protocol/mod.js";

/** Codes that arise in the client itself, beside the node's catalogue. */
export type LocalErrorCode =
  /** The queue of unanswered commands is at its bound; nothing was sent. */
  | "queue_full"
  /** The client was closed, by the application or by the node's word, before an answer came. */
  | "closed"
  /** The caller's `AbortSignal` fired before an answer came. */
  | "aborted"
  /** The network did not carry the request, or the answer was not from a Swift Eats node. */
  | "network";

export interface ErrorFacts {
  readonly code: ErrorCode | LocalErrorCode | (string & {});
  /** True: the same request with the same key may succeed later. */
  readonly temporary: boolean;
  readonly retryAfterMs?: number;
  readonly detail?: JsonObject;
}

export class SwiftEatsError extends Error {
  override readonly name = "SwiftEatsError";
  readonly code: ErrorFacts["code"];
  readonly temporary: boolean;
  readonly retryAfterMs: number;
  readonly detail: JsonObject | undefined;

  constructor(facts: ErrorFacts, message?: string) {
    super(message ?? facts.code);
    this.code = facts.code;
    this.temporary = facts.temporary;
    this.retryAfterMs = facts.retryAfterMs ?? 0;
    this.detail = facts.detail;
  }
}
