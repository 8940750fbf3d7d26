/**
 * Writes down what clients receive while a run goes on. Owns the bounds: whatever happens, an order, a driver and a
 * tablet take no more than a fixed number of entries; what does not fit is counted. Does not judge (see `rules/`), but
 * for streams, whose every offset would be too much to keep: those it follows and notes only what went wrong.
 */
import type { OrderStatus, OrderView, PlaceOrder, PositionView } from "../../src/protocol/mod.js";
import {
  type ChannelStart,
  type ConnectionGap,
  type DriverEntry,
  type EtaSighting,
  type History,
  type NewestView,
  NUMBERS_PER_FIX,
  type Operation,
  type Placement,
  type PlacementAnswer,
  type PositionSighting,
  type RoomLine,
  type Sighting,
  type StreamFault,
  stepLetters,
  type TabletEntry,
  type Via,
} from "./history.js";
import { RoomNotes } from "./rooms.js";

export const RECORDER_BOUNDS = {
  answersPerPlacement: 8,
  sightingsPerOrder: 96,
  positionsPerOrder: 400,
  entriesPerDriver: 4096,
  fixesPerDriver: 600,
  entriesPerTablet: 8192,
  faults: 200,
  operations: 200_000,
  gaps: 50_000,
  starts: 20_000,
} as const;

interface OrderNotes {
  sightings: Sighting[];
  etas: EtaSighting[];
  positions: PositionSighting[];
  newest: NewestView | null;
  dropped: number;
  /** Last status by stream. */
  seen: Map<string, { version: number; status: OrderStatus; steps: string }>;
}

interface DriverNotes {
  entries: DriverEntry[];
  fixes: number[];
  droppedEntries: number;
  droppedFixes: number;
}

interface Position {
  epoch: number;
  offset: number;
  open: boolean;
}

/** Views come in order on one stream, and the first stream that shows a stage is the one that counts. */
function noteEta(etas: EtaSighting[], { eta, status, driver }: OrderView, receivedAt: number): void {
  const found = driver !== undefined;
  if (eta === undefined || etas.some((known) => known.status === status && known.driver === found)) return;
  etas.push({ receivedAt, status, driver: found, from: eta.from, expected: eta.expected, to: eta.to });
}

const isFinal = (answer: PlacementAnswer): boolean => answer.ok || !answer.temporary;

export class Recorder {
  readonly #placements = new Map<string, Placement & { answers: PlacementAnswer[] }>();
  readonly #orders = new Map<string, OrderNotes>();
  readonly #drivers = new Map<string, DriverNotes>();
  readonly #tablets = new Map<string, TabletEntry[]>();
  readonly #streams = new Map<string, Position>();
  readonly #slots = new Map<string, readonly [number, number]>();
  readonly #faults: StreamFault[] = [];
  readonly #operations: Operation[] = [];
  readonly #gaps: ConnectionGap[] = [];
  readonly #starts: ChannelStart[] = [];
  readonly #rooms = new RoomNotes();
  #unwritten = 0;

  /** A customer sends an order, or sends it again under the same key. */
  placed(idempotencyKey: string, customerId: string, order: PlaceOrder, sentAt: number): void {
    if (this.#placements.has(idempotencyKey)) return;
    this.#placements.set(idempotencyKey, { idempotencyKey, customerId, order, sentAt, answers: [] });
  }

  /** Where there is no room, what may yet be answered otherwise gives way to what is final. */
  answered(idempotencyKey: string, answer: PlacementAnswer): void {
    const answers = this.#placements.get(idempotencyKey)?.answers;
    if (answers === undefined) return;
    if (answers.length >= RECORDER_BOUNDS.answersPerPlacement) {
      const spare = isFinal(answer) ? answers.findLastIndex((known) => !isFinal(known)) : -1;
      if (spare < 0) return;
      answers.splice(spare, 1);
    }
    answers.push(answer);
  }

  /** Returns true when this stream had not shown this version with this content before. */
  view(stream: string, via: Via, view: OrderView, receivedAt: number): boolean {
    const notes = this.#order(view.orderId);
    const steps = stepLetters(view.timeline);
    const last = notes.seen.get(stream);
    if (last !== undefined && last.version === view.version && last.steps === steps && last.status === view.status) {
      return false;
    }
    notes.seen.set(stream, { version: view.version, status: view.status, steps });
    noteEta(notes.etas, view, receivedAt);
    if (notes.newest === null || view.version > notes.newest.version) {
      const { orderId, version, status, timeline } = view;
      notes.newest = { orderId, version, status, timeline };
    }
    if (notes.sightings.length >= RECORDER_BOUNDS.sightingsPerOrder) notes.dropped++;
    else notes.sightings.push({ receivedAt, via, stream, version: view.version, status: view.status, steps });
    return true;
  }

  position(
    orderId: string,
    stream: string,
    via: Via,
    position: PositionView,
    receivedAt: number,
    askedAt?: number,
  ): void {
    const notes = this.#order(orderId);
    if (notes.positions.length >= RECORDER_BOUNDS.positionsPerOrder) {
      notes.dropped++;
      return;
    }
    notes.positions.push({
      receivedAt,
      ...(askedAt === undefined ? {} : { askedAt }),
      via,
      stream,
      measuredAt: position.at,
      lat: position.lat,
      lng: position.lng,
      statusSeen: notes.seen.get(stream)?.status ?? null,
    });
  }

  driver(driverId: string, entry: DriverEntry): void {
    const notes = this.#driver(driverId);
    if (notes.entries.length >= RECORDER_BOUNDS.entriesPerDriver) notes.droppedEntries++;
    else notes.entries.push(entry);
  }

  /** A position of a driver on a trip; `sentAtOnce` when the phone had a connection. Only the newest are kept. */
  fix(driverId: string, measuredAt: number, lat: number, lng: number, sentAtOnce: boolean): void {
    const notes = this.#driver(driverId);
    notes.fixes.push(measuredAt, lat, lng, sentAtOnce ? 1 : 0);
    if (notes.fixes.length > NUMBERS_PER_FIX * RECORDER_BOUNDS.fixesPerDriver) {
      notes.fixes.splice(0, NUMBERS_PER_FIX);
      notes.droppedFixes++;
    }
  }

  tablet(restaurantId: string, entry: TabletEntry): void {
    let entries = this.#tablets.get(restaurantId);
    if (entries === undefined) {
      entries = [];
      this.#tablets.set(restaurantId, entries);
    }
    if (entries.length < RECORDER_BOUNDS.entriesPerTablet) entries.push(entry);
  }

  /** A reliable channel begins, or begins again. */
  subscribed(
    stream: string,
    start: { readonly epoch: number; readonly top: number; readonly recovered: boolean },
    receivedAt: number,
  ): void {
    const { epoch, top, recovered } = start;
    if (this.#starts.length < RECORDER_BOUNDS.starts) this.#starts.push({ stream, receivedAt, epoch, top, recovered });
    else this.#unwritten++;
    const known = this.#streams.get(stream);
    if (known !== undefined && !start.recovered && known.epoch === start.epoch && start.top < known.offset) {
      this.#fault(stream, receivedAt, "backwards", `starts over at event ${start.top}, ${known.offset} was shown`);
    }
    if (!start.recovered || known === undefined) {
      this.#streams.set(stream, { epoch: start.epoch, offset: start.top, open: true });
      return;
    }
    known.open = true;
    if (known.epoch !== start.epoch) {
      this.#fault(stream, receivedAt, "gap", `recovered into epoch ${start.epoch} from ${known.epoch}`);
      known.epoch = start.epoch;
    }
    if (start.top < known.offset) {
      this.#fault(stream, receivedAt, "backwards", `the node's last event is ${start.top}, ${known.offset} was shown`);
    }
  }

  /** The client listens no more. */
  left(stream: string): void {
    const known = this.#streams.get(stream);
    if (known !== undefined) known.open = false;
  }

  event(stream: string, offset: number, receivedAt: number): void {
    const known = this.#streams.get(stream);
    if (known === undefined) {
      this.#fault(stream, receivedAt, "gap", `event ${offset} before the subscription was answered`);
      this.#streams.set(stream, { epoch: 0, offset, open: true });
      return;
    }
    if (offset <= known.offset) this.#fault(stream, receivedAt, "repeat", `event ${offset} after ${known.offset}`);
    else if (offset > known.offset + 1) {
      this.#fault(stream, receivedAt, "gap", `event ${offset} after ${known.offset}`);
    }
    known.offset = Math.max(known.offset, offset);
  }

  /** A subscription to an order begins, or begins again, and the node names the order's version. */
  orderSubscribed(orderId: string, stream: string, version: number, receivedAt: number): void {
    const seen = this.#orders.get(orderId)?.seen.get(stream);
    if (seen === undefined || version >= seen.version) return;
    this.#fault(
      `${stream} order:${orderId}`,
      receivedAt,
      "backwards",
      `is at version ${version}, ${seen.version} was shown`,
    );
  }

  /** A value of a latest-wins slot: its version (shard epoch, counter) must rise. */
  slot(stream: string, slot: string, version: readonly [number, number], receivedAt: number): void {
    const key = `${stream} ${slot}`;
    const known = this.#slots.get(key);
    if (known !== undefined && (version[0] < known[0] || (version[0] === known[0] && version[1] <= known[1]))) {
      this.#fault(stream, receivedAt, "backwards", `${slot} ${version.join(".")} after ${known.join(".")}`);
      return;
    }
    this.#slots.set(key, version);
  }

  /** A client subscribes to a latest-wins channel afresh: versions start over. */
  forgetSlots(stream: string, slots: readonly string[]): void {
    for (const slot of slots) this.#slots.delete(`${stream} ${slot}`);
  }

  /** A client's call has returned, or was given up. */
  operation(operation: Operation): void {
    if (this.#operations.length < RECORDER_BOUNDS.operations) this.#operations.push(operation);
    else this.#unwritten++;
  }

  /** A room shows these lines now, oldest first. */
  room(roomId: string, stream: string, lines: readonly RoomLine[], receivedAt: number): void {
    const problem = this.#rooms.shown(roomId, stream, lines);
    if (problem !== null) this.#fault(`${stream} room:${roomId}`, receivedAt, "backwards", problem);
  }

  /** The node has acknowledged a line. */
  said(roomId: string, stream: string, text: string, offset: number, receivedAt: number): void {
    this.#rooms.said(roomId, stream, text, offset, receivedAt);
  }

  /** A client is connected again. */
  gap(gap: ConnectionGap): void {
    if (this.#gaps.length < RECORDER_BOUNDS.gaps) this.#gaps.push(gap);
    else this.#unwritten++;
  }

  history(): History {
    return {
      placements: [...this.#placements.values()],
      orders: [...this.#orders].map(([orderId, { sightings, etas, positions, newest, dropped }]) => ({
        orderId,
        sightings,
        etas,
        positions,
        newest,
        dropped,
      })),
      drivers: [...this.#drivers].map(([driverId, notes]) => ({ driverId, ...notes })),
      tablets: [...this.#tablets].map(([restaurantId, entries]) => ({ restaurantId, entries })),
      faults: this.#faults,
      starts: this.#starts,
      channels: [...this.#streams].map(([stream, position]) => ({ stream, ...position })),
      operations: this.#operations,
      gaps: this.#gaps,
      rooms: this.#rooms.histories(),
      unwritten: this.#unwritten,
    };
  }

  #order(orderId: string): OrderNotes {
    let notes = this.#orders.get(orderId);
    if (notes === undefined) {
      notes = { sightings: [], etas: [], positions: [], newest: null, dropped: 0, seen: new Map() };
      this.#orders.set(orderId, notes);
    }
    return notes;
  }

  #driver(driverId: string): DriverNotes {
    let notes = this.#drivers.get(driverId);
    if (notes === undefined) {
      notes = { entries: [], fixes: [], droppedEntries: 0, droppedFixes: 0 };
      this.#drivers.set(driverId, notes);
    }
    return notes;
  }

  #fault(stream: string, receivedAt: number, what: StreamFault["what"], detail: string): void {
    if (this.#faults.length < RECORDER_BOUNDS.faults) this.#faults.push({ stream, receivedAt, what, detail });
  }
}

/** For runs without an end that nobody judges: forgets everything at once. */
export class ForgetfulRecorder extends Recorder {
  override placed(): void {}
  override answered(): void {}
  override view(): boolean {
    return true;
  }
  override position(): void {}
  override driver(): void {}
  override fix(): void {}
  override tablet(): void {}
  override subscribed(): void {}
  override left(): void {}
  override event(): void {}
  override orderSubscribed(): void {}
  override slot(): void {}
  override forgetSlots(): void {}
  override operation(): void {}
  override room(): void {}
  override said(): void {}
  override gap(): void {}
}

/** Of several that saw the same stage, the first. */
function joinEtas(etas: readonly EtaSighting[]): readonly EtaSighting[] {
  const first: EtaSighting[] = [];
  for (const eta of etas.toSorted((a, b) => a.receivedAt - b.receivedAt)) {
    if (!first.some((known) => known.status === eta.status && known.driver === eta.driver)) first.push(eta);
  }
  return first;
}

/** Histories of several processes as one. Each order, driver and tablet was kept by one process only, or is joined. */
export function joinHistories(histories: readonly History[]): History {
  const orders = new Map<string, History["orders"][number]>();
  for (const order of histories.flatMap((history) => history.orders)) {
    const known = orders.get(order.orderId);
    if (known === undefined) {
      orders.set(order.orderId, order);
      continue;
    }
    const newer = (order.newest?.version ?? -1) > (known.newest?.version ?? -1) ? order.newest : known.newest;
    orders.set(order.orderId, {
      orderId: order.orderId,
      sightings: [...known.sightings, ...order.sightings].sort((a, b) => a.receivedAt - b.receivedAt),
      etas: joinEtas([...(known.etas ?? []), ...(order.etas ?? [])]),
      positions: [...known.positions, ...order.positions].sort((a, b) => a.receivedAt - b.receivedAt),
      newest: newer,
      dropped: known.dropped + order.dropped,
    });
  }
  return {
    placements: histories.flatMap((history) => history.placements),
    orders: [...orders.values()],
    drivers: histories.flatMap((history) => history.drivers),
    tablets: histories.flatMap((history) => history.tablets),
    faults: histories.flatMap((history) => history.faults),
    starts: histories.flatMap((history) => history.starts),
    channels: histories.flatMap((history) => history.channels),
    operations: histories.flatMap((history) => history.operations),
    gaps: histories.flatMap((history) => history.gaps),
    rooms: histories.flatMap((history) => history.rooms ?? []),
    unwritten: histories.reduce((sum, history) => sum + history.unwritten, 0),
  };
}
