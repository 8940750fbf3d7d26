/** The worker thread of the mailbox scenario: the engine as a shard worker runs it, with a store that nothing reaches. */
import { createShardHost, joinMesh, SHARD_COUNT } from "../../src/actors/runtime/mod.js";
import { systemClock } from "../../src/lib/clock.js";
import { systemRandom } from "../../src/lib/random.js";
import { createMemoryActorStore } from "../../src/store/memory/mod.js";
import { Counter, Sprayer } from "./mailbox-actors.js";

const clock = systemClock();
const mesh = joinMesh({ clock });
const store = createMemoryActorStore({ clock });
await store.claimShards(
  "bench",
  Array.from({ length: SHARD_COUNT }, (_, shard) => shard),
);
const host = createShardHost({
  self: mesh.self,
  definitions: [Counter, Sprayer],
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
mesh.onStop(() => host.stop());
await host.start(Array.from({ length: SHARD_COUNT }, (_, shard) => shard));
mesh.ready();
