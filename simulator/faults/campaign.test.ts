/**
 * A short campaign: every kind of fault at least once, by a schedule whose seed is printed. Nothing is timed here; what
 * counts is what was seen, committed and paid. `npm run faults` runs long ones.
 */
import t from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { violationText } from "../checkers/mod.js";
import { runCampaign } from "./campaign.js";
import { figuresText } from "./figures.js";
import type { FaultKind } from "./kinds.js";

const SEED = 11;
const KINDS: readonly FaultKind[] = [
  "kill-node",
  "pause-node",
  "kill-postgres",
  "kill-nats",
  "kill-redis",
  "cut-postgres",
  "cut-all",
  "slow-link",
  "roll-nodes",
];

t.test(
  "R-CLU-1, R-CLU-2, R-CLU-3, R-CLU-4, R-CLU-5, rules 1 to 8, 10 to 15, 17: three nodes under load are killed, paused, cut off and " +
    "rolled, their servers killed; nothing acknowledged is lost, no rule is broken",
  { timeout: 175_000 },
  async (t) => {
    const figures = await runCampaign({
      seed: SEED,
      nodes: 3,
      forMs: 600_000,
      most: KINDS.length,
      only: KINDS,
      hasty: true,
      leaseMs: 3_000,
      speed: 240,
      perMinute: 90,
      drivers: 30,
      processes: 1,
      clock: systemClock(),
      say: (line) => t.comment(line),
    });
    t.comment(figuresText(figures));
    if (figures.violations.length > 0) t.comment(violationText(figures.violations));
    t.strictSame(figures.violations, []);
    t.equal(
      Object.values(figures.faults).reduce((sum, count) => sum + count, 0),
      KINDS.length,
      "every fault of the schedule happened",
    );
    t.ok((figures.orders.delivered ?? 0) > 0, "food arrives all the same");
    t.ok(figures.events.committed > 0, "there were events to judge");
    t.strictSame(
      figures.drains.map(({ status }) => status),
      [0, 0, 0],
      "every node that was told to end drained",
    );
  },
);
