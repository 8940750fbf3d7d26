import t from "tap";
import { VirtualClock } from "../../actors/runtime/testkit/mod.js";
import { batch, write } from "../../store/contract/batches.js";
import { createMemoryActorStore } from "../../store/memory/mod.js";
import { catalogOperations } from "./operations.js";

t.test("R-RST-1: who waits to be looked at is found, however many were suspended since", async (t) => {
  const store = createMemoryActorStore({ clock: new VirtualClock(1_000) });
  const epochs = await store.claimShards("test", [0]);
  const put = async (restaurantId: string, status: string, at: number): Promise<void> => {
    const view = { restaurantId, name: restaurantId, lat: 41, lng: 29, status, items: [] };
    const entry = { scope: "unlisted", owner: restaurantId, counterparty: "", status: "closed", live: false, at, view };
    const { failures } = await store.flush(batch(epochs, [write(restaurantId, { kind: "restaurant", index: entry })]));
    t.same(failures, []);
  };
  await put("new", "draft", 1);
  await put("newer", "draft", 2);
  for (let i = 0; i < 250; i++) await put(`gone-${i}`, "suspended", 3 + Math.floor(i / 2));
  const handlers = catalogOperations({
    client: null as never,
    index: store,
    addresses: { find: async () => [] },
    timeoutMs: 1_000,
  });
  type Asked = Parameters<(typeof handlers)["restaurants.unlisted"]>[0];
  const found = async (query: object): Promise<readonly string[]> => {
    const result = await handlers["restaurants.unlisted"]({ query } as unknown as Asked);
    if (!result.ok || !("value" in result)) throw new Error("no answer");
    return (result.value as { restaurants: readonly { restaurantId: string }[] }).restaurants.map(
      ({ restaurantId }) => restaurantId,
    );
  };
  t.same(await found({ status: "draft" }), ["newer", "new"]);
  t.same(await found({ status: "draft", limit: 1 }), ["newer"]);
  t.equal((await found({})).length, 50);
  t.equal(new Set(await found({ status: "suspended", limit: 200 })).size, 200);
});
