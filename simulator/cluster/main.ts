/** `npm run cluster`: nodes, their servers, a made-up city and a map on this machine, until Ctrl-C. */
import { fork } from "node:child_process";
import { Command, InvalidArgumentError } from "commander";
import { processEnvironment } from "../../config/mod.js";
import { systemClock } from "../../src/lib/clock.js";
import { DEMO_SCRIPT, NodeControl } from "../live/mod.js";
import { startLocalCluster } from "./cluster.js";
import { hasPages, startPage } from "./page.js";
import { statusOf } from "./status.js";
import { CannotStartCluster, type LocalCluster } from "./types.js";

interface Options {
  readonly nodes: number;
  readonly port: number;
  readonly pagePort: number;
  readonly dataDir?: string;
  readonly speed: number;
  readonly leaseMs?: number;
  readonly city: boolean;
}

const STATUS_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 500;
const clock = systemClock();

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) throw new InvalidArgumentError(`Give a number of at least ${least}.`);
    return value;
  };
}

const options = new Command("cluster")
  .description("Runs a cluster on this machine: real nodes, PostgreSQL, NATS, Redis, a payment sandbox and a city.")
  .option("--nodes <count>", "how many", atLeast(1), 3)
  .option("--port <port>", "of the first node; the others get the next ones", atLeast(1), 8080)
  .option("--page-port <port>", "of the map; 0: any", atLeast(0), 8070)
  .option("--data-dir <dir>", "kept and used again; without it nothing is kept")
  .option("--speed <factor>", "how many times as fast as life a day passes", atLeast(0.1), 20)
  .option("--lease-ms <ms>", "how long a node that cannot reach the database keeps its shards", atLeast(1000))
  .option("--no-city", "nobody lives in it")
  .parse()
  .opts<Options>();

const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** In reverse order; each at most once. */
const undo: (() => unknown)[] = [];
let ending: Promise<void> | null = null;

function end(status: number): Promise<void> {
  ending ??= (async () => {
    say("\nEnding: the nodes finish what they have begun …");
    for (const step of undo.reverse()) {
      try {
        await step();
      } catch (error) {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
    say("Ended.");
    process.exit(status);
  })();
  return ending;
}

async function main(): Promise<void> {
  const page = hasPages() ? await startPage(options.pagePort).catch(portTaken) : null;
  if (page !== null) undo.push(() => page.close());
  const cluster = await startLocalCluster({
    nodes: options.nodes,
    port: options.port,
    proxies: false,
    timeScale: options.speed,
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    ...(page === null ? {} : { environment: { SWIFT_EATS_GATEWAY_CORS_ORIGINS: page.origins.join(",") } }),
    onProgress: say,
  });
  undo.push(() => cluster.stop());
  const { operatorSecret } = cluster;
  page?.open(new NodeControl({ url: cluster.urls()[0]!, operatorSecret, clock }), cluster.urls);
  describe(cluster, page === null ? null : `http://127.0.0.1:${page.port}/`);
  if (options.city) startCity(cluster);
  undo.push(
    clock.every(STATUS_EVERY_MS, () => {
      void statusOf(cluster).then((line) => {
        if (ending === null) say(`${process.stderr.isTTY ? "\n" : ""}${line}`);
      });
    }),
  );
}

function portTaken(error: NodeJS.ErrnoException): never {
  const advice = error.code === "EADDRINUSE" ? " Give another one with --page-port." : "";
  throw new CannotStartCluster(`The map cannot listen on port ${options.pagePort}: ${error.message}.${advice}`);
}

function describe(cluster: LocalCluster, page: string | null): void {
  const { nodes, database, nats, redis, payment } = cluster;
  say(`
  The cluster runs.${
    page === null
      ? " (The map is not built: `npm run build`.)"
      : ` Open

      ${page}

  to watch its city.`
  }

${nodes.map(({ id, url, pid }) => `  ${id.padEnd(12)}${url}  process ${pid}`).join("\n")}
  PostgreSQL  ${database.url}
  NATS        ${nats.url}
  Redis       ${redis.url}
  payments    ${payment.url}

  The operator's secret is in ${cluster.operatorSecretFile}, what the processes write in ${cluster.dataDir}/*.log.
  Kill a node (kill -9 ${nodes.at(-1)!.pid}) and watch its shards move. Ctrl-C ends everything${options.dataDir === undefined ? " and keeps nothing" : ""}.
`);
}

function startCity(cluster: LocalCluster): void {
  const city = fork(DEMO_SCRIPT, ["--url", cluster.urls()[0]!, "--data-dir", cluster.dataDir], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  city.once("exit", (code) => {
    if (ending === null) process.stderr.write(`The city ended with status ${code}; the cluster goes on.\n`);
  });
  undo.push(() => {
    if (city.connected) city.disconnect();
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end(0));
// npm passes signals to a shell that dies of them without a word to us.
if (processEnvironment().npm_lifecycle_event === "cluster") {
  const starter = process.ppid;
  clock.every(LOOK_EVERY_MS, () => {
    if (process.ppid !== starter) void end(0);
  });
}

main().catch(async (error: unknown) => {
  const known =
    error instanceof Error && ["CannotStartCluster", "DataDirectoryInUse", "CannotRun"].includes(error.name);
  process.stderr.write(`${known ? error.message : String((error as Error).stack ?? error)}\n`);
  if (undo.length > 0) await end(2);
  process.exit(2);
});
