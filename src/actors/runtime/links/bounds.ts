/** How every adapter bounds the queue of messages that wait to leave for one endpoint. */
import type { LinkMessage } from "../link.js";

export interface LinkBounds {
  /** Messages that may be lost (casts, slots, mirrors) are dropped when this many messages wait. */
  readonly maxDroppable: number;
  /**
   * When this many wait, the receiver is as good as gone: what is queued is lost and the pair starts anew, which both
   * ends see as down and up. So a loss is never silent: asks are resent and subscriptions recover from their offsets.
   */
  readonly maxQueued: number;
}

export const DEFAULT_LINK_BOUNDS: LinkBounds = { maxDroppable: 32_768, maxQueued: 65_536 };

/** Casts, slots and mirrors promise nothing: the next one makes up for a lost one. */
export function mayBeDropped(message: LinkMessage): boolean {
  return message.t === "cast" || message.t === "slot" || message.t === "mirror";
}

/**
 * What may wait a moment for others that go the same way: nobody waits for it, or whoever does has said that they can.
 * Each message that goes alone costs a write here, one at the server between, and a wake-up there.
 */
export function mayGather(message: LinkMessage): boolean {
  switch (message.t) {
    case "ask":
    case "reply":
      return message.mayWait === true;
    case "credit":
    case "told":
    case "acknowledge":
      return true;
    default:
      return mayBeDropped(message);
  }
}

export function checkBounds(bounds: LinkBounds): LinkBounds {
  if (bounds.maxDroppable < 1 || bounds.maxQueued < bounds.maxDroppable)
    throw new RangeError(
      `link bounds: maxDroppable (${bounds.maxDroppable}) must be at least 1 and at most maxQueued (${bounds.maxQueued})`,
    );
  return bounds;
}
