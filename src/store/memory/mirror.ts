/**
 * The mirror's twin in memory: serves a lone node and the tests. Holds at most `maxEntries`; when full, expired entries
 * go first, then those written longest ago. Losing an entry loses nothing that matters: a reader asks the actor.
 */
import type { MirrorEntry, MirrorPort } from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import { isNewer } from "../mirror-version.js";

/** The default bound: some 100,000 drivers and as many orders under way. */
const DEFAULT_MAX_ENTRIES = 200_000;

interface Held {
  readonly version: readonly [number, number];
  /** JSON text, so that no reference leaks and a reader gets what Redis would give. */
  readonly text: string;
  readonly expiresAt: number;
}

export interface MemoryMirror extends MirrorPort {
  /** Entries held now, expired ones included. */
  size(): number;
}

/** Expiry is judged by `clock.now()` (wall clock, as `expiresAt` is). */
export function createMemoryMirror(options: { clock: Clock; maxEntries?: number }): MemoryMirror {
  const maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new RangeError(`maxEntries must be a whole number from 1, not ${maxEntries}`);
  }
  /** In the order of writing: the first is the one written longest ago. */
  const held = new Map<string, Held>();

  function makeRoom(): void {
    if (held.size <= maxEntries) return;
    const now = options.clock.now();
    for (const [key, { expiresAt }] of held) if (expiresAt <= now) held.delete(key);
    // An eighth at once, so that a full mirror does not sweep for every entry.
    if (held.size > maxEntries) {
      let excess = held.size - Math.floor((maxEntries * 7) / 8);
      for (const key of held.keys()) {
        if (excess-- <= 0) break;
        held.delete(key);
      }
    }
  }

  return {
    write(entries) {
      const now = options.clock.now();
      for (const { key, version, value, expiresAt } of entries) {
        const before = held.get(key);
        if (before !== undefined && before.expiresAt > now && !isNewer(version, before.version)) continue;
        held.delete(key);
        if (expiresAt <= now) continue;
        held.set(key, { version: [version[0], version[1]], text: JSON.stringify(value ?? null), expiresAt });
        makeRoom();
      }
    },
    async read(keys) {
      const now = options.clock.now();
      return keys.map((key): MirrorEntry | null => {
        const entry = held.get(key);
        if (entry === undefined || entry.expiresAt <= now) return null;
        return { key, version: entry.version, value: JSON.parse(entry.text), expiresAt: entry.expiresAt };
      });
    },
    async close() {
      held.clear();
    },
    size: () => held.size,
  };
}
