/** Where a page ended, as text that a client gives back unread. */
import { isId } from "../../protocol/mod.js";
import type { ReviewCursor } from "./ports.js";

export function writeCursor({ at, reviewId }: ReviewCursor): string {
  return `${at.toString(36)}.${reviewId}`;
}

/** Null when it is none of ours. */
export function readCursor(text: string): ReviewCursor | null {
  const match = /^([0-9a-z]{1,10})\.(.+)$/.exec(text);
  if (match === null) return null;
  const at = Number.parseInt(match[1]!, 36);
  const reviewId = match[2]!;
  return Number.isSafeInteger(at) && isId(reviewId) ? { at, reviewId } : null;
}
