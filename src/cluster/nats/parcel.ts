/** The bytes that links put on NATS, and what is made of bytes that came from there. */
import type { EndpointId, LinkMessage } from "../../actors/runtime/link.js";
import { decode, encode, encodePassing } from "../../lib/msgpack.js";
import { flat, messageOf } from "./flat.js";
import { lookOver } from "./scan.js";

/** Nodes that do not speak the same version do not hear each other. */
const VERSION = 2;

/** Announces a link to all others of the cluster. */
export interface Presence {
  readonly endpoint: EndpointId;
  /** Of this one life of the link. Of two instances with one name the greater text is the newer one. */
  readonly instance: string;
}

/**
 * What one link says to another. `mine` and `theirs` together name the session: the sender's own number for it, and the
 * receiver's as far as the sender has heard it (0: not at all).
 */
export interface ParcelHead {
  readonly kind: "beat" | "batch" | "bye" | "part";
  readonly from: EndpointId;
  readonly instance: string;
  readonly mine: number;
  readonly theirs: number;
  /** The number of this batch or part, or of the last one that was sent. 0: none yet in this session. */
  readonly number: number;
  /** Messages of the receiver that the sender has consumed in this session. */
  readonly consumed: number;
}

/** A piece of a message that has no room in one parcel. Its parts follow each other. */
export interface Part {
  /** So many follow. */
  readonly left: number;
  readonly bytes: Uint8Array;
}

export interface Parcel extends ParcelHead {
  readonly messages: readonly LinkMessage[];
  /** Of a part alone. */
  readonly part: Part | null;
  /** Messages of the batch that were not understood. */
  readonly strange: number;
  /** Bytes on the wire. */
  readonly size: number;
}

/** Nodes from before there were parts drop them, and the session begins anew. */
const KINDS = ["beat", "batch", "bye", "part"] as const;
const HEAD_FIELDS = 8;
const MAX_NAME = 256;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_NAME;

export function encodePresence(presence: Presence): Uint8Array {
  return encode([VERSION, presence.endpoint, presence.instance]);
}

/** Null for whatever is no presence. */
export function decodePresence(bytes: Uint8Array): Presence | null {
  const value = decodeSafely(bytes);
  if (!Array.isArray(value) || value.length !== 3 || value[0] !== VERSION) return null;
  const [, endpoint, instance] = value as unknown[];
  return isName(endpoint) && isName(instance) ? { endpoint, instance } : null;
}

/** The endpoint that announces itself in another version; null for whatever is no presence at all. */
export function strangerIn(bytes: Uint8Array): EndpointId | null {
  const value = decodeSafely(bytes);
  if (!Array.isArray(value) || value.length !== 3 || !isCount(value[0]) || value[0] === VERSION) return null;
  return isName(value[1]) ? value[1] : null;
}

/** The bytes share their memory with parcels before and after; they are not written again. Throws for what has no form. */
export function encodeParcel(head: ParcelHead, messages: readonly LinkMessage[] = []): Uint8Array {
  return encodeHeaded(head, messages.map(flat));
}

/** As above, for a parcel of the kind `part`. */
export function encodePart(head: ParcelHead, { left, bytes }: Part): Uint8Array {
  return encodeHeaded(head, [left, bytes]);
}

function encodeHeaded(head: ParcelHead, content: readonly unknown[]): Uint8Array {
  const { kind, from, instance, mine, theirs, number, consumed } = head;
  return encodePassing([VERSION, KINDS.indexOf(kind), from, instance, mine, theirs, number, consumed, content]);
}

/** One message, to be cut. Throws for what has no form. */
export const bytesOfMessage = (message: LinkMessage): Uint8Array => encode(flat(message));

/** Null for whatever is no message. */
export const messageOfBytes = (bytes: Uint8Array): LinkMessage | null => messageOf(decodeSafely(bytes));

/** Null for whatever is no parcel. */
export function decodeParcel(bytes: Uint8Array): Parcel | null {
  const value = decodeSafely(bytes);
  if (!Array.isArray(value) || value.length !== HEAD_FIELDS + 1 || value[0] !== VERSION) return null;
  const [, kindIndex, from, instance, mine, theirs, number, consumed, list] = value as unknown[];
  const kind = isCount(kindIndex) ? KINDS[kindIndex] : undefined;
  if (kind === undefined || !isName(from) || !isName(instance) || !Array.isArray(list)) return null;
  if (!isCount(mine) || mine === 0 || !isCount(theirs) || !isCount(number) || !isCount(consumed)) return null;
  const head = { kind, from, instance, mine, theirs, number, consumed, size: bytes.length };
  if (kind === "part") {
    const [left, piece] = list as unknown[];
    if (!isCount(left) || !(piece instanceof Uint8Array) || piece.length === 0) return null;
    return { ...head, messages: [], part: { left, bytes: piece }, strange: 0 };
  }
  if ((kind === "batch") !== list.length > 0) return null;
  const messages: LinkMessage[] = [];
  for (const each of list) {
    const message = messageOf(each);
    if (message !== null) messages.push(message);
  }
  const strange = list.length - messages.length;
  return { ...head, messages, part: null, strange };
}

function decodeSafely(bytes: Uint8Array): unknown {
  const found = lookOver(bytes);
  if (found === "unsound") return undefined;
  try {
    // The copy, because byte strings of the result are views: they must not keep the socket's whole buffer alive.
    return decode(found === "plain" ? bytes : new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}
