/**
 * An example consumer of events: what a program of somebody else's needs to do, done once with care.
 *
 * Owns: a durable consumer on a family's stream, whose position JetStream keeps, and the last offset seen of each actor.
 * Does not own what is made of an event: that is `handle`.
 *
 * Invariants: one event is handed over at a time and acknowledged only after `handle` has resolved; JetStream gives the
 * next one after that, so that order holds even when this program dies in between; an event whose offset was seen is
 * acknowledged and not handed over again, unless its time says that it is another one, after a restore. A program that keeps its own offsets in one transaction with its work applies
 * every event exactly once and may take many at a time; this one may repeat the last event after a crash.
 */
import type { Consumer, JsMsg, NatsConnection } from "nats";
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { type Random, systemRandom } from "../../lib/random.js";
import { openSteadyConnection } from "./connection.js";
import { decodeEnvelope, type EventEnvelope, type EventFamily, familyNames } from "./envelope.js";
import { OffsetMemory } from "./offsets.js";

export interface EventConsumerOptions {
  readonly url: string;
  readonly cluster: string;
  readonly family: EventFamily;
  /** Names the position that JetStream keeps: letters, digits, `-` and `_`. Programs with one name share the events. */
  readonly durable: string;
  /** For a name that JetStream does not know yet: from the oldest event it has, instead of the next one that comes. */
  readonly fromStart: boolean;
  /** Called with one event after the other. When it rejects the event comes again after a pause. */
  readonly handle: (event: EventEnvelope) => void | Promise<void>;
  /** Events of an actor are missing between two that came: they left the stream before they were read. */
  readonly onGap?: (gap: EventGap) => void;
  /**
   * The database came back from a backup: these events of an actor, which were handed over, are no more, and the numbers
   * are given again from the first of them on.
   */
  readonly onTakenBack?: (gap: EventGap) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: Random;
  /** Actors whose last offset is remembered. Default 100,000. */
  readonly maxActors?: number;
  /** What a consumer that died had under way comes again after so long. A new name's only. Default 3 s. */
  readonly ackWaitMs?: number;
}

export interface EventGap {
  readonly kind: string;
  readonly key: string;
  /** The first and the last offset that did not come, or are no more. */
  readonly from: number;
  readonly to: number;
}

export interface EventConsumerStats {
  /** Handed over and acknowledged. */
  readonly handled: number;
  readonly duplicates: number;
  readonly gaps: number;
  /** What was no event of a version that is understood here: acknowledged and passed over. */
  readonly malformed: number;
  /** Whether the stream is there and events are asked for. */
  readonly attached: boolean;
}

export interface EventConsumer {
  stats(): EventConsumerStats;
  /** Takes no further event; resolves when the one under way is handled and acknowledged. JetStream keeps the position. */
  stop(): Promise<void>;
}

/** A request for events lives so long; a connection that is lost is noticed by itself. */
const FETCH_MS = 5_000;
const FETCH_EVENTS = 500;
const REQUEST_MS = 3_000;
const PAUSE_MS = { first: 200, most: 5_000 };
const DURABLE_NAME = /^[A-Za-z0-9_-]{1,60}$/;

/** Starts consuming. A server that is away, or a stream that is not there yet, is waited for. Throws for bad options. */
export function openEventConsumer(options: EventConsumerOptions): EventConsumer {
  const { cluster, family, durable, clock, random = systemRandom(), ackWaitMs = 3_000 } = options;
  if (!DURABLE_NAME.test(durable))
    throw new TypeError(`The durable name "${durable}" must have 1 to 60 letters, digits, - or _.`);
  const log = options.log.child({ part: "event-consumer", family, durable });
  const { stream } = familyNames(cluster, family);
  const offsets = new OffsetMemory(options.maxActors ?? 100_000);
  const counts = { handled: 0, duplicates: 0, gaps: 0, malformed: 0 };
  let attached = false;
  let stopping = false;
  let said = false;
  let endFetch: (() => void) | null = null;
  /** The loops of connections, of which only the last still runs. */
  let work: Promise<void> = Promise.resolve();

  const isCurrent = (nats: NatsConnection): boolean => !stopping && connection.current === nats;

  async function consume(nats: NatsConnection): Promise<void> {
    for (let failures = 0; isCurrent(nats); ) {
      try {
        const consumer = await attach(nats);
        if (said) log.info({ stream }, "Events are consumed again.");
        said = false;
        attached = true;
        while (isCurrent(nats)) {
          await fetch(nats, consumer);
          failures = 0;
        }
      } catch (error) {
        attached = false;
        if (!isCurrent(nats)) return;
        if (!said) log.warn({ stream, error: (error as Error).message }, "Events cannot be consumed; tried again.");
        said = true;
        await pause(Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(failures++, 10)));
      }
    }
  }

  async function attach(nats: NatsConnection): Promise<Consumer> {
    const manager = await nats.jetstreamManager({ timeout: REQUEST_MS });
    // Adding what is there with the same configuration changes nothing, least of all its position.
    const known = await manager.consumers.info(stream, durable).catch(() => null);
    if (known === null) {
      const { AckPolicy, DeliverPolicy, nanos } = await import("nats");
      await manager.consumers.add(stream, {
        durable_name: durable,
        ack_policy: AckPolicy.Explicit,
        deliver_policy: options.fromStart ? DeliverPolicy.All : DeliverPolicy.New,
        // The next event comes when the one before it is acknowledged: the price of order over a crash.
        max_ack_pending: 1,
        ack_wait: nanos(ackWaitMs),
      });
    }
    return await nats.jetstream({ timeout: REQUEST_MS }).consumers.get(stream, durable);
  }

  async function fetch(nats: NatsConnection, consumer: Consumer): Promise<void> {
    const messages = await consumer.fetch({ max_messages: FETCH_EVENTS, expires: FETCH_MS });
    const end = (): void => void messages.close();
    endFetch = end;
    try {
      for await (const message of messages) {
        await take(message);
        if (!isCurrent(nats)) return;
      }
    } finally {
      if (endFetch === end) endFetch = null;
    }
  }

  async function take(message: JsMsg): Promise<void> {
    const event = decodeEnvelope(message.data);
    if (event === null) {
      counts.malformed++;
      if (counts.malformed === 1) log.warn({ subject: message.subject }, "A message of the stream is no known event.");
      message.ack();
      return;
    }
    const { kind, key, offset } = event;
    const last = offsets.lastOf(kind, key);
    // Within an actor time never goes back, so what has an old number and is newer is of another history.
    const isAnother = last !== null && offset <= last.offset && event.at > last.at;
    if (isAnother) options.onTakenBack?.({ kind, key, from: offset, to: last.offset });
    else if (last !== null && offset <= last.offset) {
      counts.duplicates++;
      message.ack();
      return;
    } else if (last !== null && offset > last.offset + 1) {
      counts.gaps++;
      options.onGap?.({ kind, key, from: last.offset + 1, to: offset - 1 });
    }
    try {
      await options.handle(event);
    } catch (error) {
      message.nak(PAUSE_MS.first);
      log.error({ id: event.id, error: String(error) }, "An event could not be handled; it comes again.");
      return;
    }
    offsets.remember(kind, key, { offset, at: event.at });
    counts.handled++;
    message.ack();
  }

  let wake: (() => void) | null = null;
  function pause(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = clock.after(forMs, () => wake?.());
      wake = () => {
        wake = null;
        cancel();
        resolve();
      };
    });
  }

  const connection = openSteadyConnection({
    url: options.url,
    name: `${cluster}: ${durable} consumes ${family}`,
    clock,
    random,
    log,
    onUp(nats) {
      work = work.then(() => consume(nats));
    },
    onDown() {
      attached = false;
      endFetch?.();
      wake?.();
    },
  });

  return {
    stats: () => ({ ...counts, attached }),
    async stop() {
      if (stopping) return;
      stopping = true;
      endFetch?.();
      wake?.();
      await work;
      // Sends the last acknowledgement out.
      await connection.close();
    },
  };
}
