/** Everything a rule may look at: what clients received, what the database holds, what the payment provider booked. */
import type { OrderStatus, OrderTotals, OrderView, PricedLine } from "../../src/protocol/mod.js";
import type { DriverEntry, DriverHistory, History, OrderHistory, Placement, PlacementAnswer } from "./history.js";

/** An order as the database holds it after the run. */
export interface StoredOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly restaurantId: string;
  /** The driver who has or had it, when the store says. */
  readonly driverId: string | null;
  readonly status: OrderStatus;
  readonly version: number;
  readonly lines: readonly PricedLine[];
  readonly totals: OrderTotals;
  readonly timeline: OrderView["timeline"];
}

/** What the payment provider booked for one order. Amounts in minor units. */
export interface Booking {
  readonly orderId: string;
  readonly kind: "authorised" | "captured" | "voided" | "refunded";
  /** Names the authorisation the booking belongs to. */
  readonly payment: string;
  readonly amountMinor: number;
  readonly at: number;
}

/** What the marketplace's own books have of one order, booking by booking. Amounts in minor units, never negative. */
export interface BookedOrder {
  /** What the customer came to owe. */
  readonly sales: readonly number[];
  readonly captures: readonly number[];
  readonly refunds: readonly number[];
}

export interface Books {
  readonly orders: ReadonlyMap<string, BookedOrder>;
  /** What all accounts sum to, by currency. */
  readonly sums: ReadonlyMap<string, number>;
  /** Facts that no book has yet. */
  readonly waiting: number;
  /** Facts that could not be booked. */
  readonly refused: number;
}

export interface Database {
  readonly orders: ReadonlyMap<string, StoredOrder>;
  /** Trips in progress by driver. */
  readonly trips: readonly {
    readonly driverId: string;
    readonly tripId: string;
    readonly orderIds: readonly string[];
  }[];
  /** Limited items: what is left, by `restaurant/item`. */
  readonly stockLeft: ReadonlyMap<string, number>;
}

/** One actor's rows as the database took them, in the moment it did. Only an auditor inside the database sees it. */
export interface Committed {
  /** The database's clock. */
  readonly at: number;
  readonly kind: string;
  readonly key: string;
  readonly shard: number;
  /** One life of a node's process. */
  readonly process: string;
  readonly node: string;
  /** Under which the writer believed to own the shard. */
  readonly epoch: number;
  /** Who owned the shard, and under which epoch, by the database. */
  readonly owner: { readonly node: string; readonly epoch: number };
  /** The actor's sequence number that the write built on, and the one it made. */
  readonly seqBefore: number;
  readonly seq: number;
  /** Messages and commands that are remembered as done with this commit. */
  readonly commandIds: readonly string[];
  /** What was said on reliable channels with it. */
  readonly pushes: readonly { readonly channel: string; readonly offset: number; readonly type: string }[];
}

/** A committed event, or its arrival at a consumer. `at` only where both were told by one clock. */
export interface EventId {
  readonly kind: string;
  readonly key: string;
  readonly offset: number;
  readonly at?: number;
}

/** The largest value that a bounded thing had in the run. */
export interface BoundSample {
  readonly what: string;
  readonly where: string;
  readonly most: number;
  readonly limit: number;
}

export interface Evidence {
  readonly history: History;
  /** Null when the run could not reach the database: rules that need it say nothing. */
  readonly database: Database | null;
  readonly bookings: readonly Booking[] | null;
  /** Absent: the run does not read them. */
  readonly books?: Books;
  /** Limited items as they were configured, by `restaurant/item`. */
  readonly stockConfigured: ReadonlyMap<string, number>;
  /** When the run ended; `bounds` are the longest that things may take, in wall milliseconds. */
  readonly endedAt: number;
  readonly bounds: {
    readonly tabletMs: number;
    readonly pollAfterCloseMs: number;
    /** How far apart the clocks of clients and nodes may be. Default 500: more, and a node refuses to join. */
    readonly clockSkewMs?: number;
    /** Within which a client that lost its connection without a word has noticed it and is back. Default 20,000. */
    readonly noticeMs?: number;
  };
  /** Since when no fault was at work: waits are counted from here. Absent: the run does not say. */
  readonly healedAt?: number;
  /** The run waited until nobody, payment included, had anything left to do: nothing unfinished can be excused. */
  readonly atRest?: boolean;
  /** In the order of committing. */
  readonly commits?: readonly Committed[];
  /** In the order of arrival, repeats and all, once all had time to arrive. */
  readonly events?: { readonly committed: readonly EventId[]; readonly received: readonly EventId[] };
  readonly samples?: readonly BoundSample[];
}

/** What clocks may differ by where the run does not say. */
const CLOCK_SKEW_MS = 500;

const NOTICE_MS = 20_000;

export const noticeMs = ({ bounds }: Evidence): number => bounds.noticeMs ?? NOTICE_MS;

/** Until when things must have happened to be with everybody who listens, now that the run is at rest; null: it is not. */
export function settledUntil(evidence: Evidence): number | null {
  const { atRest, healedAt, endedAt } = evidence;
  const until = endedAt - noticeMs(evidence);
  return atRest === true && (healedAt ?? 0) <= until ? until : null;
}

export const clockSkewMs = ({ bounds }: Evidence): number => bounds.clockSkewMs ?? CLOCK_SKEW_MS;

export interface Violation {
  /** `rule-03-legal-moves` */
  readonly rule: string;
  /** What it is about: an order, an offer, a driver, an item. */
  readonly subject: string;
  readonly summary: string;
  /** What happened, oldest first, as short as tells it. */
  readonly story: readonly string[];
}

export interface Rule {
  readonly name: string;
  check(index: EvidenceIndex): readonly Violation[];
}

/** The evidence with the ways through it that rules need. Built once per judgement. */
export interface EvidenceIndex extends Evidence {
  readonly ordersById: ReadonlyMap<string, OrderHistory>;
  readonly placementsByOrder: ReadonlyMap<string, readonly Placement[]>;
  /** What drivers received and did about an order: their trips with it, offers of it, commands on it. */
  readonly driversByOrder: ReadonlyMap<string, readonly { readonly driverId: string; readonly entry: DriverEntry }[]>;
  readonly driversById: ReadonlyMap<string, DriverHistory>;
  readonly orderOfOffer: ReadonlyMap<string, string>;
  readonly tabletsByOrder: ReadonlyMap<
    string,
    readonly { restaurantId: string; receivedAt: number; attempt: number }[]
  >;
  readonly bookingsByOrder: ReadonlyMap<string, readonly Booking[]>;
  /** By `kind/key`. */
  readonly commitsByActor: ReadonlyMap<string, readonly Committed[]>;
}

export type Acknowledged = Extract<PlacementAnswer, { ok: true }>;

export function acknowledgement(placement: Placement): Acknowledged | null {
  return placement.answers.find((answer): answer is Acknowledged => answer.ok) ?? null;
}

export function indexEvidence(evidence: Evidence): EvidenceIndex {
  const { history } = evidence;
  const placementsByOrder = new Map<string, Placement[]>();
  for (const placement of history.placements) {
    const orderIds = new Set(placement.answers.flatMap((answer) => (answer.ok ? [answer.orderId] : [])));
    for (const orderId of orderIds) add(placementsByOrder, orderId, placement);
  }
  const orderOfOffer = new Map<string, string>();
  for (const driver of history.drivers) {
    for (const entry of driver.entries) if (entry.kind === "offer") orderOfOffer.set(entry.offerId, entry.orderId);
  }
  const driversByOrder = new Map<string, { driverId: string; entry: DriverEntry }[]>();
  for (const { driverId, entries } of history.drivers) {
    let tripOrders: readonly string[] = [];
    for (const entry of entries) {
      for (const orderId of ordersOf(entry, tripOrders, orderOfOffer))
        add(driversByOrder, orderId, { driverId, entry });
      if (entry.kind === "trip") tripOrders = entry.orderIds;
    }
  }
  const tabletsByOrder = new Map<string, { restaurantId: string; receivedAt: number; attempt: number }[]>();
  for (const { restaurantId, entries } of history.tablets) {
    for (const { orderId, receivedAt, attempt } of entries) {
      add(tabletsByOrder, orderId, { restaurantId, receivedAt, attempt });
    }
  }
  const bookingsByOrder = new Map<string, Booking[]>();
  for (const booking of evidence.bookings ?? []) add(bookingsByOrder, booking.orderId, booking);
  const commitsByActor = new Map<string, Committed[]>();
  for (const commit of evidence.commits ?? []) add(commitsByActor, `${commit.kind}/${commit.key}`, commit);
  return {
    ...evidence,
    commitsByActor,
    ordersById: new Map(history.orders.map((order) => [order.orderId, order])),
    driversById: new Map(history.drivers.map((driver) => [driver.driverId, driver])),
    placementsByOrder,
    driversByOrder,
    orderOfOffer,
    tabletsByOrder,
    bookingsByOrder,
  };
}

/** Which orders an entry speaks of; a trip also speaks of those it no longer has. */
function ordersOf(
  entry: DriverEntry,
  before: readonly string[],
  orderOfOffer: ReadonlyMap<string, string>,
): Iterable<string> {
  switch (entry.kind) {
    case "offer":
      return [entry.orderId];
    case "closed":
      return [orderOfOffer.get(entry.offerId) ?? entry.offerId];
    case "trip":
      return new Set([...before, ...entry.orderIds]);
    case "did":
      return [orderOfOffer.get(entry.subject) ?? entry.subject];
  }
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
