/** The outcome of a command: what its sender hears, and what a repeated command id hears again. */
import type { JsonObject } from "../../../lib/json.js";
import { decode, encode } from "../../../lib/msgpack.js";
import type { ActorError } from "../client.js";

export type Outcome =
  | { readonly t: "reply"; readonly value: unknown }
  | { readonly t: "rejection"; readonly code: string; readonly detail: JsonObject | undefined }
  | { readonly t: "quarantined" };

/** Tells and effect results have no reply: only the fact that they were handled is kept. */
export const NO_OUTCOME = new Uint8Array(0);

export function encodeOutcome(outcome: Outcome): Uint8Array {
  switch (outcome.t) {
    case "reply":
      return encode([0, outcome.value]);
    case "rejection":
      return outcome.detail === undefined ? encode([1, outcome.code]) : encode([1, outcome.code, outcome.detail]);
    case "quarantined":
      return encode([2]);
  }
}

export function decodeOutcome(bytes: Uint8Array): Outcome {
  if (bytes.length === 0) return { t: "reply", value: null };
  const parts = decode<readonly unknown[]>(bytes);
  if (parts[0] === 1) {
    return { t: "rejection", code: String(parts[1]), detail: parts[2] as JsonObject | undefined };
  }
  return parts[0] === 2 ? { t: "quarantined" } : { t: "reply", value: parts[1] };
}

/** A refusal as the asker sees it; null when the outcome is a reply. */
export function errorOf(outcome: Outcome): ActorError | null {
  switch (outcome.t) {
    case "reply":
      return null;
    case "rejection":
      return outcome.detail === undefined
        ? { code: outcome.code, temporary: false }
        : { code: outcome.code, temporary: false, detail: outcome.detail };
    case "quarantined":
      return { code: "quarantined", temporary: false };
  }
}
