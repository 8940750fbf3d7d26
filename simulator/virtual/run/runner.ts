/** One seed with the project's judge, whatever happens: a seed that breaks off is an outcome, too. */

import { noFaults } from "../faults/faults.js";
import { judgeVirtual } from "../judge/mod.js";
import { type SeedSummary, type SeedTask, summaryOf } from "./messages.js";
import { runSeed } from "./seed.js";

export async function runTask({ seed, twice }: SeedTask): Promise<SeedSummary> {
  try {
    const result = await runSeed({ seed, judge: judgeVirtual });
    const second = twice ? await runSeed({ seed, judge: () => [] }) : null;
    return summaryOf(result, second?.hash ?? null);
  } catch (error) {
    const broke = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const nothing = { hash: "", steps: 0, virtualMs: 0, faults: noFaults(), violations: [], secondHash: null };
    return { seed, ...nothing, broke };
  }
}
