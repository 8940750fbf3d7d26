/**
 * Links in memory: the twin of the MessagePort and NATS links for the test kit and the deterministic simulation.
 *
 * Owns: the queues between endpoints of one process, their order, and the faults put on them (delay, loss, duplication,
 * reordering, partitions). Does not own: time (a `Clock`) or chance (the `route` function decides and may use a seed).
 *
 * Invariants:
 * - nothing is delivered inside `send`: a handler never runs within another one;
 * - without faults every message arrives once, in order per (sender, receiver), in one batch per pair and tick;
 * - a receiver never shares an object with a sender: each message is copied when it leaves, as between threads;
 * - messages on their way to or from an endpoint that closed are lost, as with a dead thread.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";
import { plainCopy } from "../../../lib/plain-copy.js";
import type { EndpointId, Link, LinkMessage } from "../link.js";
import { checkBounds, DEFAULT_LINK_BOUNDS, type LinkBounds, mayBeDropped } from "./bounds.js";

export interface MemoryBatch {
  readonly from: EndpointId;
  readonly to: EndpointId;
  readonly messages: readonly LinkMessage[];
}

/** One arrival of (a part of) a batch. */
export interface MemoryDelivery {
  readonly messages: readonly LinkMessage[];
  /** 0 when absent. More than 0 needs a network with a clock. */
  readonly delayMs?: number;
  /** True: may overtake earlier batches of the same pair. Otherwise a delay holds up what follows, as a stream does. */
  readonly outOfOrder?: boolean;
}

export interface MemoryNetworkOptions {
  /** With a clock each tick's messages travel by one of its timers. Without, they wait for `pump`. */
  readonly clock?: Clock;
  /** Decides what becomes of a batch: an empty list loses it, two deliveries duplicate it. Absent: arrives as it is. */
  readonly route?: (batch: MemoryBatch) => readonly MemoryDelivery[];
  /** Of the messages that one endpoint sends to another within a tick. */
  readonly bounds?: LinkBounds;
}

export interface MemoryNetwork {
  /** Opens an endpoint: every other open one sees it come up. Throws when the id is open already. */
  endpoint(id: EndpointId): Link;
  /** Delivers what is queued, and what that causes, until nothing is due. Returns how many messages arrived. */
  pump(): number;
  /** Delivers only what was queued before the call. */
  step(): number;
  /** Stops messages between two endpoints, both ways. `notice`: both see the other go down. Default true. */
  partition(a: EndpointId, b: EndpointId, options?: { readonly notice?: boolean }): void;
  /** Ends a partition; those who had been told see the other come up. */
  heal(a: EndpointId, b: EndpointId): void;
  /** Messages queued or on their way. */
  pending(): number;
}

interface Endpoint {
  readonly id: EndpointId;
  handler: ((from: EndpointId, messages: readonly LinkMessage[]) => void) | null;
  readonly peerHandlers: ((peer: EndpointId, change: "up" | "down") => void)[];
  open: boolean;
}

interface InFlight {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly messages: readonly LinkMessage[];
  readonly dueAt: number;
  readonly number: number;
}

interface Queued {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly messages: LinkMessage[];
  /** Past the hard bound: instead of the messages both ends get a new start. */
  overflowed: boolean;
}

const MAX_PUMP_ROUNDS = 100_000;
const pairText = (from: EndpointId, to: EndpointId): string => `${from} ${to}`;

export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  const { clock, route } = options;
  const bounds = checkBounds(options.bounds ?? DEFAULT_LINK_BOUNDS);
  const endpoints = new Map<EndpointId, Endpoint>();
  /** What was sent since the last tick, in order of the pair's first message. */
  let queued = new Map<string, Queued>();
  let inFlight: InFlight[] = [];
  /** Pair → when its newest ordered batch arrives: a later one does not overtake it. */
  const lastDue = new Map<string, number>();
  /** Both directions of a cut pair → whether its ends were told. */
  const cuts = new Map<string, boolean>();
  let deliveries = 0;
  let tick: Cancel | null = null;

  const now = (): number => clock?.monotonic() ?? 0;

  function wake(): void {
    if (clock === undefined || tick !== null) return;
    let next: number | null = queued.size > 0 ? 0 : null;
    for (const flight of inFlight) {
      const wait = Math.max(0, flight.dueAt - now());
      if (next === null || wait < next) next = wait;
    }
    if (next === null) return;
    tick = clock.after(next, () => {
      tick = null;
      step();
      wake();
    });
  }

  /** An earlier need than the timer that is set: set it anew. */
  function wakeSooner(): void {
    tick?.();
    tick = null;
    wake();
  }

  function dispatch(): void {
    const batches = queued;
    queued = new Map();
    for (const [pair, { from, to, messages: sent, overflowed }] of batches) {
      if (overflowed) {
        batches.delete(pairText(to.id, from.id));
        startAnew(from, to);
        continue;
      }
      if (cuts.has(pair)) continue;
      const messages: readonly LinkMessage[] = plainCopy(sent);
      const batch = { from: from.id, to: to.id, messages };
      for (const delivery of route === undefined ? [{ messages }] : route(batch)) {
        const delayMs = delivery.delayMs ?? 0;
        if (delayMs > 0 && clock === undefined)
          throw new Error("memory network: a delay needs a network made with a clock");
        let dueAt = now() + delayMs;
        if (delivery.outOfOrder !== true) {
          dueAt = Math.max(dueAt, lastDue.get(pair) ?? 0);
          lastDue.set(pair, dueAt);
        }
        deliveries += 1;
        inFlight.push({ from, to, messages: delivery.messages, dueAt, number: deliveries });
      }
    }
  }

  function step(): number {
    dispatch();
    const time = now();
    const due = inFlight.filter((flight) => flight.dueAt <= time);
    if (due.length === 0) return 0;
    inFlight = inFlight.filter((flight) => flight.dueAt > time);
    due.sort((a, b) => a.dueAt - b.dueAt || a.number - b.number);
    let arrived = 0;
    for (const { from, to, messages } of due) {
      if (!from.open || !to.open || to.handler === null || messages.length === 0) continue;
      if (cuts.has(pairText(from.id, to.id))) continue;
      arrived += messages.length;
      // Copied when they left; a route may deliver one message twice, and then each arrival is a copy of its own.
      to.handler(from.id, route === undefined ? messages : plainCopy(messages));
    }
    return arrived;
  }

  function announce(to: Endpoint, peer: EndpointId, change: "up" | "down"): void {
    if (!to.open) return;
    for (const handler of to.peerHandlers) handler(peer, change);
  }

  /** Whether `a` sees `b`: both open and no announced cut between them. */
  const sees = (a: Endpoint, b: Endpoint): boolean =>
    a !== b && a.open && b.open && cuts.get(pairText(a.id, b.id)) !== true;

  function close(endpoint: Endpoint): void {
    if (!endpoint.open) return;
    const seers = [...endpoints.values()].filter((other) => sees(other, endpoint));
    endpoint.open = false;
    endpoints.delete(endpoint.id);
    queued = new Map([...queued].filter(([, batch]) => batch.from.open && batch.to.open));
    inFlight = inFlight.filter((flight) => flight.from.open && flight.to.open);
    for (const other of seers) announce(other, endpoint.id, "down");
  }

  function startAnew(a: Endpoint, b: Endpoint): void {
    inFlight = inFlight.filter(({ from, to }) => !((from === a && to === b) || (from === b && to === a)));
    if (!sees(a, b)) return;
    announce(a, b.id, "down");
    announce(b, a.id, "down");
    announce(a, b.id, "up");
    announce(b, a.id, "up");
  }

  function send(from: Endpoint, toId: EndpointId, message: LinkMessage): void {
    const to = endpoints.get(toId);
    if (!from.open || to === undefined) return;
    const pair = pairText(from.id, toId);
    let batch = queued.get(pair);
    if (batch === undefined) {
      batch = { from, to, messages: [], overflowed: false };
      queued.set(pair, batch);
      wakeSooner();
    }
    const waiting = batch.messages.length;
    if (batch.overflowed || (waiting >= bounds.maxDroppable && mayBeDropped(message))) return;
    if (waiting >= bounds.maxQueued) batch.overflowed = true;
    else batch.messages.push(message);
  }

  function endpoint(id: EndpointId): Link {
    if (endpoints.has(id)) throw new Error(`memory network: the endpoint ${id} is open already`);
    const own: Endpoint = { id, handler: null, peerHandlers: [], open: true };
    const others = [...endpoints.values()];
    endpoints.set(id, own);
    for (const other of others) if (sees(other, own)) announce(other, id, "up");
    return {
      self: id,
      send: (to, message) => send(own, to, message),
      receive(handler) {
        own.handler = handler;
      },
      peers(handler) {
        own.peerHandlers.push(handler);
        for (const other of endpoints.values()) if (sees(own, other)) handler(other.id, "up");
      },
      room(to) {
        const other = endpoints.get(to);
        if (other === undefined || !sees(own, other)) return 0;
        return Math.max(0, bounds.maxDroppable - (queued.get(pairText(id, to))?.messages.length ?? 0));
      },
      close: () => close(own),
    };
  }

  return {
    endpoint,
    step,
    pump() {
      let arrived = 0;
      for (let round = 0; queued.size > 0 || inFlight.some((flight) => flight.dueAt <= now()); round++) {
        if (round >= MAX_PUMP_ROUNDS) throw new Error("memory network: messages go round without end");
        arrived += step();
      }
      return arrived;
    },
    partition(a, b, { notice = true } = {}) {
      const [first, second] = [endpoints.get(a), endpoints.get(b)];
      const together = first !== undefined && second !== undefined && sees(first, second);
      cuts.set(pairText(a, b), notice);
      cuts.set(pairText(b, a), notice);
      if (!together || !notice) return;
      announce(first, b, "down");
      announce(second, a, "down");
    },
    heal(a, b) {
      const noticed = cuts.get(pairText(a, b));
      cuts.delete(pairText(a, b));
      cuts.delete(pairText(b, a));
      const [first, second] = [endpoints.get(a), endpoints.get(b)];
      if (noticed !== true || first === undefined || second === undefined) return;
      announce(first, b, "up");
      announce(second, a, "up");
    },
    pending() {
      let count = 0;
      for (const batch of queued.values()) count += batch.messages.length;
      for (const flight of inFlight) count += flight.messages.length;
      return count;
    },
  };
}
