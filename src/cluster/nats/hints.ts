/**
 * Hints of ownership, and the testimony of members without a database, over NATS: said to whoever listens, never kept. A
 * hint decides nothing; a testimony counts for no longer than its question is young.
 */
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { decode, encode } from "../../lib/msgpack.js";
import type { Random } from "../../lib/random.js";
import { systemRandom } from "../../lib/random.js";
import type { HeardQuestion, Hints, OwnershipHint, Testimony } from "../ports.js";
import { openSteadyConnection } from "./connection.js";
import { isSoundMessagePack } from "./scan.js";
import { clusterSubjects } from "./subjects.js";

export interface NatsHintsOptions {
  readonly url: string;
  readonly cluster: string;
  /** Names the connection. What a node says itself does not come back to it (`noEcho`). */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: Random;
}

export interface NatsHints extends Hints {
  stats(): { readonly connected: boolean; readonly malformed: number };
}

const MAX_SHARDS = 65_536;
const MAX_WORKERS = 4_096;
const MAX_NODE_TEXT = 256;
const MAX_PROMISES = 1_024;

/**
 * Opens a node's ear and mouth for hints. Returns at once; while NATS cannot be reached hints are lost, which is all the
 * same to the database. Throws as `openNatsLink` does.
 */
export function openNatsHints(options: NatsHintsOptions): NatsHints {
  const { url, cluster, node, clock, random = systemRandom() } = options;
  const log = options.log.child({ part: "nats-hints" });
  const subjects = clusterSubjects(cluster);
  const hints: ((hint: OwnershipHint) => void)[] = [];
  const testimony: ((testimony: Testimony) => void)[] = [];
  let malformed = 0;

  function hear<T>(said: T | null, handlers: readonly ((said: T) => void)[]): void {
    if (said === null) {
      malformed += 1;
      if (malformed === 1) log.warn({}, "A hint on NATS was not understood and is ignored.");
      return;
    }
    for (const handler of handlers) {
      try {
        handler(said);
      } catch (error) {
        log.error({ error: String(error) }, "A handler of hints has thrown.");
      }
    }
  }

  function say(subject: string, value: unknown): void {
    try {
      connection.current?.publish(subject, encode(value));
    } catch {
      // A hint may be lost.
    }
  }

  const connection = openSteadyConnection({
    url,
    name: `${cluster}: ${node} hints`,
    clock,
    random,
    log,
    onUp(nats) {
      nats.subscribe(subjects.hints, {
        callback: (error, message) => error === null && hear(decodeHint(message.data), hints),
      });
      nats.subscribe(subjects.testimony, {
        callback: (error, message) => error === null && hear(decodeTestimony(message.data), testimony),
      });
    },
  });

  return {
    announce: ({ node: owner, workers, shards }) =>
      say(subjects.hints, [owner, workers, shards.map(({ shard, epoch }) => [shard, epoch])]),
    onHint: (handler) => void hints.push(handler),
    testify: ({ node, incarnation, question, promises }) =>
      say(subjects.testimony, [
        node,
        incarnation,
        question,
        promises.map((promise) => [promise.node, promise.incarnation, promise.question]),
      ]),
    onTestimony: (handler) => void testimony.push(handler),
    close: () => connection.close(),
    stats: () => ({ connected: connection.current !== null, malformed }),
  };
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_NODE_TEXT;
}

/** Null for whatever is no list of so many values. */
function decodeList(bytes: Uint8Array, length: number): readonly unknown[] | null {
  if (!isSoundMessagePack(bytes)) return null;
  try {
    const value: unknown = decode(bytes);
    return Array.isArray(value) && value.length === length ? value : null;
  } catch {
    return null;
  }
}

/** Null for whatever is no hint. */
function decodeHint(bytes: Uint8Array): OwnershipHint | null {
  const [node, workers, list] = decodeList(bytes, 3) ?? [];
  if (!isName(node)) return null;
  if (!isWhole(workers, MAX_WORKERS) || workers === 0 || !Array.isArray(list) || list.length > MAX_SHARDS) return null;
  const shards: { shard: number; epoch: number }[] = [];
  for (const pair of list) {
    if (!Array.isArray(pair) || pair.length !== 2) return null;
    const [shard, epoch] = pair as unknown[];
    if (!isWhole(shard, MAX_SHARDS) || !isWhole(epoch, Number.MAX_SAFE_INTEGER)) return null;
    shards.push({ shard, epoch });
  }
  return { node, workers, shards };
}

/** Null for whatever is no testimony. */
function decodeTestimony(bytes: Uint8Array): Testimony | null {
  const [node, incarnation, question, list] = decodeList(bytes, 4) ?? [];
  if (!isName(node) || !isName(incarnation) || !isWhole(question, Number.MAX_SAFE_INTEGER)) return null;
  if (!Array.isArray(list) || list.length > MAX_PROMISES) return null;
  const promises: HeardQuestion[] = [];
  for (const triple of list) {
    if (!Array.isArray(triple) || triple.length !== 3) return null;
    const [to, its, number] = triple as unknown[];
    if (!isName(to) || !isName(its) || !isWhole(number, Number.MAX_SAFE_INTEGER)) return null;
    promises.push({ node: to, incarnation: its, question: number });
  }
  return { node, incarnation, question, promises };
}
