/**
 * Events as consumers outside see them: families, subjects, ids and the envelope. `docs/EVENTS.md` describes the same for
 * people; what stands here is a contract with programs that nobody here knows, so it only grows.
 */
import type { Json } from "../../lib/json.js";
import { decode } from "../../lib/msgpack.js";
import { EventRefused, type OutboxEvent } from "../ports.js";

/** Rises only when an older consumer could misread an event. */
export const ENVELOPE_VERSION = 1;

/** One stream each. Events of a kind that is not named here go to the family `others`. */
export const EVENT_FAMILIES = ["orders", "drivers", "restaurants", "zones", "others"] as const;
export type EventFamily = (typeof EVENT_FAMILIES)[number];

const FAMILY_OF_KIND: ReadonlyMap<string, EventFamily> = new Map([
  ["order", "orders"],
  ["driver", "drivers"],
  ["restaurant", "restaurants"],
  ["dispatch-zone", "zones"],
]);

export const familyOf = (kind: string): EventFamily => FAMILY_OF_KIND.get(kind) ?? "others";

export interface EventEnvelope {
  /** `ENVELOPE_VERSION`. */
  readonly v: number;
  /** `<kind>/<key>:<offset>`: the same however often the event is published. */
  readonly id: string;
  /** The kind of the actor that the event is about, and its key. */
  readonly kind: string;
  readonly key: string;
  /** Per actor, from 1, no holes. */
  readonly offset: number;
  readonly type: string;
  /** When it happened, milliseconds since the epoch. */
  readonly at: number;
  readonly data: Json;
}

export const eventId = ({ kind, key, offset }: { kind: string; key: string; offset: number }): string =>
  `${kind}/${key}:${offset}`;

/** The event as bytes of JSON. */
export function encodeEnvelope(event: OutboxEvent): Uint8Array {
  const { kind, key, offset, type, at } = event;
  let data: Json;
  try {
    data = decode<Json>(event.body);
  } catch (error) {
    throw new EventRefused(`The body of ${eventId(event)} is no MessagePack: ${(error as Error).message}`);
  }
  const envelope: EventEnvelope = { v: ENVELOPE_VERSION, id: eventId(event), kind, key, offset, type, at, data };
  return new TextEncoder().encode(JSON.stringify(envelope));
}

/** Null for what is no envelope of a version that is understood here. Fields that are not known are passed over. */
export function decodeEnvelope(bytes: Uint8Array): EventEnvelope | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { v, id, kind, key, offset, type, at, data } = value as Record<string, unknown>;
  const sound =
    v === ENVELOPE_VERSION &&
    typeof id === "string" &&
    typeof kind === "string" &&
    typeof key === "string" &&
    typeof type === "string" &&
    typeof at === "number" &&
    typeof offset === "number" &&
    Number.isSafeInteger(offset) &&
    offset >= 1;
  return sound ? { v, id, kind, key, offset, type, at, data: (data ?? null) as Json } : null;
}

/**
 * One token of a subject: letters, digits, `-` and `_` stay, every other byte becomes `=` and two hexadecimal digits.
 * Unlike the tokens of the link any length will do: whatever a store holds can be published.
 */
function token(text: string): string {
  let out = "";
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, "0")}`;
  }
  return out === "" ? "=" : out;
}

/**
 * A header's value may hold no line break, and is compared by bytes: the id, spelled in ASCII, and the time. After a restore
 * another event may have the id of one that the stream has stored a moment ago.
 */
export const messageId = ({ kind, key, offset, at }: Pick<OutboxEvent, "kind" | "key" | "offset" | "at">): string =>
  `${token(kind)}/${token(key)}:${offset}@${at}`;

export interface FamilyNames {
  readonly stream: string;
  /** What the stream takes. */
  readonly subjects: string;
}

export function familyNames(cluster: string, family: EventFamily): FamilyNames {
  return {
    stream: `SWIFT_${token(cluster)}_${family}`,
    subjects: `${prefix(cluster, family)}.>`,
  };
}

const prefix = (cluster: string, family: EventFamily): string => `swift-eats.${token(cluster)}.events.${family}`;

/** `swift-eats.<cluster>.events.<family>.<type>.<key>`; of the family `orders` the type `order.accepted` is `accepted`. */
export function eventSubject(cluster: string, { kind, key, type }: OutboxEvent): string {
  const family = familyOf(kind);
  const known = `${family.slice(0, -1)}.`;
  return `${prefix(cluster, family)}.${token(type.startsWith(known) ? type.slice(known.length) : type)}.${token(key)}`;
}
