/** What a pair of links is told by its link, and what it tells of itself. */
import type { EndpointId, LinkMessage } from "../../actors/runtime/link.js";
import type { ParcelHead, Part } from "./parcel.js";
import type { NatsLinkSettings } from "./settings.js";

export interface PairStats {
  readonly peer: EndpointId;
  readonly up: boolean;
  /** Our number and the peer's; the peer's is 0 until it was heard. */
  readonly session: readonly [mine: number, theirs: number];
  /** Waiting to leave now. */
  readonly queued: number;
  /** Sent in this session and not said to be consumed yet. */
  readonly inFlight: number;
  /** Sent and consumed in this session. */
  readonly sent: number;
  readonly received: number;
  /** Messages that could be lost and were for want of room, and whatever was sent while the peer was not up. */
  readonly dropped: number;
  /** Sessions that ended because the queue was full or a batch was lost. */
  readonly resets: number;
}

/** What a pair says of a parcel; the rest is its link's. */
export type PairHead = Omit<ParcelHead, "from" | "instance">;

/** What a pair needs of its link. */
export interface PairHost {
  readonly settings: NatsLinkSettings;
  /** A number for a new session, greater than every earlier one of this link. */
  nextSession(): number;
  /** Writes a parcel. Throws for what MessagePack cannot hold. */
  encode(head: PairHead, messages: readonly LinkMessage[]): Uint8Array;
  encodePart(head: PairHead, part: Part): Uint8Array;
  /** Puts a parcel on the way; it may be lost. The bytes are not changed afterwards. */
  publish(parcel: Uint8Array): void;
  /** Bytes that one parcel can have. */
  maxParcelBytes(): number;
  /** A message cannot be sent and is left out. */
  unsendable(message: LinkMessage, reason: string): void;
  announce(change: "up" | "down"): void;
  /** Gives messages to the receiver. False: there is none yet. */
  deliver(messages: readonly LinkMessage[]): boolean;
  /** Asks for `flush` at the end of this turn. */
  wake(): void;
  malformed(what: string): void;
}
