/**
 * The running node, killed for real. A made-up city lives on it through the public clients; what they received, the
 * database and the payment provider's ledger are judged by the simulator's checkers.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { OwnNode, planGenerated, reportText, run } from "../simulator/live/mod.js";
import { systemClock } from "../src/lib/clock.js";
import { seededRandom } from "../src/lib/random.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";
import { planMishaps, suffer, type Victim } from "./support/mishaps.js";

const clock = systemClock();
const SEED = 41;
const ORDERS = 32;
const TIMES_AS_FAST_AS_LIFE = 120;
const VICTIMS: readonly Victim[] = ["node", "database", "payment sandbox", "node"];

t.test(
  "R-ENG-3, R-ENG-5, R-OPS-1, rules 1, 2, 3, 5, 6, 7, 8, 10, 12, 13, 14, 15, 17: the node is killed twice in the rush hour, its database " +
    "and its payment provider once; no acknowledged order is lost, all end, no rule is broken",
  { timeout: 170_000 },
  async (t) => {
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-crash-"))), "postgres");
    const restarts: string[] = [];
    const own = new OwnNode({ dataDir, timeScale: TIMES_AS_FAST_AS_LIFE, onRestart: (how) => restarts.push(how) });
    const over = new AbortController();
    t.teardown(async () => {
      over.abort();
      await own.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const { url } = await own.start();

    // Every order has a line of the ledger to itself when it is authorised, so the last mishap comes while many are under way.
    const mishaps = planMishaps(seededRandom(SEED), VICTIMS, Math.floor(ORDERS * 0.6));
    const isReady = async (): Promise<boolean> => (await fetch(`${url}/readyz`).catch(() => null))?.ok === true;
    const suffering = suffer(mishaps, { dataDir, pid: () => own.pid, isReady }, clock, over.signal);
    const { report, violations } = await run(
      (timeScale) =>
        planGenerated({
          prefix: "k",
          timeScale,
          seed: SEED,
          count: ORDERS,
          perMinute: 360,
          drivers: 40,
          warmUpWallMs: 3_000,
        }),
      { url, dataDir, seed: SEED, processes: 1, out: { write: () => true } },
    );
    over.abort();
    const suffered = await suffering;

    t.comment(`seed ${SEED}`);
    for (const { victim, killed, replacedBy, ledgerLines, delayMs } of suffered) {
      t.comment(`${victim} ${killed} killed ${delayMs} ms after line ${ledgerLines}, replaced by ${replacedBy}`);
    }
    t.comment(reportText(report));
    t.strictSame(
      suffered.map(({ victim }) => victim),
      VICTIMS,
      "everything that was planned happened, and everything killed came back",
    );
    // 128 and the number of SIGKILL, as the guard in front of the node passes it on.
    t.strictSame(restarts, ["status 137", "status 137"], "the node died of nothing else");
    t.strictSame(violations, [], "no rule is broken");
    t.equal(report.databaseRead, true);
    t.equal(report.lost, 0, "every acknowledged order is in the database and has ended");
    t.equal(report.unanswered, 0, "every customer was told in the end");
    t.equal(report.placed + report.refused, ORDERS, "every order was acknowledged or refused, none both");
    t.ok(report.delivered > 0, "food arrives all the same");
  },
);
