/** The proof of power: products that are each broken in one place, and the rule that finds it. Each in a process of its own. */
import { availableParallelism } from "node:os";
import t from "tap";
import { BUGS, powerText, provePower } from "./mod.js";

t.test("R-SIM-2: every planted bug is found by a rule, in few seeds", { timeout: 900_000 }, async (t) => {
  t.ok(BUGS.length >= 20, `${BUGS.length} bugs`);
  const power = await provePower({ processes: Math.min(2, availableParallelism()) });
  t.comment(powerText(power));
  for (const { bug, rule, seeds, others } of power.bugs) {
    t.ok(rule !== null, `${bug}: ${rule ?? `not found in ${seeds} seeds, only ${others.join(", ") || "nothing"}`}`);
  }
  t.equal(power.found, BUGS.length);
});
