/** Short ways to write batches, for the contract suites and for tests of anything that stands on a store. */
import type { ActorStore, ActorWrite, FlushBatch } from "../../actors/runtime/ports.js";
import { encode } from "../../lib/msgpack.js";

/** Bytes that are MessagePack, so that an auditor can read them. */
export const bytes = (value: unknown): Uint8Array => encode(value);

/** A write of a new actor `order/<key>` on shard 0 that changes its state and nothing else; `changes` say the rest. */
export function write(key: string, changes: Partial<ActorWrite> = {}): ActorWrite {
  return {
    kind: "order",
    key,
    shard: 0,
    expectedSeq: 0,
    seq: (changes.expectedSeq ?? 0) + 1,
    version: 1,
    state: bytes({ key }),
    commands: [],
    tells: [],
    timersSet: [],
    timersCancelled: [],
    events: [],
    pushes: [],
    trims: [],
    claims: [],
    releases: [],
    ...changes,
  };
}

/** A write that puts a row into every table there is. `mark` makes its names its own. */
export function fullWrite(key: string, mark: string, changes: Partial<ActorWrite> = {}): ActorWrite {
  const seq = (changes.expectedSeq ?? 0) + 1;
  return write(key, {
    cold: bytes({ cold: mark }),
    commands: [{ id: `command-${mark}`, bodyHash: `hash-${mark}`, outcome: bytes({ reply: mark }) }],
    tells: [{ number: seq, to: { kind: "driver", key: `driver-${mark}` }, name: "offer", input: bytes({ mark }) }],
    timersSet: [{ name: `timer-${mark}`, at: 1_000 + seq, run: "escalate", input: bytes({ mark }) }],
    events: [{ offset: seq, type: "order.changed", at: 10, body: bytes({ mark }) }],
    pushes: [{ channel: "inbox", offset: seq, type: "placed", at: 10, body: bytes({ mark }) }],
    claims: [{ claim: "trip", value: `driver-${mark}` }],
    index: indexEntry({ owner: `customer-${mark}` }),
    ...changes,
  });
}

export const indexEntry = (
  changes: Partial<NonNullable<ActorWrite["index"]>> = {},
): NonNullable<ActorWrite["index"]> => ({
  scope: "zone-1",
  owner: "customer-1",
  counterparty: "restaurant-1",
  status: "placed",
  live: true,
  at: 100,
  view: { total: 1299 },
  ...changes,
});

let flushes = 0;

/** A batch under the given epochs, at time 1,000 unless `changes` say otherwise. */
export function batch(
  epochs: ReadonlyMap<number, number>,
  actors: readonly ActorWrite[],
  changes: Partial<FlushBatch> = {},
): FlushBatch {
  return {
    flushId: `flush-${++flushes}`,
    at: 1_000,
    fences: [...epochs].sort((a, b) => a[0] - b[0]).map(([shard, epoch]) => ({ shard, epoch })),
    actors,
    delivered: [],
    ...changes,
  };
}

export const CLEAN = { staleShards: [], failures: [] };

/** Loads one actor. */
export async function loadOne(store: ActorStore, key: string, shard = 0, keepEvents = 100, kind = "order") {
  return (await store.load([{ kind, key, shard }], keepEvents))[0]!;
}
