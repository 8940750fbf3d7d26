/**
 * `npm run demo`: a node on a data directory of its own, a made-up city that lives on it, and a page that shows it. The
 * city is a separate process that speaks only the public protocol.
 */
import { fork } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { asksForHelp, ConfigError, helpText, loadConfig, startedByScript } from "../config/mod.js";
import { cityGeoJson } from "../simulator/city/mod.js";
import { demoCity } from "../simulator/live/mod.js";
import { zonesInReach } from "./actors/domain/mod.js";
import { DEMO_PASSWORD, settleDemoPeople } from "./demo-people.js";
import { createTokens } from "./gateway/mod.js";
import { systemClock } from "./lib/clock.js";
import type { Point } from "./lib/geo.js";
import { systemRandom } from "./lib/random.js";
import { SIGNING_KEY_ID } from "./node/accounts.js";
import { tuneCollector } from "./node/collector.js";
import { usableCores } from "./node/cores.js";
import { markDemonstration } from "./node/data-directory.js";
import { startNode } from "./node/node.js";
import { whenStarterIsGone } from "./node/starter.js";
import { createLog } from "./telemetry/mod.js";

const clock = systemClock();
/** What the demonstration adds in front of the command line: anything given there wins. */
const DEMO_ARGUMENTS = [
  ...["--data-dir", ".data/demo", "--time-scale", "20", "--log-level", "warn"],
  // A person who drives or cooks in a city that is twenty times as fast still needs half a minute to decide, and minutes
  // to find the other window.
  ...["--domain.order.offerMs", "600000", "--domain.order.acceptDeadlineMs", "3600000"],
];
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);
const SESSION_SECONDS = 4 * 3600;
const RENEW_MS = 3_600_000;
/** Beyond the drain; then the demonstration ends without its parts' consent. */
const STOP_WITHIN_MS = 20_000;
const pages = fileURLToPath(new URL("../apps/live/", import.meta.url));
const citizens = fileURLToPath(new URL("../simulator/live/demo.js", import.meta.url));
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function configuration(): ReturnType<typeof loadConfig> {
  try {
    return loadConfig({ argv: [...DEMO_ARGUMENTS, ...process.argv.slice(2)] });
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    process.stderr.write(`${cause.message}\n`);
    process.exit(2);
  }
}

if (asksForHelp(process.argv.slice(2))) {
  process.stdout.write(
    `${helpText().replace("npm start", "npm run demo")}\n\nPut in front: ${DEMO_ARGUMENTS.join(" ")}\n`,
  );
  process.exit(0);
}
tuneCollector(usableCores());
if (!existsSync(pages)) {
  process.stderr.write("The pages are not built. Run `npm run build` first, or start with `npm run demo`.\n");
  process.exit(2);
}
const config = configuration();
/** Everybody knows the password of the demonstration's admin: it stays on this machine, and keeps to itself. */
function refuse(why: string): never {
  process.stderr.write(`The demonstration cannot start: ${why}\n`);
  process.exit(2);
}
if (!LOOPBACK.has(config.http.host)) {
  refuse(
    `its admin's password is well known, so it listens on this machine only. Leave out --host ${config.http.host}.`,
  );
}
if (config.store.databaseUrl !== null) {
  refuse("its admin's password is well known, so it keeps to a database of its own. Unset DATABASE_URL.");
}
const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const log = createLog({ level: config.node.logLevel, node: config.node.id, thread: "main", clock, to: "stderr" });
const city = demoCity();
const places: readonly Point[] = city.restaurants.map(({ profile }) => profile);
const bounds = {
  west: Math.min(...places.map(({ lng }) => lng)),
  east: Math.max(...places.map(({ lng }) => lng)),
  south: Math.min(...places.map(({ lat }) => lat)),
  north: Math.max(...places.map(({ lat }) => lat)),
};
const center = { lat: (bounds.south + bounds.north) / 2, lng: (bounds.west + bounds.east) / 2 };

markDemonstration(config.node.dataDir);
say("Starting a node with a database of its own …");
let ending = false;
let stop: () => Promise<void> = async () => undefined;
function end(status: number): void {
  if (ending) return;
  ending = true;
  // The progress line has no end of its own.
  say("\nEnding: the node finishes what it has begun …");
  clock.after(config.node.drainMs + STOP_WITHIN_MS, () => process.exit(1));
  stop().then(
    () => {
      say("Ended. Everything that was acknowledged is kept.");
      process.exit(status);
    },
    () => process.exit(1),
  );
}

const node = await startNode({
  config,
  version,
  clock,
  random: systemRandom(),
  log,
  onFatal: (reason) => {
    process.stderr.write(`The node cannot go on: ${reason}\n`);
    end(1);
  },
}).catch((cause: unknown) => {
  process.stderr.write(`The demonstration cannot start: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exit(1);
});

const { gateway } = node.gateway;
const tokens = createTokens({
  keys: [{ kid: SIGNING_KEY_ID, privateKey: node.secrets.signingKeyPem }],
  clock,
  maxCached: 1,
});
const zones = [...new Set(places.flatMap((place) => zonesInReach(place, config.domain.zone.borderMeters)))];
/** The page's token reads the live map and may act for support: the demonstration listens on this machine only. */
function serveSession(): void {
  const token = tokens.issue({ id: "demo-operations", role: "support" }, SESSION_SECONDS);
  gateway.serveJson("/live/session", { token, zones, center, bounds, name: "Demo city" });
}
serveSession();
clock.every(RENEW_MS, serveSession);
gateway.serveJson("/live/city.json", cityGeoJson(city));
gateway.serveDirectory("/", pages);

const adminToken = tokens.issue({ id: "demo-operations", role: "admin" }, SESSION_SECONDS);
const people = await settleDemoPeople(node.url, adminToken, center).catch((cause: unknown) => {
  process.stderr.write(`Nobody to sign in as: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  return [];
});

say(`
  The city lives. Open

      ${node.url}/

  to watch orders being placed, cooked, dispatched, driven and delivered. The first meal arrives after some two minutes.

  Four more pages, each with somebody to sign in as; everybody's password is ${DEMO_PASSWORD}
  (a demonstration's, and well known: a node that is not one makes nobody, and refuses to start on this data)

${people.map(({ page, email, what }) => `      ${`${node.url}${page}`.padEnd(34)} ${email.padEnd(20)} ${what}`).join("\n")}

  The city's day passes ${config.node.timeScale} times faster than the clock. It is kept in ${config.node.dataDir}: started again, it goes on.
  API: ${node.url}/v1/node · health: ${node.url}/readyz · Ctrl-C ends it.
`);
// The secret by its file, which is its owner's alone: a command line is read by everybody on the machine.
const citizensProcess = fork(citizens, ["--url", node.url, "--data-dir", config.node.dataDir], {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
});
stop = async () => {
  if (citizensProcess.connected) citizensProcess.disconnect();
  await node.stop();
};
citizensProcess.once("exit", (code) => {
  if (!ending) process.stderr.write(`The city ended with status ${code}; the node goes on serving.\n`);
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => end(0));
if (startedByScript()) {
  whenStarterIsGone(
    clock,
    () => process.ppid,
    () => end(0),
  );
}
