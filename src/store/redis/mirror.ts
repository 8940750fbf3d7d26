/**
 * The mirror in Redis: where any node answers polls from and where the latest position of a driver is kept, for as long
 * as it lives and no longer.
 *
 * Owns: one connection, a bounded queue in which a newer value of a key replaces the older one, and the bytes of an entry.
 * Does not own truth: whatever is lost here is asked of the actor.
 *
 * Invariants: `write` never throws and never waits; at most one batch is on its way; an entry that is not newer than what
 * is held is ignored, by Redis itself, so that two owners of a shard cannot overwrite each other backwards; `read`
 * rejects at once while there is no connection.
 */
import type { Redis } from "ioredis";
import type { MirrorEntry, MirrorPort } from "../../actors/runtime/ports.js";
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import type { Log } from "../../lib/log.js";
import { type Random, systemRandom } from "../../lib/random.js";
import { isNewer } from "../mirror-version.js";

export interface RedisMirrorOptions {
  /** `redis://` or `rediss://`, with user, password and database when there are any. */
  readonly url: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random?: Random;
  /** Put before every key. Default `swift:mirror:`. */
  readonly keyPrefix?: string;
  /** Entries that wait for Redis; beyond it the ones that wait longest are dropped. Default 50,000. */
  readonly maxQueued?: number;
  /** How long a value waits for company before a batch leaves. Default 5 ms. */
  readonly batchDelayMs?: number;
}

/** There is no connection to Redis, it gave no answer in time, or too many reads are waiting for it already. */
export class MirrorUnavailable extends Error {
  override readonly name = "MirrorUnavailable";
}

export interface RedisMirror extends MirrorPort {
  /** Entries that wait to be written. */
  queued(): number;
  /** Entries dropped because the queue was full. */
  dropped(): number;
}

/** One script call writes this many: about a millisecond of Redis' only thread. */
const BATCH_ENTRIES = 256;
const MAX_READS = 2_048;
const COMMAND_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_MS = { first: 50, most: 2_000 };
const CLOSE_PATIENCE_MS = 500;

/**
 * A value is `epoch counter expiresAt json`. ARGV holds four per key: epoch, counter, the value, and the milliseconds it
 * has to live; none left means that the newer entry is that there is nothing.
 */
const WRITE_NEWER = `
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 4
  local epoch, counter = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local heldEpoch, heldCounter = string.match(redis.call('GETRANGE', key, 0, 63), '^(%d+) (%d+) ')
  heldEpoch, heldCounter = tonumber(heldEpoch), tonumber(heldCounter)
  if not heldEpoch or epoch > heldEpoch or (epoch == heldEpoch and counter > heldCounter) then
    if tonumber(ARGV[at + 4]) > 0 then
      redis.call('SET', key, ARGV[at + 3], 'PX', ARGV[at + 4])
    else
      redis.call('DEL', key)
    end
  end
end
return 0`;

interface Waiting {
  readonly version: readonly [number, number];
  readonly json: string;
  readonly expiresAt: number;
}

interface Scripted {
  writeNewer(keys: number, ...words: (string | number)[]): Promise<number>;
}

/** Connects at once and again by itself whenever the connection is lost. */
export function createRedisMirror(options: RedisMirrorOptions): RedisMirror {
  const { clock, maxQueued = 50_000, batchDelayMs = 5, keyPrefix = "swift:mirror:" } = options;
  const log = options.log.child({ part: "redis-mirror" });
  const random = options.random ?? systemRandom();
  const queue = new Map<string, Waiting>();
  let dropped = 0;
  let reads = 0;
  let scheduled: Cancel | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;
  let down = false;
  /** Null until its library is read. */
  let redis: Redis | null = null;

  async function connect(): Promise<void> {
    // Read by those who use it: every thread of a node imports this folder, and most nodes of a laptop have no Redis.
    const { Redis } = await import("ioredis");
    if (closed) return;
    redis = new Redis(options.url, {
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      // Never gives up; apart from each other, so that a cluster does not come back in one instant.
      retryStrategy: (times) =>
        closed
          ? null
          : Math.min(RECONNECT_MS.most, RECONNECT_MS.first * 2 ** Math.min(times, 10)) * (0.5 + random.next() / 2),
    });
    redis.defineCommand("writeNewer", { lua: WRITE_NEWER });
    redis.on("error", (error: Error) => {
      if (down || closed) return;
      down = true;
      log.warn({ error: error.message }, "Redis cannot be reached: polls are answered by the actors.");
    });
    redis.on("close", () => {
      if (down || closed) return;
      down = true;
      log.warn({}, "The connection to Redis was lost: polls are answered by the actors.");
    });
    redis.on("ready", () => {
      if (down) log.info({ waiting: queue.size }, "Redis is back.");
      down = false;
      schedule();
    });
  }

  const ready = (): Redis | null => (redis?.status === "ready" ? redis : null);

  function schedule(): void {
    if (scheduled !== undefined || closed || sending !== undefined || queue.size === 0 || ready() === null) return;
    scheduled = clock.after(batchDelayMs, () => {
      scheduled = undefined;
      pump();
    });
  }

  function pump(): void {
    const redis = ready();
    if (sending !== undefined || queue.size === 0 || redis === null) return;
    sending = sendBatch(redis).finally(() => {
      sending = undefined;
      // What came meanwhile has waited long enough.
      if (queue.size >= BATCH_ENTRIES) pump();
      else schedule();
    });
  }

  async function sendBatch(redis: Redis): Promise<void> {
    const batch: [string, Waiting][] = [];
    for (const entry of queue) {
      if (batch.length >= BATCH_ENTRIES) break;
      queue.delete(entry[0]);
      batch.push(entry);
    }
    const now = clock.now();
    const words = batch.flatMap(([, { version, json, expiresAt }]) => [
      version[0],
      version[1],
      `${version[0]} ${version[1]} ${expiresAt} ${json}`,
      Math.ceil(expiresAt - now),
    ]);
    try {
      await (redis as unknown as Scripted).writeNewer(batch.length, ...batch.map(([key]) => keyPrefix + key), ...words);
    } catch (error) {
      // Written twice is as good as once. What was queued meanwhile is newer; what has expired is nobody's.
      for (const [key, waiting] of batch) if (waiting.expiresAt > now && !queue.has(key)) put(key, waiting);
      if (redis.status === "ready") {
        log.warn({ error: (error as Error).message }, "Redis does not take a batch: connecting anew.");
        redis.disconnect(true);
      }
    }
  }

  function put(key: string, waiting: Waiting): void {
    queue.delete(key);
    queue.set(key, waiting);
    if (queue.size <= maxQueued) return;
    dropped++;
    queue.delete(queue.keys().next().value!);
  }

  void connect();
  return {
    write(entries) {
      if (closed) return;
      for (const { key, version, value, expiresAt } of entries) {
        const before = queue.get(key);
        if (before !== undefined && !isNewer(version, before.version)) continue;
        put(key, { version: [version[0], version[1]], json: JSON.stringify(value ?? null), expiresAt });
      }
      schedule();
    },
    async read(keys) {
      if (keys.length === 0) return [];
      const redis = ready();
      if (redis === null) throw new MirrorUnavailable("There is no connection to Redis.");
      if (reads >= MAX_READS) throw new MirrorUnavailable(`${MAX_READS} reads wait for Redis already.`);
      reads++;
      try {
        const values = await redis.mget(keys.map((key) => keyPrefix + key));
        const now = clock.now();
        return keys.map((key, index) => parseEntry(key, values[index] ?? null, now));
      } catch (error) {
        throw new MirrorUnavailable(`Redis does not answer: ${(error as Error).message}`, { cause: error });
      } finally {
        reads--;
      }
    },
    async close() {
      if (closed) return;
      // The last words of a node that drains, if Redis listens.
      const deadline = clock.monotonic() + CLOSE_PATIENCE_MS;
      while (queue.size > 0 && ready() !== null && clock.monotonic() < deadline) {
        pump();
        await sending;
      }
      closed = true;
      scheduled?.();
      queue.clear();
      redis?.disconnect();
    },
    queued: () => queue.size,
    dropped: () => dropped,
  };
}

function parseEntry(key: string, text: string | null, now: number): MirrorEntry | null {
  const parts = text === null ? null : /^(\d+) (\d+) (\S+) /.exec(text);
  if (text === null || parts === null) return null;
  const expiresAt = Number(parts[3]);
  if (!(expiresAt > now)) return null;
  const value = JSON.parse(text.slice(parts[0].length)) as Json;
  return { key, version: [Number(parts[1]), Number(parts[2])], value, expiresAt };
}
