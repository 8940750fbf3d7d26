import t from "tap";
import { VirtualClock } from "../../actors/runtime/testkit/mod.js";
import type { IndexReader } from "../../services/catalog/mod.js";
import { createDatabaseWatch } from "./database-watch.js";

t.test("R-CLU-5: whether the database answers is asked once for all, and never waited for long", async (t) => {
  const clock = new VirtualClock(1_700_000_000_000);
  const asked: { resolve: (rows: readonly []) => void; reject: (error: Error) => void }[] = [];
  const index: IndexReader = {
    queryIndex: () => new Promise((resolve, reject) => asked.push({ resolve: resolve as () => void, reject })),
  };
  const state = createDatabaseWatch({ index, clock });
  const both = [state(), state()];
  t.equal(asked.length, 1);
  asked[0]!.resolve([]);
  t.same(await Promise.all(both), ["answers", "answers"]);
  clock.moveTo(clock.now() + 999);
  t.equal(await state(), "answers");
  t.equal(asked.length, 1, "what was said a moment ago still counts");

  clock.moveTo(clock.now() + 1);
  const refused = state();
  asked[1]!.reject(new Error("nobody listens"));
  t.equal(await refused, "away");

  clock.moveTo(clock.now() + 1_000);
  const silent = state();
  while (clock.step(clock.now() + 1_000)) {}
  t.equal(await silent, "away", "no answer within a second is none");
  asked[2]!.reject(new Error("and what comes of it later matters to nobody"));
});
