/**
 * Where a page ended: the score and id of its last restaurant, and of which search. What changes between two pages moves
 * nobody else: who was shown is not shown again unless its own score changed, and nobody is passed over.
 */
import { hash } from "node:crypto";
import { isId } from "../../protocol/mod.js";

export interface PageEnd {
  readonly score: number;
  readonly restaurantId: string;
}

const VERSION = 1;
const HASH_BYTES = 9;

/** A short name of a search: everything but the page's length and the cursor. */
export function searchHash(parts: readonly (string | number | boolean | null)[]): Buffer {
  return hash("sha256", JSON.stringify(parts), "buffer").subarray(0, HASH_BYTES);
}

export function writeCursor(hash: Buffer, { score, restaurantId }: PageEnd): string {
  const head = Buffer.alloc(1 + HASH_BYTES + 8);
  head[0] = VERSION;
  hash.copy(head, 1);
  head.writeDoubleBE(score, 1 + HASH_BYTES);
  return Buffer.concat([head, Buffer.from(restaurantId, "latin1")]).toString("base64url");
}

/** Null: no cursor of ours, or of another search. */
export function readCursor(hash: Buffer, text: string): PageEnd | null {
  const bytes = Buffer.from(text, "base64url");
  const at = 1 + HASH_BYTES;
  if (bytes.length <= at + 8 || bytes[0] !== VERSION || bytes.toString("base64url") !== text) return null;
  if (!bytes.subarray(1, at).equals(hash)) return null;
  const score = bytes.readDoubleBE(at);
  const restaurantId = bytes.toString("latin1", at + 8);
  return Number.isFinite(score) && isId(restaurantId) ? { score, restaurantId } : null;
}
