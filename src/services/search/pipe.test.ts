import t from "tap";
import { VirtualClock } from "../../actors/runtime/testkit/mod.js";
import { openWorld, search } from "./fixtures/world.js";
import { createSearchClient } from "./mod.js";

t.test("R-SRC-2: what nobody told of is found when everything is compared", async (t) => {
  const w = await openWorld();
  await w.put({ id: "stays" });
  await w.put({ id: "goes" });
  const engine = await w.engine({ feed: { changesMs: 1e9 } });
  t.equal((await search(engine)).total, 2);
  await w.remove("goes");
  await w.put({ id: "comes" });
  await w.put({ id: "stays", open: false });
  await engine.feed.reconcile();
  t.match(await search(engine), { total: 1, restaurants: [{ restaurantId: "comes" }] });
  t.match(engine.feed.stats(), { reconciled: 3 });
});

t.test("R-SRC-1: a question is answered once, in time or not at all, and few wait at once", async (t) => {
  const clock = new VirtualClock(0);
  let hear: (message: unknown) => void = () => {};
  const posted: { id: number }[] = [];
  const client = createSearchClient({
    pipe: {
      post: (message) => posted.push(message as { id: number }),
      hear: (handler) => {
        hear = handler;
      },
      close: () => {},
    },
    clock,
    settings: { timeoutMs: 100, maxWaiting: 3 },
  });
  const ask = () => client.ask("search", { lat: 1, lng: 1 });
  const [first, second, third] = [ask(), ask(), ask()];
  t.match(await ask(), { ok: false, code: "overloaded", retryAfterMs: Number });
  const answer = { ok: true, json: new Uint8Array([1]) } as const;
  hear({ t: "answer", id: posted[1]!.id, answer });
  hear({ t: "answer", id: posted[1]!.id, answer });
  hear({ t: "answer", id: 99, answer });
  t.strictSame(await second, answer);
  while (clock.step(100)) {}
  t.match(await first, { ok: false, code: "unavailable", retryAfterMs: Number });
  t.match(await third, { ok: false, code: "unavailable" });
  const fourth = ask();
  hear({ t: "up" });
  t.match(await fourth, { ok: false, code: "unavailable" }, "the other side has forgotten it");
  const fifth = client.measured();
  client.close();
  t.strictSame(await fifth, []);
});
