/**
 * How many actor commits a second one connection takes: flushes of 64 actors (state of some 400 bytes, one remembered
 * command, one tell) on an embedded server of its own, durable as in production.
 *
 *   node dist/bench/micro/flush.js [flushes]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ActorWrite } from "../../src/actors/runtime/ports.js";
import { systemClock } from "../../src/lib/clock.js";
import { silentLog } from "../../src/lib/log.js";
import { encode } from "../../src/lib/msgpack.js";
import { createPostgresActorStore, migrate, startEmbeddedPostgres } from "../../src/store/postgres/mod.js";

const ACTORS = 20_000;
const BATCH = 64;
const SHARDS = 512;
const flushes = Number(process.argv[2] ?? 1_000);

const clock = systemClock();
const folder = await mkdtemp(path.join(tmpdir(), "swift-eats-bench-"));
const server = await startEmbeddedPostgres({ dataDir: folder, log: silentLog, clock });
await migrate(server.connectionString);
const store = createPostgresActorStore({ connectionString: server.connectionString, lanes: 1, clock });
const seqs = new Int32Array(ACTORS);
const offsets = new Int32Array(ACTORS);
const outcome = encode({ ok: true, reply: { orderId: "018f3c2a-0000-7000-8000-000000000000", version: 3 } });
const input = encode({ orderId: "018f3c2a-0000-7000-8000-000000000000", driverId: "driver-9" });
const padding = "x".repeat(280);
let commands = 0;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const measure = async (name: string, count: number, unit: string, run: () => Promise<unknown>): Promise<void> => {
  const began = clock.monotonic();
  const cpu = process.cpuUsage();
  await run();
  const ms = clock.monotonic() - began;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMicros = ((user + system) / count).toFixed(1);
  say(
    `${name}: ${Math.round((count / ms) * 1_000)} ${unit}/s, ${ms.toFixed(0)} ms in all, ${cpuMicros} µs of this process each`,
  );
};

function fullWriteOf(actor: number): ActorWrite {
  const write = writeOf(actor);
  const at = clock.now();
  const index = { scope: `zone-${actor % 50}`, owner: `customer-${actor}`, counterparty: `restaurant-${actor % 500}` };
  return {
    ...write,
    timersSet: [{ name: "pickup-late", at: at + 900_000, run: "escalate", input }],
    events: [{ offset: ++offsets[actor]!, type: "order.assigned", at, body: input }],
    pushes: [{ channel: "inbox", offset: offsets[actor]!, type: "assigned", at, body: input }],
    index: { ...index, status: "assigned", live: true, at: actor, view: { total: 1299, status: "assigned", padding } },
  };
}

function writeOf(actor: number): ActorWrite {
  const expectedSeq = seqs[actor]!;
  const seq = ++seqs[actor]!;
  return {
    kind: "order",
    key: `018f3c2a-0000-7000-8000-${String(actor).padStart(12, "0")}`,
    shard: (actor * 7) % SHARDS,
    expectedSeq,
    seq,
    version: 1,
    state: encode({ status: "assigned", driverId: `driver-${actor}`, seq, items: [{ id: "dish-1", n: 2 }], padding }),
    commands: [{ id: `command-${(++commands).toString(16).padStart(24, "0")}`, bodyHash: "0123456789abcdef", outcome }],
    tells: [{ number: seq, to: { kind: "driver", key: `driver-${actor % 5_000}` }, name: "tripConfirmed", input }],
    timersSet: [],
    timersCancelled: [],
    events: [],
    pushes: [],
    trims: [],
    claims: [],
    releases: [],
  };
}

await measure(`claiming ${SHARDS} shards`, SHARDS, "shards", () =>
  store.claimShards(
    "bench",
    Array.from({ length: SHARDS }, (_, i) => i),
  ),
);
const epochs = await store.claimShards(
  "bench",
  Array.from({ length: SHARDS }, (_, i) => i),
);
let next = 0;
const flush = async (count: number, make = writeOf): Promise<void> => {
  for (let i = 0; i < count; i++) {
    const actors = Array.from({ length: BATCH }, () => make(next++ % ACTORS));
    const shards = [...new Set(actors.map(({ shard }) => shard))].sort((a, b) => a - b);
    const fences = shards.map((shard) => ({ shard, epoch: epochs.get(shard)! }));
    const result = await store.flush({ flushId: `flush-${next}`, at: clock.now(), fences, actors, delivered: [] });
    if (result.failures.length + result.staleShards.length > 0) throw new Error(JSON.stringify(result));
  }
};
await flush(50);
for (let round = 1; round <= 3; round++)
  await measure(`round ${round}`, flushes * BATCH, "actor commits", () => flush(flushes));
await measure("with a timer, an event, a push and an index row each", flushes * BATCH, "actor commits", () =>
  flush(flushes, fullWriteOf),
);
const addresses = Array.from({ length: BATCH }, (_, i) => ({ kind: "order", key: writeOf(i).key, shard: 0 }));
await measure(`loading ${BATCH} actors, 20 times`, BATCH * 20, "actors", async () => {
  for (let i = 0; i < 20; i++) await store.load(addresses, 256);
});
await store.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
