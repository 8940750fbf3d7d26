/** One seed with the project's judge, whatever happens: a seed that breaks off is an outcome, too. */

import { noFaults } from "../faults/faults.js";
import { judgeVirtual } from "../judge/mod.js";
import { type SeedSummary, type SeedTask, summaryOf } from "./messages.js";
import { runSeed } from "./seed.js";

/** Stories cost much and few are read: a seed that fails is run again, the same way, to hear them. */
export async function runTask({ seed, twice, stories = true, convergeMs, focus = [] }: SeedTask): Promise<SeedSummary> {
  try {
    const options = { seed, focus, ...(convergeMs === undefined ? {} : { convergeMs }) };
    const first = await runSeed({ ...options, judge: judgeVirtual, stories: false });
    const failed = first.violations.length > 0;
    const told = failed && stories ? await runSeed({ ...options, judge: judgeVirtual }) : null;
    const second = told ?? (twice ? await runSeed({ ...options, judge: () => [], stories: false }) : null);
    const violations = told !== null && told.violations.length > 0 ? told.violations : first.violations;
    return summaryOf({ ...first, violations }, second?.hash ?? null);
  } catch (error) {
    const broke = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const nothing = { hash: "", steps: 0, virtualMs: 0, faults: noFaults(), violations: [], secondHash: null };
    return { seed, ...nothing, broke };
  }
}
