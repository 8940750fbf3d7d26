/**
 * Judges a seed: the rules of real runs on everything that virtual time lets us see, and the rules that need it. Every
 * violation comes with the shortest story that an engineer can follow at three in the morning.
 *
 * Owns: which rules apply to a seed, and the stories. Does not own the rules of real runs (`simulator/checkers`) nor how
 * anything came about. Pure: the same evidence gives the same judgement.
 */
import { judge as judgeByRules, type Violation } from "../../checkers/mod.js";
import type { Judge } from "../ports.js";
import { completed } from "./completed.js";
import { saidAfterOwning, saidBeforeCommit } from "./gate.js";
import { comesToRest } from "./liveness.js";
import { messagesOnceInOrder } from "./messages.js";
import { lateOffers } from "./offers.js";
import { createNarrator } from "./story.js";
import { lostTimers, waitsWithoutTimer } from "./timers.js";

export { repeatCommand } from "./story.js";

/** More of one rule say nothing new about a seed. */
const MOST_PER_RULE = 4;

export const judgeVirtual: Judge = (found) => {
  const violations = [
    ...judgeByRules(completed(found)),
    ...saidBeforeCommit(found),
    ...saidAfterOwning(found),
    ...lateOffers(found),
    ...messagesOnceInOrder(found),
    ...lostTimers(found),
    ...waitsWithoutTimer(found),
    ...comesToRest(found),
  ];
  const narrate = createNarrator(found);
  const told = new Map<string, number>();
  const kept: Violation[] = [];
  for (const violation of violations) {
    const count = (told.get(violation.rule) ?? 0) + 1;
    told.set(violation.rule, count);
    if (count <= MOST_PER_RULE) kept.push({ ...violation, story: narrate(violation) });
  }
  return kept;
};
