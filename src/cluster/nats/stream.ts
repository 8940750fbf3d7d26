/**
 * The streams of events on JetStream, one per family.
 *
 * Owns: a connection of its own (events never delay what nodes say to each other), the streams' configuration, and the
 * verdict whether an event is stored. Does not own the order of events nor trying again: that is the relay.
 *
 * Invariants: `publish` resolves only when JetStream has said that the event is in the stream; nothing waits in a queue
 * while there is no connection, so that no event comes late from a node that has lost its shard; an event that is
 * published again within the window is stored once.
 */
import type { JetStreamClient, JetStreamManager, NatsConnection, NatsError, StreamConfig } from "nats";
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { type Random, systemRandom } from "../../lib/random.js";
import { EventRefused, type EventStream, type OutboxEvent } from "../ports.js";
import { type NatsLibrary, openSteadyConnection } from "./connection.js";
import {
  ENVELOPE_VERSION,
  EVENT_FAMILIES,
  type EventFamily,
  encodeEnvelope,
  eventSubject,
  familyNames,
  familyOf,
  messageId,
} from "./envelope.js";

export interface EventStreamLimits {
  /** Events older than this leave the stream. */
  readonly maxAgeMs: number;
  /** A family's stream grows to this; then its oldest events leave. */
  readonly maxBytes: number;
  /** How long JetStream remembers ids: an event that is published twice within this time is stored once. */
  readonly duplicateWindowMs: number;
  /** Copies on as many servers of a NATS cluster. Given only to a stream that is created. */
  readonly replicas: number;
}

export const DEFAULT_EVENT_STREAM_LIMITS: EventStreamLimits = {
  maxAgeMs: 7 * 24 * 3_600_000,
  maxBytes: 1024 ** 3,
  duplicateWindowMs: 5 * 60_000,
  replicas: 1,
};

export interface EventStreamOptions {
  /** As `openNatsLink` takes it. */
  readonly url: string;
  readonly cluster: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: Random;
  readonly limits?: Partial<EventStreamLimits>;
  /** How long an event may take to be stored before the attempt counts as failed. Default 5 s. */
  readonly answerMs?: number;
}

/** The stream is out of reach, or has not answered in time: the event may be stored or not. */
export class StreamUnavailable extends Error {
  override readonly name = "StreamUnavailable";
}

export interface NatsEventStream extends EventStream {
  stats(): {
    readonly stored: number;
    /** Of these, what the stream had already. */
    readonly duplicates: number;
    readonly connected: boolean;
  };
}

const PAUSE_MS = { first: 200, most: 5_000 };
/** What JetStream's headers and the protocol's own line take at most beside subject and payload. */
const HEADER_BYTES = 256;
/** Errors of JetStream: no such stream; the message is larger than the stream takes. */
const STREAM_NOT_FOUND = 10_059;
const MESSAGE_TOO_LARGE = 10_054;

/** Opens the streams. Returns at once; `available` turns true when all are there. Throws for a URL that is none. */
export function openEventStream(options: EventStreamOptions): NatsEventStream {
  const { cluster, clock, random = systemRandom(), answerMs = 5_000 } = options;
  const limits: EventStreamLimits = { ...DEFAULT_EVENT_STREAM_LIMITS, ...options.limits };
  const log = options.log.child({ part: "event-stream" });
  /** Set while the streams of the current connection are known to be there. */
  let client: { readonly jetstream: JetStreamClient; readonly library: NatsLibrary } | null = null;
  let wake: Cancel | null = null;
  let closed = false;
  let said = false;
  let stored = 0;
  let duplicates = 0;

  /** Makes sure of all streams, again and again until it succeeds or the connection is another. */
  async function prepare(nats: NatsConnection, library: NatsLibrary, attempt = 0): Promise<void> {
    try {
      const manager = await nats.jetstreamManager({ timeout: answerMs });
      for (const family of EVENT_FAMILIES) await ensureStream(manager, library, cluster, family, limits);
      if (closed || connection.current !== nats) return;
      client = { jetstream: nats.jetstream({ timeout: answerMs }), library };
      if (said) log.info({}, "The streams of events are ready.");
      said = false;
    } catch (error) {
      if (closed || connection.current !== nats) return;
      if (!said)
        log.warn(
          { error: messageOf(error), cluster, bytesEach: limits.maxBytes },
          "The streams of events are not ready: is JetStream on, and has it room? Events wait in the database.",
        );
      said = true;
      wake = clock.after(Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(attempt, 10)), () => {
        wake = null;
        void prepare(nats, library, attempt + 1);
      });
    }
  }

  const connection = openSteadyConnection({
    url: options.url,
    name: `${cluster}: events`,
    clock,
    random,
    log,
    onUp: (nats, library) => void prepare(nats, library),
    onDown() {
      client = null;
      wake?.();
      wake = null;
    },
  });

  return {
    get available() {
      return client !== null;
    },
    async publish(event: OutboxEvent) {
      const before = client;
      const nats = connection.current;
      if (before === null || nats === null) throw new StreamUnavailable("The stream of events is out of reach.");
      const payload = encodeEnvelope(event);
      const subject = eventSubject(cluster, event);
      const id = messageId(event);
      const most = (nats.info?.max_payload ?? 1024 ** 2) - subject.length - id.length - HEADER_BYTES;
      if (payload.length > most) {
        throw new EventRefused(
          `The event has ${payload.length} bytes and the NATS server takes ${most}: raise its max_payload.`,
        );
      }
      const { jetstream, library } = before;
      const head = library.headers();
      head.set("Swift-Event-Version", String(ENVELOPE_VERSION));
      try {
        const answer = await jetstream.publish(subject, payload, { msgID: id, headers: head, timeout: answerMs });
        const expected = familyNames(cluster, familyOf(event.kind)).stream;
        if (answer.stream !== expected)
          throw new StreamUnavailable(`The stream ${answer.stream} took an event that belongs to ${expected}.`);
        stored++;
        if (answer.duplicate) duplicates++;
      } catch (error) {
        if (apiCode(error) === MESSAGE_TOO_LARGE)
          throw new EventRefused(`The stream does not take ${payload.length} bytes: raise its max_msg_size.`);
        // Nobody answers for the subject: the stream has been deleted, or JetStream is off. Look again.
        if (error instanceof library.NatsError && error.code === "503" && client === before) {
          client = null;
          void prepare(nats, library, 1);
        }
        if (error instanceof StreamUnavailable) throw error;
        throw new StreamUnavailable(`The stream has not stored the event: ${messageOf(error)}`, { cause: error });
      }
    },
    stats: () => ({ stored, duplicates, connected: connection.current !== null }),
    async close() {
      closed = true;
      client = null;
      wake?.();
      await connection.close();
    },
  };
}

/** Creates the stream, or gives it our subjects and limits. The number of copies stays what an operator has made it. */
async function ensureStream(
  manager: JetStreamManager,
  { nanos, DiscardPolicy, RetentionPolicy, StorageType }: NatsLibrary,
  cluster: string,
  family: EventFamily,
  limits: EventStreamLimits,
): Promise<void> {
  const { stream, subjects } = familyNames(cluster, family);
  const wanted = {
    description: `Events of ${family}: at least once, in order per actor, ids for de-duplication.`,
    subjects: [subjects],
    max_age: nanos(limits.maxAgeMs),
    max_bytes: limits.maxBytes,
    discard: DiscardPolicy.Old,
    duplicate_window: nanos(Math.min(limits.duplicateWindowMs, limits.maxAgeMs)),
  } satisfies Partial<StreamConfig>;
  let found: StreamConfig;
  try {
    found = (await manager.streams.info(stream)).config;
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
    await manager.streams.add({
      name: stream,
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      num_replicas: limits.replicas,
      ...wanted,
    });
    return;
  }
  const same = (Object.keys(wanted) as (keyof typeof wanted)[]).every(
    (name) => JSON.stringify(found[name]) === JSON.stringify(wanted[name]),
  );
  if (!same) await manager.streams.update(stream, wanted);
}

const apiCode = (error: unknown): number | null =>
  error instanceof Error ? ((error as NatsError).api_error?.err_code ?? null) : null;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
