import t from "tap";
import { VirtualClock } from "../../actors/runtime/testkit/mod.js";
import { systemClock } from "../../lib/clock.js";
import { ownershipContract } from "../contract/ownership.contract.js";
import { createMemoryActorStore, createMemoryOwnership } from "./mod.js";

t.test("the memory twin keeps the ownership store's contract", (t) =>
  ownershipContract(t, async () => {
    const clock = systemClock();
    const shards = new Map<number, { epoch: number; node: string }>();
    const ownership = createMemoryOwnership({ clock, shards, patienceMs: 200 });
    return {
      store: () => ownership.store(),
      actors: createMemoryActorStore({ clock, shards }),
      endSession: async (node) => ownership.endSession(node),
      expireLease: async (node) => ownership.expireLease(node),
      renewedInEarlierRun: async () => ownership.countRun(),
      async beLone() {
        if (!ownership.setLone(true)) throw new Error("a cluster works on the database");
        return async () => void ownership.setLone(false);
      },
    };
  }),
);

t.test("R-CLU-2: a lease ends by the database's clock", async (t) => {
  const clock = new VirtualClock(1_000_000);
  const ownership = createMemoryOwnership({ clock });
  const join = (node: string) => ownership.store().join({ node, incarnation: "1", workers: 1, url: "" }, 10_000);
  const [a, b] = [await join("a"), await join("b")];
  await a.take([{ shard: 0, expectedEpoch: 0 }], { ifSessionGone: false });
  const take = () => b.take([{ shard: 0, expectedEpoch: 1 }], { ifSessionGone: false });
  clock.moveTo(1_009_999);
  await b.renew(10_000, "active");
  t.equal((await take()).size, 0);
  clock.moveTo(1_010_000);
  t.equal((await take()).size, 1);
});
