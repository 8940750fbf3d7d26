/** The worker thread of the engine alone, as a node runs it. */
import { createShardHost, joinMesh, SHARD_COUNT } from "../../src/actors/runtime/mod.js";
import { systemClock } from "../../src/lib/clock.js";
import { systemRandom } from "../../src/lib/random.js";
import { createMemoryActorStore } from "../../src/store/memory/mod.js";
import { createPostgresActorStore } from "../../src/store/postgres/mod.js";
import { type EngineData, FIRST_EPOCH } from "./engine.js";
import { Account, Counter, Sprayer } from "./engine-actors.js";

const clock = systemClock();
const mesh = joinMesh({ clock });
const { connectionString } = mesh.data as EngineData;
const store =
  connectionString === null
    ? createMemoryActorStore({ clock })
    : createPostgresActorStore({ connectionString, lanes: 1, clock });
const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const epochs = await store.claimShards("bench", shards);
if ([...epochs.values()].some((epoch) => epoch !== FIRST_EPOCH)) throw new Error("The store was used before.");
const host = createShardHost({
  self: mesh.self,
  definitions: [Account, Counter, Sprayer],
  store,
  mirror: { write: () => undefined, read: async (keys) => keys.map(() => null), close: async () => undefined },
  effects: {},
  link: mesh.link,
  ownership: mesh.ownership,
  shardMap: mesh.shardMap,
  clock,
  random: systemRandom(),
  log: { warn: () => undefined, error: () => undefined },
  settings: { maxActors: 2_000_000 },
});
mesh.onStop(async () => {
  await host.stop();
  if ("close" in store) await store.close();
});
await host.start(shards);
mesh.ready();
