/**
 * The proof of power: products that are each broken in one place, and the rule that finds it. Each in a process of its own;
 * the bugs that many seeds are needed for are left to `npm run simulate -- --planted`.
 */
import { availableParallelism } from "node:os";
import t from "tap";
import { BUGS, powerText, provePower } from "./mod.js";

/** With more, this test would take longer than it is worth at every change. */
const FEW_SEEDS = 8;

t.test("R-SIM-2: every planted bug is found by a rule, in few seeds", { timeout: 900_000 }, async (t) => {
  const bugs = BUGS.filter(({ within }) => within <= FEW_SEEDS);
  t.ok(bugs.length >= 20, `${bugs.length} bugs`);
  const power = await provePower({ bugs, processes: Math.min(2, availableParallelism()) });
  t.comment(powerText(power));
  for (const { bug, rule, seeds, others } of power.bugs) {
    t.ok(rule !== null, `${bug}: ${rule ?? `not found in ${seeds} seeds, only ${others.join(", ") || "nothing"}`}`);
  }
  t.equal(power.found, bugs.length);
});
