/** A node under load opens no more connections than it has said to its own database, however many threads it has. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../config/mod.js";
import { NodeControl } from "../simulator/live/mod.js";
import { systemClock } from "../src/lib/clock.js";
import { recordingLog, silentLog } from "../src/lib/log.js";
import { systemRandom } from "../src/lib/random.js";
import { connectionsOf, totalOf } from "../src/node/connections.js";
import { startNode } from "../src/node/node.js";
import { planThreads } from "../src/node/plan.js";
import { openTruth } from "../src/node/store-process.js";
import { openSession, withPostgres } from "../src/store/contract/postgres.js";
import { withEmptyData } from "../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();
const newDirectory = (): string =>
  withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-connections-"))), "postgres");
const configOf = (dataDir: string) => loadConfig({ argv: ["--port", "0", "--data-dir", dataDir], env: {} });
const ASKS = 210;

t.test("R-OPS-1: the embedded database has room for the node of a large machine", async (t) => {
  const dataDir = newDirectory();
  const config = configOf(dataDir);
  const connections = totalOf(connectionsOf(config, planThreads(config, 16)));
  const truth = await openTruth(config, connections, clock, silentLog, (reason) => t.fail(reason.message));
  t.teardown(async () => {
    await truth.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const opened = await Promise.allSettled(
    Array.from({ length: connections }, () => openSession(t, truth.connectionString)),
  );
  t.same(
    opened.filter(({ status }) => status === "rejected"),
    [],
  );
});

t.test("R-OPS-2: a server that has room for fewer is told of at the start", async (t) => {
  const { connectionString } = await withPostgres();
  const config = configOf(newDirectory());
  const log = recordingLog();
  for (const [connections, warnings] of [
    [10, []],
    [100_000, [{ needed: 100_000, nodes: 1 }]],
  ] as const) {
    const own = { ...config, store: { ...config.store, databaseUrl: connectionString } };
    const truth = await openTruth(own, connections, clock, log, (reason) => t.fail(reason.message));
    await truth.stop();
    t.match(
      log.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields),
      warnings,
    );
  }
  rmSync(config.node.dataDir, { recursive: true, force: true });
});

t.test("R-OPS-5: what a node says of its connections is what it opens at most", { timeout: 110_000 }, async (t) => {
  const dataDir = newDirectory();
  const config = configOf(dataDir);
  const threads = { shardWorkers: 1, gatewayThreads: 1 };
  const node = await startNode({
    config: { ...config, node: { ...config.node, ...threads, drainMs: 0 } },
    version: "test",
    clock,
    random: systemRandom(),
    log: silentLog,
    onFatal: (reason) => t.fail(reason),
  });
  t.teardown(async () => {
    await node.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const control = new NodeControl({ url: node.url, operatorSecret: node.secrets.operatorSecret, clock });
  const tokens = await control.tokens([
    { id: "boss", role: "admin" },
    { id: "carol", role: "customer" },
  ]);
  // Each on a connection of its own, so that they fall on all threads.
  const asked = ([path, who]: readonly [string, string]): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${tokens.get(who)}` };
      get(node.url + path, { agent: false, headers }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
      }).on("error", reject);
    });
  const questions = [
    ["/v1/orders", "carol"],
    ["/v1/payment-methods", "carol"],
    ["/v1/restaurants/osteria/reviews", "carol"],
    ["/v1/ledger/reconciliation", "boss"],
    ["/v1/notifications?state=dead", "boss"],
    ["/v1/support/queue", "boss"],
    ["/v1/audit", "boss"],
  ] as const;
  const answers = await Promise.all(Array.from({ length: ASKS }, (_, n) => asked(questions[n % questions.length]!)));
  t.notOk(answers.includes(503));
  const client = await openSession(t, node.connectionString);
  const { rows } = await client.query<{ name: string; open: number }>(
    `SELECT regexp_replace(application_name, '^swift-eats ([a-z]+).*', '\\1') AS name, count(*)::int AS open
       FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1`,
  );
  const most = connectionsOf(config, threads);
  const beyond = rows.filter(({ name, open }) => open > (most[name === "node" ? "membership" : name] ?? 0));
  t.same(beyond, [], JSON.stringify(rows));
});
