/**
 * The mirror of a node: every gateway thread holds a copy of what the shard workers mirror, and Redis, where there is
 * one, holds it for the other nodes. Losing any of it loses nothing that matters.
 */
import {
  type EndpointId,
  type Link,
  type MirrorEntry,
  type MirrorPort,
  SHARD_COUNT,
  type ShardMap,
} from "../actors/runtime/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Json } from "../lib/json.js";
import { isFixKey, type MirroredFix } from "../services/tracking/mod.js";

/** Drivers whose last position somebody might be shown; beyond them it is forgotten who, which costs a message more each. */
const MOST_SHOWN = 100_000;

/**
 * A shard worker's mirror: to each gateway thread of this node, and on to `shared`. Most drivers carry nothing most of the
 * time, and where they are is nobody's to see: such positions go to `shared` alone.
 *
 * Gateways are told at once, not in batches: what an order's followers hear in the same turn is the same objects, and a
 * turn's messages are one structured clone, so the view crosses between the threads once.
 */
export function fanOutMirror(
  link: Pick<Link, "send">,
  gateways: readonly EndpointId[],
  shared: MirrorPort | null,
): MirrorPort {
  const shown = new Set<string>();
  function isForGateways(key: string, value: Json): boolean {
    if (!isFixKey(key)) return true;
    const { grants } = value as unknown as MirroredFix;
    for (const _orderId in grants) {
      if (shown.size >= MOST_SHOWN) shown.clear();
      shown.add(key);
      return true;
    }
    // The first without a grant takes the last one with a grant out of the copies.
    return shown.delete(key);
  }
  function tell(entry: MirrorEntry): void {
    for (const gateway of gateways) link.send(gateway, { t: "mirror", entry });
  }
  return {
    // With nobody else to write to, what gateways do not need is not even made: most positions of most drivers.
    ...(shared === null ? { wants: isForGateways } : {}),
    atOnce(entry) {
      if (shared === null || isForGateways(entry.key, entry.value)) tell(entry);
      return shared !== null;
    },
    write: (entries) => shared?.write(entries),
    read: (keys) => (shared === null ? Promise.resolve(keys.map(() => null)) : shared.read(keys)),
    close: async () => shared?.close(),
  };
}

export interface LocalMirrorCopy {
  /** Null where there is none or it has expired. */
  get(key: string): MirrorEntry | null;
  /** What was told last of this key, expired or not. Positions are not kept longer than they last. */
  told(key: string): MirrorEntry | null;
  put(entry: MirrorEntry): void;
  /** Told each entry whose key begins so, when it comes in and is newer than what was there. */
  listen(keyPrefix: string, handler: (entry: MirrorEntry) => void): Cancel;
  /** Forgets everything. */
  clear(): void;
  readonly size: number;
}

/**
 * What nothing was told of for as long as this is forgotten, at the latest after twice as long. Longer than a kitchen is
 * usually silent about an order: whoever polls after it is answered from the index. A node hears of hundreds of orders a
 * minute, of each for the better part of an hour, and what it keeps of one takes four kilobytes in every gateway thread.
 */
const KEPT_MS = 30 * 60_000;

/**
 * A gateway thread's copy. Bounded: when full, what was written longest ago goes first.
 *
 * Two generations: what is written goes to the younger one, and the older one is let go whole. Taking single entries out
 * at the front of one large map costs more the more of them were taken out before.
 */
export function createMirrorCopy(clock: Clock, maxEntries: number): LocalMirrorCopy {
  const mostYoung = Math.max(1, Math.floor(maxEntries / 2));
  let young = new Map<string, MirrorEntry>();
  let old = new Map<string, MirrorEntry>();
  let turnedAt = clock.monotonic();
  const listeners = new Set<{ readonly keyPrefix: string; readonly handler: (entry: MirrorEntry) => void }>();
  const find = (key: string): MirrorEntry | undefined => young.get(key) ?? old.get(key);
  const forget = (key: string): void => {
    young.delete(key);
    old.delete(key);
  };
  function turn(): void {
    const now = clock.monotonic();
    if (young.size < mostYoung && now - turnedAt < KEPT_MS) return;
    turnedAt = now;
    old = young;
    young = new Map();
  }
  return {
    get size() {
      return young.size + old.size;
    },
    get(key) {
      const entry = find(key);
      if (entry === undefined) return null;
      if (entry.expiresAt > clock.now()) return entry;
      if (isFixKey(key)) forget(key);
      return null;
    },
    told: (key) => find(key) ?? null,
    clear() {
      young.clear();
      old.clear();
    },
    listen(keyPrefix, handler) {
      const listener = { keyPrefix, handler };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put(entry) {
      const before = find(entry.key);
      if (before !== undefined && !isNewer(entry.version, before.version) && before.expiresAt > clock.now()) return;
      turn();
      old.delete(entry.key);
      young.set(entry.key, entry);
      for (const { keyPrefix, handler } of listeners) if (entry.key.startsWith(keyPrefix)) handler(entry);
    },
  };
}

function isNewer(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

/**
 * Empties the copy when a shard leaves this node: from then on its entries are refreshed elsewhere, and an old view must
 * not be shown after a newer one. Moves are rare and the copy refills from the shared mirror and the actors, so it is not
 * worth knowing which entries belong to which shard.
 */
export function forgetWhenShardsLeave(
  copy: LocalMirrorCopy,
  shardMap: ShardMap,
  isLocal: (endpoint: EndpointId) => boolean,
): void {
  const here = new Set<number>();
  const isHere = (shard: number): boolean => {
    const owner = shardMap.ownerOf(shard);
    return owner !== null && isLocal(owner);
  };
  for (let shard = 0; shard < SHARD_COUNT; shard++) if (isHere(shard)) here.add(shard);
  shardMap.onChange((shards) => {
    let left = false;
    for (const shard of shards) {
      if (isHere(shard)) here.add(shard);
      else left = here.delete(shard) || left;
    }
    if (left) copy.clear();
  });
}
