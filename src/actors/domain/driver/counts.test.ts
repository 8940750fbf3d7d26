/** What a fix costs in things that can be counted, on any machine alike. */
import t from "tap";
import type { Fix } from "../../../protocol/mod.js";
import { at, createCity, must } from "../fixtures/city.js";

const FIXES = 20;
const EVERY_MS = 3_000;
/** The fix, its answer, and of every few fixes one message to the zone about who is there. */
const MOST_MESSAGES = 3;

t.test("R-BEN-1: a fix of a free driver is few messages, no commit and no call of the store", async (t) => {
  const city = createCity();
  await city.goOnline("d", at(0));
  await city.kit.advance(2_000);
  let messages = 0;
  city.kit.linkFault = () => {
    messages++;
    return null;
  };
  const { store } = city.kit;
  const before = { commits: store.committed.length, queries: store.calls };
  for (let seq = 1; seq <= FIXES; seq++) {
    const fix: Fix = [0, 4.65 + seq / 10_000, -74.08, 5, 5, 90];
    await must(city.drive("d", "gps", { bootId: "b", seq0: seq, baseTs: city.kit.now, fixes: [fix] }));
    await city.kit.advance(EVERY_MS);
  }
  t.ok(messages >= 2 * FIXES, "somebody counts");
  t.ok(messages / FIXES <= MOST_MESSAGES, `${messages / FIXES} messages a fix`);
  t.equal(store.committed.length, before.commits, "nothing is committed");
  // The zone looks after itself now and then, whether anybody moves or not.
  const queries = store.calls - before.queries;
  t.ok(queries <= FIXES / 2, `${queries} calls of the store in all that time, none for a fix`);
  await city.kit.close();
});
