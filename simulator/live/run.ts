/**
 * One run from beginning to end: prepare the node, send the crews, wait until every order has ended, judge.
 *
 * Owns: the order of these steps and the deadline of the whole. Does not own the plan, the agents or the rules.
 * Invariant: whatever happens, worker processes and a node of our own are ended before it resolves or rejects.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, sleep, systemClock } from "../../src/lib/clock.js";
import { type Evidence, judge, type Violation } from "../checkers/mod.js";
import { embeddedDatabaseUrl, readBookings, readDatabase, sandboxLedgerFile } from "./audit.js";
import { CityTime } from "./city-time.js";
import { Fleet, processesFor } from "./fleet/fleet.js";
import { dispatchFigures, idleShareOf, readSearches } from "./measure/dispatch.js";
import type { MeterReading } from "./measure/meter.js";
import { CannotRun, NodeControl, type Principal } from "./node-control.js";
import { OwnNode } from "./node-process.js";
import { type RunPlan, stockOf } from "./plan.js";
import { type Output, showProgress } from "./progress.js";
import { type RunReport, reportOf } from "./report.js";

export interface RunOptions {
  /** A node, or the nodes of one cluster. Absent: the run starts a node of its own. */
  readonly url?: string | readonly string[];
  readonly operatorSecret?: string;
  /** Of the node at `url`: where its operator secret and its database are. */
  readonly dataDir?: string;
  /** A database that is not embedded. */
  readonly databaseUrl?: string;
  /** The payment sandbox's ledger, when it is not in `dataDir`. */
  readonly ledgerFile?: string;
  /** Runs beside the load from its first moment; the run waits for it before it judges, and fails with it. */
  readonly meanwhile?: (load: RunningLoad) => Promise<void>;
  /** Absent: the speed of the node at `url`. */
  readonly speed?: number;
  /** How the zones of the run's own node decide. Absent: as the node does by itself. */
  readonly dispatch?: string;
  readonly seed: number;
  readonly processes: number;
  readonly out: Output;
  readonly signal?: AbortSignal;
  /** Keeps the data of a node of our own. */
  readonly keepData?: boolean;
}

export interface RunningLoad {
  /** The load has had its say: every order ended, or the run is given up. */
  readonly over: AbortSignal;
  readonly read: () => MeterReading;
}

export interface RunResult {
  readonly evidence: Evidence;
  readonly report: RunReport;
  readonly violations: readonly Violation[];
}

/** Average street distance over distance as the crow flies; what the node's own quotes assume as well. */
const STREET_FACTOR = 1.35;
const START_IN_MS = 2_000;
const CHECK_MS = 250;
/** After the last order ended, for what follows it: captures, voids, positions that must not come. */
const SETTLE_MS = 3_000;
/** City time that an order may take after its food was ready (no driver, replaced driver, long road), and the least in wall time. */
const DRAIN_CITY_MS = 5 * 3_600_000;
const DRAIN_LEAST_MS = 90_000;
/** Rule 10: redelivery and a restart of the node fit in. */
const TABLET_BOUND_MS = 60_000;
const POLL_AFTER_CLOSE_MS = 10_000;

export async function run(makePlan: (timeScale: number) => RunPlan, options: RunOptions): Promise<RunResult> {
  const clock = systemClock();
  const say = (text: string): void => void options.out.write(`${text}\n`);
  const ends: (() => Promise<void> | void)[] = [];
  try {
    const node = options.url === undefined ? await startOwn(options, say, ends) : await running(options, clock);
    const plan = makePlan(node.timeScale);
    say(
      `${plan.name}: ${plan.orders.length} orders, ${plan.restaurants.length} restaurants, ${plan.drivers.length} drivers, ` +
        `${node.timeScale} times as fast as life, on ${[node.url].flat().join(", ")}`,
    );
    return await drive(plan, node, options, clock, say, ends);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

interface RunningNode {
  readonly url: string | readonly string[];
  readonly timeScale: number;
  readonly control: NodeControl;
  readonly databaseUrl: string | null;
  readonly ledgerFile: () => string | null;
  /** Why there will be no node any more, if so. */
  readonly gone: () => string | null;
}

async function startOwn(
  options: RunOptions,
  say: (text: string) => void,
  ends: (() => Promise<void> | void)[],
): Promise<RunningNode> {
  const timeScale = options.speed ?? 1;
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "swift-eats-"));
  const mayRemove = options.dataDir === undefined && options.keepData !== true;
  if (mayRemove) ends.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const own = new OwnNode({
    dataDir,
    timeScale,
    ...(options.dispatch === undefined ? {} : { extraArguments: ["--domain.zone.dispatch", options.dispatch] }),
    onRestart: (how) => say(`\nthe node ended (${how}): starting it again on the same data`),
  });
  ends.push(() => own.stop());
  const ready = await own.start();
  say(`node ${own.pid} at ${ready.url}, data in ${ready.dataDir}`);
  const operatorSecret = readFileSync(ready.operatorSecretFile, "utf8").trim();
  return {
    url: ready.url,
    timeScale,
    control: new NodeControl({ url: ready.url, operatorSecret, clock: systemClock() }),
    databaseUrl: options.databaseUrl ?? ready.databaseUrl,
    ledgerFile: () => ready.ledgerFile,
    gone: () => own.givenUp,
  };
}

async function running(options: RunOptions, clock: Clock): Promise<RunningNode> {
  const { url, dataDir } = options;
  if (url === undefined) throw new CannotRun("no url");
  const operatorSecret = options.operatorSecret || secretIn(dataDir);
  const control = new NodeControl({ url, operatorSecret, clock });
  const { timeScale } = await control.facts();
  if (options.speed !== undefined && options.speed !== timeScale) {
    throw new CannotRun(
      `the node at ${[url].flat().join(", ")} runs ${timeScale} times as fast as life, not ${options.speed}: ` +
        `start it with --time-scale ${options.speed}, or leave --speed out`,
    );
  }
  return {
    url,
    timeScale,
    control,
    databaseUrl: options.databaseUrl ?? (dataDir === undefined ? null : embeddedDatabaseUrl(dataDir)),
    ledgerFile: () => options.ledgerFile ?? (dataDir === undefined ? null : sandboxLedgerFile(dataDir)),
    gone: () => null,
  };
}

function secretIn(dataDir: string | undefined): string {
  if (dataDir === undefined) throw new CannotRun("set OPERATOR_SECRET, or give the node's --data-dir");
  try {
    return readFileSync(join(dataDir, "operator.secret"), "utf8").trim();
  } catch (cause) {
    throw new CannotRun(`no operator secret in ${dataDir}: set OPERATOR_SECRET, or give the node's --data-dir`, {
      cause,
    });
  }
}

async function drive(
  plan: RunPlan,
  node: RunningNode,
  options: RunOptions,
  clock: Clock,
  say: (text: string) => void,
  ends: (() => Promise<void> | void)[],
): Promise<RunResult> {
  const tokens = await node.control.tokens([
    ...plan.restaurants.map(({ id }): Principal => ({ id, role: "restaurant" })),
    ...plan.drivers.map(({ id }): Principal => ({ id, role: "driver" })),
    ...plan.orders.map(({ customerId }): Principal => ({ id: customerId, role: "customer" })),
  ]);
  await node.control.configure(plan.restaurants);
  const facts = { timeScale: plan.timeScale, startWallMs: clock.now() + START_IN_MS, startCityMs: plan.startCityMs };
  const time = new CityTime(facts, clock);
  const fleet = new Fleet({
    url: node.url,
    plan,
    seed: options.seed,
    time: facts,
    streetFactor: STREET_FACTOR,
    tokens,
    processes: processesFor(plan.drivers.length + plan.restaurants.length, options.processes),
    onFailure: (text) => say(`\nan agent failed: ${text}`),
  });
  ends.push(() => fleet.kill());
  const began = clock.monotonic();
  fleet.start();
  const progress = showProgress({
    clock,
    time,
    total: plan.orders.length,
    read: () => fleet.read(),
    out: options.out,
  });
  const over = new AbortController();
  ends.push(() => over.abort());
  const meanwhile = options.meanwhile?.({ over: over.signal, read: () => fleet.read() });
  try {
    await Promise.race([untilEnded(plan, fleet, node, time, clock, options.signal), failureOf(meanwhile)]);
    over.abort();
    await meanwhile;
  } finally {
    over.abort();
    progress.stop();
  }
  await sleep(clock, SETTLE_MS);
  const wallSeconds = (clock.monotonic() - began) / 1000;
  const history = await fleet.finish();
  const evidence = await gather(plan, node, history, clock, say);
  const violations = judge(evidence);
  const { database } = evidence;
  const searches =
    node.databaseUrl === null || database === null
      ? null
      : await readSearches(node.databaseUrl, (orderId) => database.orders.has(orderId));
  const dispatch =
    searches === null ? null : dispatchFigures(searches, idleShareOf(history, plan, time), plan.timeScale);
  return {
    evidence,
    violations,
    report: reportOf(evidence, { name: plan.name, timeScale: plan.timeScale, wallSeconds, violations, dispatch }),
  };
}

/** Rejects with what it was given; never resolves. */
function failureOf(work: Promise<void> | undefined): Promise<never> {
  return new Promise((_, reject) => work?.catch(reject));
}

/** All orders followed to their end, or the deadline of the whole run has passed: then the rest is reported as it is. */
async function untilEnded(
  plan: RunPlan,
  fleet: Fleet,
  node: RunningNode,
  time: CityTime,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  let lastCityMs = plan.startCityMs;
  for (const { placeAtCityMs, readyAtCityMs } of plan.orders) {
    lastCityMs = Math.max(lastCityMs, readyAtCityMs ?? placeAtCityMs);
  }
  const untilWallMs = time.wallAt(lastCityMs) + Math.max(DRAIN_LEAST_MS, time.wallMs(DRAIN_CITY_MS));
  while (clock.now() < untilWallMs && signal?.aborted !== true) {
    const over = fleet.died ?? node.gone();
    if (over !== null) throw new CannotRun(over);
    if (fleet.read().counts.finished >= plan.orders.length) return;
    await sleep(clock, CHECK_MS);
  }
}

async function gather(
  plan: RunPlan,
  node: RunningNode,
  history: Evidence["history"],
  clock: Clock,
  say: (text: string) => void,
): Promise<Evidence> {
  const people = new Set<string>();
  for (const { id } of plan.restaurants) people.add(id);
  for (const { id } of plan.drivers) people.add(id);
  for (const { customerId } of plan.orders) people.add(customerId);
  let database: Evidence["database"] = null;
  if (node.databaseUrl !== null) {
    try {
      database = await readDatabase(node.databaseUrl, (id) => people.has(id));
    } catch (error) {
      say(`the database cannot be read: ${String(error)}`);
    }
  }
  const ledgerFile = node.ledgerFile();
  const bookings =
    ledgerFile === null || database === null
      ? null
      : await readBookings(ledgerFile, (orderId) => database.orders.has(orderId));
  return {
    history,
    database,
    bookings,
    stockConfigured: stockOf(plan.restaurants),
    endedAt: clock.now(),
    bounds: { tabletMs: TABLET_BOUND_MS, pollAfterCloseMs: POLL_AFTER_CLOSE_MS },
  };
}
