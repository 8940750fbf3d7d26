/** When each line of a storm breaks and comes back. Pure: one seed gives the same storm to every side. */
import { seededRandom } from "../../src/lib/random.js";

export interface Outage {
  /** Milliseconds since the storm began. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of one outage, around the plan's figure. */
const SHORTEST = 0.5;
const LONGEST = 1.5;

/**
 * The outages of line `index` that begin before `totalMs`: one in every `everyMs`, `awayMs` long on average (half as long
 * to half again as long), at a moment of the line's own choice, so that at any time about awayMs/everyMs of all lines are away.
 */
export function outagesOf(
  plan: { readonly everyMs: number; readonly awayMs: number; readonly seed: number },
  index: number,
  totalMs: number,
): readonly Outage[] {
  const random = seededRandom(plan.seed * 1_000_003 + index);
  const phaseMs = random.next() * plan.everyMs;
  const outages: Outage[] = [];
  for (let fromMs = phaseMs; fromMs < totalMs; fromMs += plan.everyMs) {
    const lengthMs = plan.awayMs * (SHORTEST + random.next() * (LONGEST - SHORTEST));
    outages.push({ fromMs, toMs: fromMs + Math.min(lengthMs, plan.everyMs * 0.9) });
  }
  return outages;
}
