/**
 * The relay: takes committed events from the outbox to the stream.
 *
 * Owns: which events are on their way, the order within each actor, and when a failed one is tried again. Does not own
 * the rows (the database does, and whoever owns the shard) nor what the stream does with them.
 *
 * Invariants:
 * - Of one actor at most one event is being published, and the next is not sent before the stream has that one.
 * - A row is deleted only after the stream has said that it stored the event. Whatever ends the relay in between makes
 *   the next one publish it again, under the same message id.
 * - At most `maxBuffered` events are in memory. While the stream is out of reach nothing is read and nothing is sent:
 *   events wait in the database, where `stats().lag` shows how many and for how long.
 * - An actor whose event failed stops, with all its later events, until it is tried again; what of it was in memory is
 *   forgotten and read again then, so that such actors never fill the room of the others.
 */
import type { ActorAddress } from "../actors/runtime/ports.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { endOfTurn } from "../lib/schedule.js";
import { type EventOutbox, EventRefused, type EventStream, type OutboxEvent, type OutboxLag } from "./ports.js";

export interface EventRelaySettings {
  /** How often an idle relay looks for events that nobody told it of. */
  readonly pollMs: number;
  /** Events of different actors on their way to the stream at once. */
  readonly maxPublishing: number;
  /** Events in memory, read and not yet deleted. */
  readonly maxBuffered: number;
  /** Events of one actor that one read brings. */
  readonly perActor: number;
  /** Pauses after a failure: the first, and what they grow to. */
  readonly pauseMs: { readonly first: number; readonly most: number };
  /** The longest pause of an actor whose event the stream refuses: a person has to do something first. */
  readonly refusedPauseMs: number;
  /** How often the lag is measured. */
  readonly lagMs: number;
}

export const DEFAULT_EVENT_RELAY_SETTINGS: EventRelaySettings = {
  pollMs: 200,
  maxPublishing: 128,
  maxBuffered: 1_024,
  perActor: 8,
  pauseMs: { first: 100, most: 5_000 },
  refusedPauseMs: 30_000,
  lagMs: 10_000,
};

export interface EventRelayOptions {
  readonly outbox: EventOutbox;
  readonly stream: EventStream;
  /** The shards whose events are this node's to publish, asked anew at every turn. */
  readonly ownedShards: () => readonly number[];
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<EventRelaySettings>;
  /** Runs what this turn of the event loop has gathered. Default: at the real turn's end; virtual time has turns of its own. */
  readonly endOfTurn?: (run: () => void) => void;
}

export interface EventRelayStats {
  /** Events that the stream has stored for this relay. */
  readonly published: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Events in memory. */
  readonly buffered: number;
  readonly publishing: number;
  /** Actors that wait for another attempt. */
  readonly pausedActors: number;
  readonly streamAvailable: boolean;
  /** As last measured; null before that. */
  readonly lag: (OutboxLag & { readonly oldestAgeMs: number }) | null;
}

export interface EventRelay {
  start(): void;
  /** There may be new events. Cheap: call it after every flush. */
  poke(): void;
  /** Sends nothing more; resolves when what was under way is settled and deleted as far as possible. Never rejects. */
  stop(): Promise<void>;
  stats(): EventRelayStats;
}

/** An actor with events in memory, or one that has failed. */
interface Lane extends ActorAddress {
  readonly shard: number;
  /** Not yet stored by the stream, in order. The first is the one that is being published. */
  events: OutboxEvent[];
  /** Stored by the stream, not yet deleted. */
  undeleted: number;
  publishing: boolean;
  /** In a row. */
  failures: number;
  /** Monotonic. */
  pausedUntil: number;
}

/** Failed actors whose number of failures is remembered; beyond it the oldest are tried as if for the first time. */
const MAX_FAILED_ACTORS = 4_096;

/** Grows by doubling from `first` to `most`. */
const pauseAfter = (failures: number, first: number, most: number): number =>
  Math.min(most, first * 2 ** Math.min(failures - 1, 20));

/** Kinds hold no NUL, so two addresses never meet in one text. */
const nameOf = ({ kind, key }: ActorAddress): string => `${kind}\0${key}`;

export function createEventRelay(options: EventRelayOptions): EventRelay {
  const { outbox, stream, ownedShards, clock } = options;
  const settings: EventRelaySettings = { ...DEFAULT_EVENT_RELAY_SETTINGS, ...options.settings };
  for (const name of ["maxPublishing", "maxBuffered", "perActor"] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 1)
      throw new RangeError(`event relay: ${name} must be a whole number from 1, not ${settings[name]}`);
  }
  const log = options.log.child({ part: "event-relay" });
  const atEndOfTurn = options.endOfTurn ?? endOfTurn;

  const lanes = new Map<string, Lane>();
  /** Lanes whose next event may go, in the order of their turn. Those that have lost their events are passed over. */
  let ready: Lane[] = [];
  /** Stored by the stream, to be deleted with the next call. */
  let stored: OutboxEvent[] = [];
  let buffered = 0;
  let publishing = 0;
  let published = 0;
  let failed = 0;
  let failedActors = 0;
  let lag: EventRelayStats["lag"] = null;

  let running = false;
  let turning = false;
  let reading = false;
  let deleting = false;
  let measuring = false;
  /** Whether a read may find something: at the start, after a poke, at every poll, and after a read that did. */
  let mayHaveMore = true;
  let streamFailures = 0;
  let streamPausedUntil = 0;
  let storeFailures = 0;
  let storePausedUntil = 0;
  let timers: Cancel[] = [];
  const wakes = new Set<Cancel>();
  let settled: (() => void)[] = [];

  /** Runs `turn` once for everything that this turn of the event loop brings. */
  function wake(): void {
    if (turning) return;
    turning = true;
    atEndOfTurn(() => {
      turning = false;
      turn();
    });
  }

  function wakeAfter(delayMs: number): void {
    if (!running) return;
    const cancel = clock.after(delayMs, () => {
      wakes.delete(cancel);
      wake();
    });
    wakes.add(cancel);
  }

  function turn(): void {
    const now = clock.monotonic();
    if (stored.length > 0 && !deleting && now >= storePausedUntil) void remove();
    if (!running) {
      if (publishing === 0 && !deleting && !reading && (stored.length === 0 || storeFailures > 0)) finish();
      return;
    }
    const owned = ownedShards();
    if (lanes.size > 0) forgetLost(new Set(owned));
    if (!stream.available || now < streamPausedUntil) return;
    // After trouble one event goes first, to see whether the stream is back.
    const most = streamFailures > 0 ? 1 : settings.maxPublishing;
    while (publishing < most && ready.length > 0) {
      const lane = ready.shift()!;
      if (lane.events.length > 0 && !lane.publishing) void send(lane);
    }
    // A read half a buffer at a time keeps the stream busy while the next half comes.
    const room = settings.maxBuffered - buffered;
    const wanted = mayHaveMore && room * 2 >= settings.maxBuffered;
    if (wanted && !reading && owned.length > 0 && now >= storePausedUntil) void read(owned, room);
  }

  function finish(): void {
    lanes.clear();
    ready = [];
    stored = [];
    buffered = 0;
    failedActors = 0;
    for (const resolve of settled) resolve();
    settled = [];
  }

  /** What is not on its way is the new owner's. What is on its way is settled: the stream may have it by now. */
  function forgetLost(owned: ReadonlySet<number>): void {
    for (const lane of lanes.values()) {
      if (owned.has(lane.shard)) continue;
      forgetEvents(lane, lane.publishing ? 1 : 0);
      recovered(lane);
      retire(lane);
    }
  }

  /** All but the first `keep`. They are in the database as before. */
  function forgetEvents(lane: Lane, keep: number): void {
    buffered -= Math.max(0, lane.events.length - keep);
    lane.events = lane.events.slice(0, keep);
  }

  function recovered(lane: Lane): void {
    if (lane.failures > 0) failedActors--;
    lane.failures = 0;
    lane.pausedUntil = 0;
  }

  const isIdle = (lane: Lane): boolean => lane.events.length === 0 && lane.undeleted === 0 && !lane.publishing;

  /** A lane ends when there is nothing left to know about its actor. */
  function retire(lane: Lane): void {
    if (isIdle(lane) && lane.failures === 0) lanes.delete(nameOf(lane));
  }

  async function read(shards: readonly number[], limit: number): Promise<void> {
    reading = true;
    mayHaveMore = false;
    const now = clock.monotonic();
    const except = [...lanes.values()].filter((lane) => !isIdle(lane) || lane.pausedUntil > now);
    try {
      const found = await outbox.unpublished(shards, limit, settings.perActor, except);
      storeFailures = 0;
      if (running) for (const event of found) take(event);
      if (found.length > 0) mayHaveMore = true;
    } catch (error) {
      mayHaveMore = true;
      storeTrouble(error, "Events could not be read from the outbox.");
    } finally {
      reading = false;
      wake();
    }
  }

  function take(event: OutboxEvent): void {
    const name = nameOf(event);
    let lane = lanes.get(name);
    if (lane === undefined) {
      const { kind, key, shard } = event;
      lane = { kind, key, shard, events: [], undeleted: 0, publishing: false, failures: 0, pausedUntil: 0 };
      lanes.set(name, lane);
    }
    lane.events.push(event);
    buffered++;
    if (lane.events.length === 1) ready.push(lane);
  }

  async function send(lane: Lane): Promise<void> {
    const event = lane.events[0]!;
    lane.publishing = true;
    publishing++;
    try {
      await stream.publish(event);
      published++;
      streamFailures = 0;
      recovered(lane);
      lane.events.shift();
      lane.undeleted++;
      stored.push(event);
      if (lane.events.length > 0) ready.push(lane);
    } catch (error) {
      failed++;
      fail(lane, event, error);
    } finally {
      lane.publishing = false;
      publishing--;
      wake();
    }
  }

  function fail(lane: Lane, event: OutboxEvent, error: unknown): void {
    const { first, most } = settings.pauseMs;
    const refused = error instanceof EventRefused;
    if (lane.failures++ === 0 && ++failedActors > MAX_FAILED_ACTORS) forgetAFailedLane();
    lane.pausedUntil = clock.monotonic() + pauseAfter(lane.failures, first, refused ? settings.refusedPauseMs : most);
    forgetEvents(lane, 0);
    if (refused) {
      const { kind, key, offset, type } = event;
      if (lane.failures === 1)
        log.error(
          { kind, key, offset, type, error: error.message },
          "The stream refuses an event: its actor's events wait in the database until the stream takes it.",
        );
      return;
    }
    // Many attempts fail together: they are one failure of the stream.
    if (clock.monotonic() < streamPausedUntil) return;
    streamFailures++;
    const pauseMs = pauseAfter(streamFailures, first, most);
    streamPausedUntil = clock.monotonic() + pauseMs;
    wakeAfter(pauseMs);
    if (streamFailures === 1)
      log.warn({ error: messageOf(error) }, "Events cannot be published: they wait in the database.");
  }

  function forgetAFailedLane(): void {
    for (const lane of lanes.values()) {
      if (lane.failures === 0 || !isIdle(lane)) continue;
      recovered(lane);
      retire(lane);
      return;
    }
  }

  async function remove(): Promise<void> {
    deleting = true;
    const events = stored;
    stored = [];
    try {
      await outbox.published(events);
      storeFailures = 0;
      buffered -= events.length;
      for (const event of events) {
        const lane = lanes.get(nameOf(event));
        if (lane === undefined) continue;
        lane.undeleted--;
        retire(lane);
      }
    } catch (error) {
      stored = [...events, ...stored];
      storeTrouble(error, "Published events could not be deleted from the outbox; tried again.");
    } finally {
      deleting = false;
      wake();
    }
  }

  function storeTrouble(error: unknown, message: string): void {
    storeFailures++;
    const pauseMs = pauseAfter(storeFailures, settings.pauseMs.first, settings.pauseMs.most);
    storePausedUntil = clock.monotonic() + pauseMs;
    wakeAfter(pauseMs);
    if (storeFailures === 1) log.warn({ error: messageOf(error) }, message);
  }

  async function measure(): Promise<void> {
    if (measuring) return;
    measuring = true;
    try {
      const found = await outbox.lag(ownedShards());
      lag = { ...found, oldestAgeMs: found.oldestAt === null ? 0 : Math.max(0, clock.now() - found.oldestAt) };
    } catch {
      // Whoever reads or deletes has said it; an old figure is better than none.
    } finally {
      measuring = false;
    }
  }

  return {
    start() {
      if (running) return;
      running = true;
      mayHaveMore = true;
      timers = [
        clock.every(settings.pollMs, () => {
          mayHaveMore = true;
          wake();
        }),
        clock.every(settings.lagMs, () => void measure()),
      ];
      void measure();
      wake();
    },
    poke() {
      mayHaveMore = true;
      if (running) wake();
    },
    async stop() {
      if (!running) return;
      running = false;
      for (const cancel of [...timers, ...wakes]) cancel();
      wakes.clear();
      await new Promise<void>((resolve) => {
        settled.push(resolve);
        wake();
      });
    },
    stats: () => {
      const now = clock.monotonic();
      let pausedActors = 0;
      for (const lane of lanes.values()) if (!lane.publishing && lane.pausedUntil > now) pausedActors++;
      return { published, failed, buffered, publishing, pausedActors, streamAvailable: stream.available, lag };
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
