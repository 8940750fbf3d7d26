/**
 * What clients received and did, as plain data. Filled by `recorder.ts` while a run goes on, judged by `rules/` after it.
 * All times are milliseconds since the epoch; `at` is the node's word, `receivedAt` and `sentAt` are the client's clock.
 */
import type { OrderStatus, OrderTotals, OrderView, PlaceOrder, TimelineKind } from "../../src/protocol/mod.js";

/** How a client came to know. A stream is one subscription of one client over all its reconnects. */
export type Via = "socket" | "events" | "poll";

export type PlacementAnswer =
  | {
      readonly ok: true;
      readonly receivedAt: number;
      readonly orderId: string;
      readonly status: OrderStatus;
      readonly version: number;
      readonly totals: OrderTotals;
    }
  | { readonly ok: false; readonly receivedAt: number; readonly code: string; readonly temporary: boolean };

export interface Placement {
  readonly idempotencyKey: string;
  readonly customerId: string;
  readonly sentAt: number;
  readonly order: PlaceOrder;
  readonly answers: readonly PlacementAnswer[];
}

/** One version of an order as one client saw it. `steps` has one letter per timeline entry (`stepLetter`). */
export interface Sighting {
  readonly receivedAt: number;
  readonly via: Via;
  readonly stream: string;
  readonly version: number;
  readonly status: OrderStatus;
  readonly steps: string;
}

export interface PositionSighting {
  readonly receivedAt: number;
  /** Of a poll: when it was asked for. A slow line brings an answer long after it was given. */
  readonly askedAt?: number;
  readonly via: Via;
  readonly stream: string;
  readonly measuredAt: number;
  readonly lat: number;
  readonly lng: number;
  /** The status this stream had last shown when the position came. */
  readonly statusSeen: OrderStatus | null;
}

export type NewestView = Pick<OrderView, "orderId" | "version" | "status" | "timeline">;

/** The first range that any client saw of a stage of the order. */
export interface EtaSighting {
  readonly receivedAt: number;
  readonly status: OrderStatus;
  readonly driver: boolean;
  readonly from: number;
  readonly expected: number;
  readonly to: number;
}

export interface OrderHistory {
  readonly orderId: string;
  readonly sightings: readonly Sighting[];
  /** One for each status with and without a driver. */
  readonly etas?: readonly EtaSighting[];
  readonly positions: readonly PositionSighting[];
  /** The newest view any client saw. */
  readonly newest: NewestView | null;
  /** Sightings and positions beyond the bound: checked no further. */
  readonly dropped: number;
}

export type DriverCommand = "accept" | "decline" | "pickup" | "deliver" | "fail" | "release";

export type DriverEntry =
  | {
      readonly kind: "offer";
      readonly at: number;
      readonly receivedAt: number;
      readonly offerId: string;
      readonly orderId: string;
      readonly expiresAt: number;
    }
  | {
      readonly kind: "closed";
      readonly at: number;
      readonly receivedAt: number;
      readonly offerId: string;
      readonly outcome: "won" | "lost" | "expired" | "withdrawn" | "declined";
    }
  | {
      readonly kind: "trip";
      readonly at: number;
      readonly receivedAt: number;
      /** Told by a snapshot: true since some earlier moment, not since `at`. */
      readonly snapshot: boolean;
      readonly tripId: string | null;
      /** Orders with a stop to make. */
      readonly orderIds: readonly string[];
    }
  | {
      readonly kind: "did";
      readonly command: DriverCommand;
      /** The offer (accept, decline) or the order. */
      readonly subject: string;
      readonly sentAt: number;
      readonly receivedAt: number;
      /** `ok`, or the refusal's code. */
      readonly answer: string;
    };

export const NUMBERS_PER_FIX = 4;

export interface DriverHistory {
  readonly driverId: string;
  readonly entries: readonly DriverEntry[];
  /** Positions given to the phone's client on a trip, four numbers each: measuredAt, lat, lng, 1 if sent at once. */
  readonly fixes: readonly number[];
  readonly droppedEntries: number;
  readonly droppedFixes: number;
}

export interface TabletEntry {
  readonly orderId: string;
  readonly attempt: number;
  readonly receivedAt: number;
}

export interface TabletHistory {
  readonly restaurantId: string;
  readonly entries: readonly TabletEntry[];
}

/** A line of a conversation. `text` is empty for a notice of the room's own. */
export interface RoomLine {
  readonly offset: number;
  readonly text: string;
}

/** What one person saw and said in one room. */
export interface RoomHistory {
  readonly roomId: string;
  readonly stream: string;
  /** Every line ever shown, by offset. */
  readonly lines: readonly RoomLine[];
  /** What the node acknowledged. */
  readonly said: readonly (RoomLine & { readonly receivedAt: number })[];
}

/** A reliable channel or a slot that went wrong on its way to a client. */
export interface StreamFault {
  readonly stream: string;
  readonly receivedAt: number;
  readonly what: "gap" | "repeat" | "backwards";
  readonly detail: string;
}

/** A subscription to a reliable channel was answered: the node's last event there was `top`. */
export interface ChannelStart {
  readonly stream: string;
  readonly receivedAt: number;
  readonly epoch: number;
  readonly top: number;
  readonly recovered: boolean;
}

/** How far one client has come on a reliable channel. */
export interface ChannelPosition {
  readonly stream: string;
  readonly epoch: number;
  readonly offset: number;
  /** It has not unsubscribed. */
  readonly open: boolean;
}

/**
 * What the caller knows of something it asked for: it was done; it was refused, or never sent; or nobody can say, because
 * the answer was lost or the node itself did not know.
 */
export type OperationOutcome = "ok" | "fail" | "unknown";

/** One call of a client, from its invocation to its return. Repeats under the same key inside the client are part of it. */
export interface Operation {
  readonly principal: string;
  /** The command's name. */
  readonly type: string;
  /** The order, offer or key that it is about; empty when it is about the caller. */
  readonly subject: string;
  readonly invokedAt: number;
  readonly returnedAt: number;
  readonly outcome: OperationOutcome;
  /** Of what did not end with `ok`. */
  readonly code: string;
}

/** A client that was connected and was so again. */
export interface ConnectionGap {
  readonly principal: string;
  readonly lostAt: number;
  readonly backAt: number;
  readonly from: string;
  readonly to: string;
}

export interface History {
  readonly placements: readonly Placement[];
  readonly orders: readonly OrderHistory[];
  readonly drivers: readonly DriverHistory[];
  readonly tablets: readonly TabletHistory[];
  readonly faults: readonly StreamFault[];
  readonly starts: readonly ChannelStart[];
  readonly channels: readonly ChannelPosition[];
  readonly operations: readonly Operation[];
  readonly gaps: readonly ConnectionGap[];
  /** Conversations. */
  readonly rooms?: readonly RoomHistory[];
  /** Operations, gaps and starts beyond the bound. */
  readonly unwritten: number;
}

const LETTERS: Readonly<Record<TimelineKind, string>> = {
  placed: "p",
  confirmed: "c",
  accepted: "a",
  preparing: "k",
  ready: "r",
  picked_up: "u",
  delivered: "d",
  cancelled: "x",
  rejected: "j",
  undeliverable: "n",
  driver_assigned: "A",
  driver_unassigned: "U",
  driver_near: "N",
  driver_arrived: "V",
  eta_changed: "M",
  escalated: "E",
  payment_captured: "C",
  payment_voided: "O",
  payment_refunded: "R",
  payment_refund_refused: "S",
};
const STATUS_BY_LETTER = new Map(
  Object.entries(LETTERS)
    .filter(([, letter]) => letter === letter.toLowerCase())
    .map(([kind, letter]) => [letter, kind as OrderStatus]),
);

export function stepLetters(timeline: OrderView["timeline"]): string {
  let steps = "";
  for (const entry of timeline) steps += LETTERS[entry.kind] ?? "?";
  return steps;
}

/** The statuses among the steps, in order. */
export function statusPath(steps: string): OrderStatus[] {
  const path: OrderStatus[] = [];
  for (const letter of steps) {
    const status = STATUS_BY_LETTER.get(letter);
    if (status !== undefined) path.push(status);
  }
  return path;
}
