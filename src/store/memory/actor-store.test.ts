import t from "tap";
import { sleep, systemClock } from "../../lib/clock.js";
import { actorStoreContract } from "../contract/actor-store.contract.js";
import { batch, loadOne, write } from "../contract/batches.js";
import { createMemoryActorStore } from "./mod.js";

const clock = systemClock();

t.test("the memory store keeps the store's contract", (t) =>
  actorStoreContract(t, async () => {
    const store = createMemoryActorStore({ clock });
    return { store, otherNode: store, audit: async () => store.audit() };
  }),
);

t.test("an answer comes after the given latency, and the write with it", async (t) => {
  const store = createMemoryActorStore({ clock, latencyMs: 20 });
  const epochs = await store.claimShards("a", [0]);
  let answered = false;
  const flushing = store.flush(batch(epochs, [write("o1")])).then(() => {
    answered = true;
  });
  await Promise.resolve();
  t.notOk(answered);
  await sleep(clock, 1);
  await flushing;
  t.equal((await loadOne(store, "o1")).snapshot?.seq, 1);
});
