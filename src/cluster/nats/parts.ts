/**
 * A message that has no room in one parcel goes in several: its bytes are cut on one side and joined on the other.
 *
 * Invariant: what is joined is bounded, by what this side would send itself.
 */
import type { LinkMessage } from "../../actors/runtime/link.js";
import { bytesOfMessage, messageOfBytes, type Part } from "./parcel.js";

/** Null when it is larger than `mostBytes`. Throws for what has no form. */
export function cutMessage(message: LinkMessage, partBytes: number, mostBytes: number): readonly Part[] | null {
  const bytes = bytesOfMessage(message);
  if (bytes.length > mostBytes) return null;
  const count = Math.ceil(bytes.length / partBytes);
  return Array.from({ length: count }, (_, n) => ({
    left: count - 1 - n,
    bytes: bytes.subarray(n * partBytes, (n + 1) * partBytes),
  }));
}

/** The parts of the message that is arriving. */
export class Joiner {
  readonly #mostBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #left = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Whether a message has begun and not ended. */
  get open(): boolean {
    return this.#parts.length > 0;
  }

  /** False: this part does not follow the one before, or the message is too large. */
  take({ left, bytes }: Part): boolean {
    if (this.open && left !== this.#left - 1) return false;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#mostBytes) return false;
    this.#parts.push(bytes);
    this.#left = left;
    return true;
  }

  /** The message whose last part was just taken; null when it was not understood. */
  end(): LinkMessage | null {
    const whole = Buffer.concat(this.#parts);
    this.clear();
    return messageOfBytes(whole);
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#left = 0;
  }
}
