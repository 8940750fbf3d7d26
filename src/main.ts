/**
 * The node's entry: reads the configuration, starts the node, says on standard output where it listens (one line of
 * JSON), ends it in order on SIGTERM or SIGINT. Logs go to standard error.
 */
import { readFileSync } from "node:fs";
import {
  asksForHelp,
  ConfigError,
  helpText,
  loadConfig,
  printable,
  startedByScript,
  withoutPassword,
} from "../config/mod.js";
import { systemClock } from "./lib/clock.js";
import { systemRandom } from "./lib/random.js";
import { tuneCollector } from "./node/collector.js";
import { usableCores } from "./node/cores.js";
import { refuseDemonstration } from "./node/data-directory.js";
import { startNode } from "./node/node.js";
import { whenStarterIsGone } from "./node/starter.js";
import { createLog } from "./telemetry/mod.js";

const argv = process.argv.slice(2);
if (asksForHelp(argv)) {
  process.stdout.write(`${helpText()}\n`);
  process.exit(0);
}

function configuration(): ReturnType<typeof loadConfig> {
  try {
    return loadConfig({ argv });
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    process.stderr.write(`${cause.message}\n`);
    process.exit(2);
  }
}

tuneCollector(usableCores());
const config = configuration();
const clock = systemClock();
const log = createLog({ level: config.node.logLevel, node: config.node.id, thread: "main", clock, to: "stderr" });
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};
/** The parts of a node end within this, or the process ends without them: everything acknowledged is committed. */
const STOP_WITHIN_MS = config.node.drainMs + 20_000;

let ending = false;
function end(status: number, stop: () => Promise<void>): void {
  if (ending) return;
  ending = true;
  clock.after(STOP_WITHIN_MS, () => {
    log.error({ withinMs: STOP_WITHIN_MS }, "The node did not stop in time and ends as it is");
    process.exit(1);
  });
  stop().then(
    () => process.exit(status),
    (cause: unknown) => {
      log.error({ error: cause }, "The node did not stop in order");
      process.exit(1);
    },
  );
}

let stop: () => Promise<void> = async () => undefined;
try {
  log.debug({ config: printable(config) }, "Starting");
  refuseDemonstration(config.node.dataDir);
  const node = await startNode({
    config,
    version,
    clock,
    random: systemRandom(),
    log,
    onFatal: (reason) => {
      log.error({ reason }, "The node cannot go on");
      end(1, stop);
    },
  });
  stop = () => node.stop();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => end(0, stop));
  if (startedByScript()) {
    whenStarterIsGone(
      clock,
      () => process.ppid,
      () => end(0, stop),
    );
  }
  const said = {
    listening: { url: node.url },
    dataDir: config.node.dataDir,
    operatorSecretFile: node.secrets.operatorSecretFile,
    // Of a server of somebody's own only what is no secret: this line is kept by whoever collects logs.
    database: config.store.databaseUrl === null ? node.connectionString : withoutPassword(config.store.databaseUrl),
    paymentLedgerFile: node.paymentLedgerFile,
    timeScale: config.node.timeScale,
  };
  process.stdout.write(`${JSON.stringify(said)}\n`);
} catch (cause) {
  process.stderr.write(`Swift Eats cannot start: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  log.debug({ error: cause }, "Start failed");
  process.exit(1);
}
