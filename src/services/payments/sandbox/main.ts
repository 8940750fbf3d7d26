/**
 * The payment sandbox as a process of its own: `node main.js --ledger FILE [--host H] [--port N] [--seed N] [--decline 0.02] …`.
 * Prints `{"url": …}` as one line when it listens. With `--with-parent` it ends when its standard input does, so that it
 * never outlives the node that started it, however that one ends.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../../../lib/clock.js";
import { defaultSandboxSettings, type SandboxSettings, startSandbox } from "./server.js";

const { values } = parseArgs({
  options: {
    ledger: { type: "string" },
    host: { type: "string" },
    port: { type: "string" },
    seed: { type: "string" },
    "latency-min": { type: "string" },
    "latency-max": { type: "string" },
    decline: { type: "string" },
    error: { type: "string" },
    lost: { type: "string" },
    late: { type: "string" },
    "late-ms": { type: "string" },
    duplicate: { type: "string" },
    "webhook-url": { type: "string" },
    "webhook-secret": { type: "string" },
    "webhook-lost": { type: "string" },
    "webhook-duplicate": { type: "string" },
    "webhook-late": { type: "string" },
    "webhook-late-ms": { type: "string" },
    "with-parent": { type: "boolean" },
  },
});

function number(name: keyof typeof values, fallback: number): number {
  const given = values[name];
  if (given === undefined) return fallback;
  const parsed = Number(given);
  if (!Number.isFinite(parsed) || parsed < 0) throw new Error(`--${name} must be a number of at least 0, not ${given}`);
  return parsed;
}

if (values.ledger === undefined) throw new Error("--ledger FILE is needed: the sandbox keeps its book there");
const defaults = defaultSandboxSettings;
const settings: SandboxSettings = {
  ledgerPath: values.ledger,
  ...(values.host === undefined ? {} : { host: values.host }),
  port: number("port", defaults.port),
  seed: number("seed", defaults.seed),
  latencyMinMs: number("latency-min", defaults.latencyMinMs),
  latencyMaxMs: number("latency-max", defaults.latencyMaxMs),
  declineRate: number("decline", defaults.declineRate),
  errorRate: number("error", defaults.errorRate),
  lostRate: number("lost", defaults.lostRate),
  lateRate: number("late", defaults.lateRate),
  lateMs: number("late-ms", defaults.lateMs),
  duplicateRate: number("duplicate", defaults.duplicateRate),
  webhook:
    values["webhook-url"] === undefined ? null : { url: values["webhook-url"], secret: values["webhook-secret"] ?? "" },
  webhookLostRate: number("webhook-lost", defaults.webhookLostRate),
  webhookDuplicateRate: number("webhook-duplicate", defaults.webhookDuplicateRate),
  webhookLateRate: number("webhook-late", defaults.webhookLateRate),
  webhookLateMs: number("webhook-late-ms", defaults.webhookLateMs),
};

const sandbox = await startSandbox(settings, systemClock());
process.stdout.write(`${JSON.stringify({ url: sandbox.url })}\n`);

let ending = false;
function end(): void {
  if (ending) return;
  ending = true;
  sandbox.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
}
process.on("SIGTERM", end);
process.on("SIGINT", end);
if (values["with-parent"] === true) {
  process.stdin.resume();
  process.stdin.on("end", end);
  process.stdin.on("error", end);
}
