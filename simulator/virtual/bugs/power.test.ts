/**
 * The proof of power: products that are each broken in one place, and the rule that finds it, from the seed on that is
 * said beside the bug. The search from seed 1 on is `npm run simulate -- --planted`.
 */
import { availableParallelism } from "node:os";
import t from "tap";
import { BUGS, powerText, provePower } from "./mod.js";

t.test("R-SIM-2: every planted bug is found by a rule, in few seeds", { timeout: 900_000 }, async (t) => {
  t.ok(BUGS.length >= 20, `${BUGS.length} bugs`);
  const power = await provePower({ control: true, processes: Math.min(2, availableParallelism()) });
  t.comment(powerText(power));
  for (const { bug, rule, seeds, others, sound } of power.bugs) {
    t.ok(rule !== null, `${bug}: ${rule ?? `not found in ${seeds} seeds, only ${others.join(", ") || "nothing"}`}`);
    if (rule !== null) t.same(sound, [], `and nothing in the same world without it`);
  }
  t.equal(power.found, BUGS.length);
});
