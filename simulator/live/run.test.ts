import t from "tap";
import { planGenerated } from "./replay/generated-plan.js";
import { isGood, reportText } from "./report.js";
import { run } from "./run.js";

t.test(
  "R-SIM-1: a city of clients lives on a real node; nothing is lost and no rule is broken",
  { timeout: 170_000 },
  async (t) => {
    let said = "";
    const { report, violations } = await run(
      (timeScale) =>
        planGenerated({ prefix: "t", timeScale, seed: 3, count: 8, perMinute: 240, drivers: 24, warmUpWallMs: 4_000 }),
      { speed: 120, seed: 3, processes: 2, out: { write: (text: string) => (said += text) } },
    );
    t.comment(reportText(report));
    t.strictSame(violations, []);
    t.equal(report.placed + report.refused, 8, "every order was answered, once");
    t.ok(report.delivered > 0, "food arrives");
    t.equal(report.lost, 0);
    t.equal(report.databaseRead, true);
    t.ok(report.latencyMs.gpsToCustomer.count > 0, "customers see their driver");
    t.equal(isGood(report), true);
    t.match(said, /8 orders, 30 restaurants, 24 drivers/);
  },
);
