/**
 * What one process runs: a test file, or several of neighbouring folders one after the other. To read tap and what they
 * test costs most small files more than their tests do, and those of a store start its server once.
 */
import { sep } from "node:path";

/** Paths without their ending, relative to the project, with `/` between folders. */
export const TOGETHER: readonly (readonly string[])[] = [
  ["src/store/postgres"],
  ["src/actors/domain"],
  ["src/gateway"],
  ["src/actors/runtime"],
  ["src/services", "src/protocol", "src/lib", "src/eta", "src/matching", "src/telemetry", "config"],
  ["simulator", "src/store/memory"],
  ["sdk"],
  ["src/cluster", "src/node"],
  ["test/support", "test/docs", "test/deploy", "bench/report", "bench/harness", "bench/dispatch/check"],
  ["test/tidy", "bench/peers"],
  ["test/one-order", "test/quote", "test/eta", "test/ratings", "test/devices", "test/announcements", "test/settings"],
  ["test/search", "test/authorisation", "test/accounts", "test/onboarding", "test/money", "test/notifications"],
];
/**
 * Files that stay alone: they wait or compute for long, so that others would wait for them; end their process or their
 * database; or have hooks of their own, which would be every file's (`t.beforeEach`), or by which tap takes the first
 * moment of rest for the end (`t.teardown` outside of a test).
 */
export const ALONE: readonly string[] = [
  "src/store/postgres/embedded",
  "src/store/postgres/database-lock",
  "src/actors/domain/order/chaos",
  "src/cluster/coordinator/postgres",
  "src/cluster/nats/contract",
  "simulator/cluster/servers",
  "simulator/live/live",
  "simulator/virtual/bugs/plant",
  "simulator/virtual/simulate",
  "sdk/real-node",
  "sdk/chat",
  "test/support/without-async-hooks",
];
/** The longest come first, so that none is alone at the end. */
export const FIRST: readonly string[] = [
  "simulator/virtual/bugs/power",
  "simulator/virtual/simulate",
  "simulator/faults/campaign",
  "test/pages-in-use",
  "test/apps",
  "test/pages",
  "test/crash",
  "simulator/faults/broken-builds",
  "simulator/faults/fence",
  "simulator/live/run",
  "test/database-away",
  "test/cluster",
  "sdk/real-node",
  "bench/dispatch/dispatch",
  "test/node-start",
  "bench/storm/storm",
  "test/dead-letters",
  "test/cut-off",
  "simulator/cluster/orphans",
  "test/connections",
  "test/evening",
  "src/store/postgres/database-lock",
  "test/invalid-input",
  "test/worker",
  "test/two-nodes",
  "src/actors/domain/order/chaos",
  "test/tablets",
  "test/last-portions",
];

/**
 * Files that take twice as long as they compute, at the least: they wait for leases to end, for processes that were killed
 * to come back, for a city to have eaten. One of them runs beside those that compute.
 */
export const WAITING: readonly string[] = [
  "test/crash",
  "simulator/faults/broken-builds",
  "simulator/live/run",
  "test/database-away",
  "sdk/real-node",
  "test/dead-letters",
  "src/store/postgres/database-lock",
];

/** The files that each process runs, first what takes longest. `files` are compiled tests, relative to the build. */
export function unitsOf(files: readonly string[]): readonly (readonly string[])[] {
  const together = TOGETHER.map((folders) =>
    files.filter((file) => isUnder(file, folders) && !isUnder(file, ALONE) && turnOf(file) === FIRST.length),
  );
  const shared = new Set(together.flat());
  const alone = files.filter((file) => !shared.has(file)).sort((a, b) => turnOf(a) - turnOf(b) || (a < b ? -1 : 1));
  const long = alone.filter((file) => turnOf(file) < FIRST.length);
  return [...long.map(one), ...together.filter(({ length }) => length > 0), ...alone.slice(long.length).map(one)];
}

export const mostlyWaits = (unit: readonly string[]): boolean =>
  unit.length === 1 && unit.every((file) => WAITING.includes(nameOf(file)));

const one = (file: string): readonly string[] => [file];

const nameOf = (file: string): string =>
  file
    .split(sep)
    .join("/")
    .replace(/\.test\.js$/, "");

function isUnder(file: string, places: readonly string[]): boolean {
  const name = nameOf(file);
  return places.some((place) => name === place || name.startsWith(`${place}/`));
}

function turnOf(file: string): number {
  const turn = FIRST.indexOf(nameOf(file));
  return turn < 0 ? FIRST.length : turn;
}
