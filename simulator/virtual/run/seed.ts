/**
 * One seed from its first step to its evidence: the nodes start, people come, things go wrong, everything is mended, and
 * the world has until a deadline to come to rest.
 *
 * Owns: the phases and the hand-over to the judge. Does not own: what is right (the judge's).
 */
import {
  type DomainSettings,
  defaultDomainSettings,
  domainActors,
  scaleDurations,
} from "../../../src/actors/domain/mod.js";
import { defaultHostSettings } from "../../../src/actors/runtime/mod.js";
import type { GatewayAuth } from "../../../src/gateway/mod.js";
import { type Log, type LogFields, silentLog } from "../../../src/lib/log.js";
import type { Evidence, Violation } from "../../checkers/mod.js";
import { bookingsOf, databaseOf } from "../../live/mod.js";
import { createFaults } from "../faults/faults.js";
import { createInjector } from "../faults/injector.js";
import { drawSwarm } from "../faults/swarm.js";
import type {
  BoundSample,
  EndState,
  FaultKind,
  Faults,
  Judge,
  LateWord,
  ProcessView,
  VirtualEvidence,
  Workload,
  World,
} from "../ports.js";
import { createScheduler } from "../time/scheduler.js";
import { createStreams } from "../time/streams.js";
import { createTrace } from "../trace/trace.js";
import { createTransport } from "../transport/mod.js";
import { createWorkload } from "../workload/mod.js";
import { booksOf } from "../world/books.js";
import { createCluster } from "../world/cluster.js";
import { createDatabase } from "../world/database.js";
import { createNetwork } from "../world/network.js";
import { HOST_BOUNDS, type Surroundings } from "../world/node.js";
import { createPayments } from "../world/payments.js";
import { createMirror, createStream } from "../world/streams.js";

export interface SeedOptions {
  readonly seed: number;
  readonly judge: Judge;
  /** False: violations come without the lines of those involved, and the run costs less. Default true. */
  readonly stories?: boolean;
  /** How long the world may take to come to rest. Default: longer than any order's deadlines in a row. */
  readonly convergeMs?: number;
  /** Faults that come in any case, whatever the seed draws. */
  readonly focus?: readonly FaultKind[];
  /** Every note of the trace as text: for finding out where two runs part. */
  readonly onNote?: (text: string) => void;
}

export interface SeedResult {
  readonly seed: number;
  /** Of the whole run: the same seed gives the same, on every machine. */
  readonly hash: string;
  readonly steps: number;
  readonly notes: number;
  readonly virtualMs: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly violations: readonly Violation[];
  readonly evidence: VirtualEvidence;
}

/** Noon of a Monday. */
const START_AT = Date.UTC(2026, 0, 5, 12);
const BOOT_MS = 30_000;
/** From the end of healing. */
const CONVERGE_MS = 20 * 60_000;
const LOOK_MS = 500;
/** For everybody to leave, and for what they said to arrive. */
const LEAVING_MS = 2_000;
const MOST_LEAVING_MS = 60_000;
/** Quicker than in life, so that a line that fell silent is missed within a world's few minutes. */
const IMPATIENT: Surroundings["patience"] = {
  pingMs: 5_000,
  silenceMs: 12_500,
  slotBacklogBytes: 512,
  reliableBacklogBytes: 6 * 1024,
};
/** As long as in life. Small towns say little: what waits for those who read nothing must still come to the bounds. */
const PATIENT: Surroundings["patience"] = {
  pingMs: 20_000,
  silenceMs: 50_000,
  slotBacklogBytes: 256,
  reliableBacklogBytes: 1_024,
};
const SAMPLE_MS = 1_000;
const MOST_ERRORS = 200;
const TABLET_BOUND_MS = 30_000;
const POLL_AFTER_CLOSE_MS = 10_000;

export const OPERATOR_SECRET = "the-operators-secret-of-a-world-that-is-not";

/** Nothing real is signed with it: it only has to be the same for everyone. PKCS 8 around 32 bytes of our own (RFC 8410). */
const SIGNING_KEY = Buffer.concat([
  Buffer.from("302e020100300506032b657004220420", "hex"),
  Buffer.from("a world of its own, 32 bytes .. ", "ascii"),
]).toString("base64");

const AUTH: GatewayAuth = {
  keys: [{ kid: "virtual", privateKey: `-----BEGIN PRIVATE KEY-----\n${SIGNING_KEY}\n-----END PRIVATE KEY-----\n` }],
  operatorSecret: OPERATOR_SECRET,
  orderIdSecret: "the-key-of-order-ids-of-a-world-that-is-not",
};

/** Rejects when the seed cannot be run to its end: the nodes do not come up, or something throws where nobody catches. */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const errors: string[] = [];
  const stopHearing = hearUnhandled(errors);
  try {
    return await runWorld(options, errors);
  } finally {
    stopHearing();
  }
}

async function runWorld(options: SeedOptions, errors: string[]): Promise<SeedResult> {
  const { seed, judge, stories = true, convergeMs = CONVERGE_MS, focus = [], onNote } = options;
  const streams = createStreams(seed);
  const swarm = drawSwarm(streams, focus);
  const scheduler = createScheduler(seed, START_AT);
  const trace = createTrace({ now: () => scheduler.now, stories, ...(onNote === undefined ? {} : { onNote }) });
  const faults = createFaults(swarm.intensities, trace);
  const world: World = { seed, sizes: swarm.sizes, scheduler, streams, trace, faults };
  const lateWords: LateWord[] = [];
  const transport = createTransport(world);
  const patience = swarm.isPatient ? PATIENT : IMPATIENT;
  const surroundings: Surroundings = {
    world,
    database: createDatabase(world),
    network: createNetwork(world),
    payments: createPayments(world),
    stream: createStream(world),
    mirror: swarm.hasMirror ? createMirror(world) : null,
    auth: AUTH,
    settings: settingsOf(swarm.sizes.timeScale),
    patience,
    transport,
    // Of many, the first say it all.
    onLateWord: (word) => void (lateWords.length < MOST_ERRORS && lateWords.push(word)),
    logFor: (process) => errorLog(process, errors, faults),
  };
  const { database, network, payments, stream, settings } = surroundings;
  const cluster = createCluster(surroundings, domainActors(settings));
  const injector = createInjector({ world, cluster, database, network, stream });

  trace.note("seed", "world", [seed]);
  cluster.startAll();
  await scheduler.until(
    watch(scheduler, () => cluster.unsettled().length === 0),
    START_AT + BOOT_MS,
  );
  const boot = cluster.unsettled();
  if (boot.length > 0) throw new Error(`seed ${seed}: the nodes do not come up: ${boot.join("; ")}`);

  const workload: Workload = createWorkload({
    ...world,
    urls: cluster.urls,
    operatorSecret: OPERATOR_SECRET,
    transport,
  });
  const bounds = sampleBounds(world, cluster);
  workload.start();
  faults.enter("chaos");
  injector.start();
  const healAt = scheduler.now + swarm.chaosMs;
  await scheduler.until(() => false, healAt);

  faults.enter("heal");
  workload.heal();
  let healed = false;
  void injector.heal().then(() => {
    healed = true;
  });
  await scheduler.until(() => healed, healAt + convergeMs);
  faults.enter("converge");
  const healedAt = scheduler.now;
  const deadlineAt = healedAt + convergeMs;
  const unsettled = (): readonly string[] => [...cluster.unsettled(), ...workload.waitsFor()];
  const atRest = (): boolean => workload.settled() && cluster.unsettled().length === 0;
  await scheduler.until(watch(scheduler, atRest), deadlineAt);
  const left = atRest() ? [] : unsettled();
  // Nobody waits for money, nor for events but their consumers: the last may still be on their way, or on their second one.
  while (scheduler.now < deadlineAt && !isDone(await endState(database.tables)))
    await scheduler.until(() => false, Math.min(deadlineAt, scheduler.now + LOOK_MS));
  const endedAt = scheduler.now;

  faults.enter("over");
  workload.stop();
  await scheduler.until(() => false, endedAt + LEAVING_MS);
  // Who leaves says so, and that is an event, too.
  while (scheduler.now < endedAt + MOST_LEAVING_MS && !isDone(await endState(database.tables)))
    await scheduler.until(() => false, scheduler.now + LOOK_MS);
  const stored = await databaseOf(database.tables.audit(), () => true);
  const end: EndState = {
    ...(await endState(database.tables)),
    unanswered: unanswered(cluster),
    unsettled: left,
    errors: [...errors, ...workload.failures],
  };
  const evidence: Evidence = {
    history: workload.history(),
    database: stored,
    bookings: bookingsOf(payments.ledger),
    books: await booksOf(database.tables.ledger(), stored.orders.values()),
    stockConfigured: workload.stockConfigured,
    endedAt,
    bounds: { tabletMs: TABLET_BOUND_MS, pollAfterCloseMs: POLL_AFTER_CLOSE_MS },
  };
  const found: VirtualEvidence = {
    seed,
    evidence,
    sizes: swarm.sizes,
    commits: database.commits,
    received: stream.received,
    ledger: payments.ledger,
    bounds: [
      ...bounds(),
      ...transport.unsent().map(({ device, most, longest }) => ({
        what: "unsent bytes",
        where: device,
        most,
        limit: patience.reliableBacklogBytes + longest,
      })),
    ],
    lateWords,
    end,
    faults: { ...faults.counts },
    times: { startedAt: START_AT, healedAt, deadlineAt, endedAt },
    trace,
  };
  for (const machine of cluster.machines) machine.life?.crash();
  return {
    seed,
    hash: trace.hash(),
    steps: scheduler.steps,
    notes: trace.notes,
    virtualMs: endedAt - START_AT,
    faults: found.faults,
    violations: judge(found),
    evidence: found,
  };
}

/** A day so short needs positions more often than life does, or no trip would show any. */
function settingsOf(timeScale: number): DomainSettings {
  const { driver, ...others } = defaultDomainSettings;
  return scaleDurations(
    { ...others, driver: { ...driver, gpsAvailableMs: 4_000, gpsTripMs: 2_000, gpsTokenMs: 1_000 } },
    timeScale,
  );
}

/** Looks at a condition that is dear now and then, instead of after every step. */
function watch(scheduler: World["scheduler"], condition: () => boolean): () => boolean {
  let holds = false;
  const stop = scheduler.clock.every(LOOK_MS, () => {
    holds = condition();
    if (holds) stop();
  });
  return () => holds;
}

/** By processes that are alive: what the others asked went with them. */
function unanswered(cluster: ReturnType<typeof createCluster>): number {
  return cluster.machines.reduce((sum, { life }) => sum + (life === null ? 0 : life.flood.open), 0);
}

type Left = Pick<EndState, "unsentTells" | "deadLetters" | "unpublished" | "unbooked">;

const isDone = ({ unsentTells, unpublished, unbooked }: Left): boolean =>
  unsentTells.length === 0 && unpublished === 0 && unbooked === 0;

async function endState(tables: Surroundings["database"]["tables"]): Promise<Left> {
  const audit = tables.audit();
  const unsentTells: { from: string; to: string; name: string }[] = [];
  for await (const { from, to, name } of audit.tells())
    unsentTells.push({ from: `${from.kind}/${from.key}`, to: `${to.kind}/${to.key}`, name });
  const deadLetters: { to: string; name: string; reason: string }[] = [];
  for await (const { kind, key, name, reason } of audit.deadLetters())
    deadLetters.push({ to: `${kind}/${key}`, name, reason });
  let unpublished = 0;
  for await (const _ of audit.events()) unpublished++;
  const { waiting: unbooked } = await tables.ledger().backlog();
  return { unsentTells, deadLetters, unpublished, unbooked };
}

/** The most that bounded things held, by node. Returns how to read it. */
function sampleBounds(world: World, cluster: ReturnType<typeof createCluster>): () => readonly BoundSample[] {
  const samples = new Map<string, BoundSample>();
  const see = (what: string, where: string, value: number, limit: number): void => {
    const name = `${what} ${where}`;
    const before = samples.get(name);
    if (before === undefined || value > before.most) samples.set(name, { what, where, most: value, limit });
  };
  world.scheduler.clock.every(SAMPLE_MS, () => {
    for (const { node, life } of cluster.machines) {
      if (life === null || life.state === "over") continue;
      for (const host of life.hosts()) {
        const stats = host.stats();
        see("actors", node, stats.actors, defaultHostSettings.maxActors);
        see("queued messages", node, stats.queued, HOST_BOUNDS.maxQueued);
        see("messages of one actor", node, stats.longestMailbox, HOST_BOUNDS.mailboxLimit);
        see("outbox in memory", node, stats.tellsWaiting + stats.effectsWaiting, defaultHostSettings.outboxInMemory);
      }
    }
  });
  return () => [...samples.values()];
}

/** Keeps what a node reports as an error; warnings are about faults, of which there are many. */
function errorLog(process: ProcessView, errors: string[], faults: Faults): Log {
  const error = (fields: LogFields, message: string): void => {
    const text = `${process.life}: ${message} ${textOf(fields)}`;
    if (errors.length < MOST_ERRORS && !isOfUpgrade(text, faults)) errors.push(text);
  };
  const log: Log = { ...silentLog, error, child: () => log };
  return log;
}

/** In a rolling upgrade nodes of the release before meet what they cannot read, and must say so. */
function isOfUpgrade(text: string, faults: Faults): boolean {
  return faults.counts.node_upgrade > 0 && text.includes("this release reads up to");
}

/** Promises that fail with nobody to hear it: in a node they would have ended the process. */
function hearUnhandled(errors: string[]): () => void {
  const hear = (reason: unknown): void => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    if (errors.length < MOST_ERRORS) errors.push(`nobody heard the failure of a promise: ${text}`);
  };
  process.on("unhandledRejection", hear);
  return () => void process.off("unhandledRejection", hear);
}

function textOf(fields: LogFields): string {
  return JSON.stringify(fields, (_, value: unknown) =>
    value instanceof Error ? (value.stack ?? value.message) : value,
  );
}
