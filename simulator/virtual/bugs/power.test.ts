/**
 * The proof of power: products that are each broken in one place, and the rule that finds it, from the seed on that is
 * said beside the bug. The search from seed 1 on is `npm run simulate -- --planted`.
 */
import t from "tap";
import { BUGS, type Bug, powerText, provePower } from "./mod.js";

/** Worlds without a focus, and with so low a seed, are the same that `simulate.test.ts` judges with a sound product. */
const JUDGED_SEEDS = 40;
const isJudged = ({ focus = [], shownFrom, shownWithin }: Bug): boolean =>
  focus.length === 0 && shownFrom + shownWithin <= JUDGED_SEEDS;

/** One for each rule that is the first to find something: `--planted` looks for the others, too. */
const CHOSEN = BUGS.filter((bug) => BUGS.find(({ by }) => by[0] === bug.by[0]) === bug);

t.test("R-SIM-2: every planted bug is found by a rule, in few seeds", { timeout: 900_000 }, async (t) => {
  t.ok(CHOSEN.length >= 20, `${CHOSEN.length} of ${BUGS.length} bugs`);
  const power = await provePower({
    bugs: CHOSEN,
    control: (bug) => !isJudged(bug),
    // Other tests run beside this one.
    processes: 1,
  });
  t.comment(powerText(power));
  for (const { bug, rule, seeds, others, sound } of power.bugs) {
    t.ok(rule !== null, `${bug}: ${rule ?? `not found in ${seeds} seeds, only ${others.join(", ") || "nothing"}`}`);
    if (sound !== null) t.same(sound, [], "and nothing in the same world without it");
  }
  t.equal(power.found, CHOSEN.length);
});
