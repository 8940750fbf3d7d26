/** A node that is not a member yet, and may never be one, lets nobody in, whichever of its threads could. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../config/mod.js";
import { freePort } from "../src/gateway/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { systemRandom } from "../src/lib/random.js";
import { startNode } from "../src/node/node.js";
import { createPostgresOwnershipStore, withPostgres } from "../src/store/contract/postgres.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();
const ID = "node-a";
/** Nobody listens there. */
const NOBODY = "127.0.0.1:1";
const SECRET = "a secret of these tests, long enough for anybody";

t.test(
  "R-CLU-1, R-OPS-3: a node whose id is taken is never ready, on none of its threads",
  { timeout: 110_000 },
  async (t) => {
    const { connectionString } = await withPostgres();
    const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-not-ready-"))), "postgres");
    t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
    const others = createPostgresOwnershipStore({ connectionString, clock });
    t.teardown(() => others.close());
    await others.join({ node: ID, incarnation: "another", workers: 1, url: "" }, 600_000);

    const port = await freePort("127.0.0.1", 0);
    const url = `http://127.0.0.1:${port}`;
    const config = loadConfig({
      argv: ["--port", String(port), "--data-dir", dataDir, "--search.enabled", "false"],
      env: {},
    });
    let ended = false;
    const starting = startNode({
      config: {
        ...config,
        node: { ...config.node, id: ID, shardWorkers: 1, gatewayThreads: 1, drainMs: 0 },
        store: { ...config.store, databaseUrl: connectionString },
        cluster: { ...config.cluster, natsUrl: `nats://${NOBODY}` },
        payment: { ...config.payment, url: `http://${NOBODY}` },
        auth: { ...config.auth, operatorSecret: SECRET, orderIdSecret: SECRET },
      },
      version: "test",
      clock,
      random: systemRandom(),
      log: silentLog,
      onFatal: (reason) => t.fail(reason),
    });
    starting
      .catch(() => undefined)
      .finally(() => {
        ended = true;
      });
    const answers: number[] = [];
    while (!ended) {
      await fetch(`${url}/readyz`).then(
        ({ status }) => answers.push(status),
        () => undefined,
      );
      await sleep(clock, 20);
    }
    await t.rejects(starting, { name: "NodeIdInUse" });
    t.same(answers, []);
  },
);
