/**
 * One campaign: a local cluster, a city's load through all its nodes, the schedule of faults, and the judgement.
 *
 * Owns: the order of these. Does not own the faults (`inflict.ts`), the load (`live`), or the rules (`checkers`,
 * `witness.ts`, `events.ts`). Invariants: what is judged comes from clients, from the database and from the payment
 * provider's ledger, never from a node's own word; the cluster is ended before it resolves or rejects.
 */
import { type Clock, sleep } from "../../src/lib/clock.js";
import { type EventId, judgeEvents, outstanding, type Violation } from "../checkers/mod.js";
import { type LocalCluster, startLocalCluster } from "../cluster/mod.js";
import { planGenerated, type RunResult, run } from "../live/mod.js";
import { countFaults, countOperations, type Figures, gapFigures, heldUp } from "./figures.js";
import { hurried } from "./hurry.js";
import { type Inflicted, inflict, untilHealthy } from "./inflict.js";
import { type FaultKind, faultText } from "./kinds.js";
import { type PlannedFault, planFaults } from "./schedule.js";
import { type EventTap, tapEvents } from "./tap.js";
import { hearWitness, installWitness, type Testimony } from "./witness.js";

export interface CampaignOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Faults begin before this. */
  readonly forMs: number;
  /** No more faults than so many. */
  readonly most?: number;
  readonly only?: readonly FaultKind[];
  readonly hasty?: boolean;
  readonly leaseMs: number;
  /** How many times as fast as life. */
  readonly speed: number;
  /** Orders per wall minute. */
  readonly perMinute: number;
  readonly drivers?: number;
  readonly processes: number;
  readonly say: (line: string) => void;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

const DRAIN_MS = 2_000;
/** The load goes on for a while after the last fault. */
const CALM_MS = 6_000;
const WARM_UP_MS = 4_000;
/** Until what was committed last has gone through the relay and the stream. */
const EVENTS_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 250;

export async function runCampaign(options: CampaignOptions): Promise<Figures> {
  const { clock, say, nodes, seed, leaseMs } = options;
  const schedule = planFaults({
    seed,
    nodes,
    leaseMs,
    forMs: options.forMs,
    ...(options.most === undefined ? {} : { most: options.most }),
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.hasty === undefined ? {} : { hasty: options.hasty }),
  });
  const began = clock.monotonic();
  const cluster = await startLocalCluster({
    nodes,
    timeScale: options.speed,
    ...hurried(leaseMs),
    drainMs: DRAIN_MS,
    onProgress: say,
  });
  let tap: EventTap | null = null;
  try {
    await installWitness(cluster.databaseUrl);
    tap = tapEvents(cluster.nats.url, clock);
    const inflicted: Inflicted[] = [];
    const result = await load(cluster, schedule, inflicted, options);
    const received = await settleEvents(cluster, tap, clock);
    const testimony = await hearWitness(cluster.databaseUrl);
    return figuresOf(options, (clock.monotonic() - began) / 1000, result, inflicted, testimony, received);
  } finally {
    await tap?.close();
    await cluster.stop();
  }
}

async function load(
  cluster: LocalCluster,
  schedule: readonly PlannedFault[],
  inflicted: Inflicted[],
  options: CampaignOptions,
): Promise<RunResult> {
  const { clock, say, seed, perMinute, signal } = options;
  const last = schedule.at(-1);
  const lastsMs = (last?.atMs ?? 0) + (last === undefined || last.fault.kind === "roll-nodes" ? 0 : last.fault.forMs);
  const count = Math.max(1, Math.round((perMinute * (lastsMs + CALM_MS)) / 60_000));
  return run(
    (timeScale) =>
      planGenerated({
        prefix: "f",
        timeScale,
        seed,
        count,
        perMinute,
        warmUpWallMs: WARM_UP_MS,
        ...(options.drivers === undefined ? {} : { drivers: options.drivers }),
      }),
    {
      url: cluster.urls(),
      operatorSecret: cluster.operatorSecret,
      databaseUrl: cluster.databaseUrl,
      ledgerFile: cluster.ledgerFile,
      seed,
      processes: options.processes,
      out: { write: (text) => say(text.trimEnd()) },
      ...(signal === undefined ? {} : { signal }),
      meanwhile: async () => {
        const startMs = clock.monotonic() + WARM_UP_MS;
        for (const { atMs, fault } of schedule) {
          await sleep(clock, Math.max(0, startMs + atMs - clock.monotonic()));
          if (signal?.aborted) return;
          say(`at ${(atMs / 1000).toFixed(1)} s: ${faultText(fault)}`);
          const done = await inflict(cluster, fault, clock);
          inflicted.push(done);
          say(
            `  healed, and healthy ${((done.healthyAt - done.healedAt) / 1000).toFixed(1)} s later` +
              (done.endedAlone.length === 0 ? "" : `; ended by themselves: ${done.endedAlone.join(", ")}`),
          );
        }
        await untilHealthy(cluster, clock);
      },
    },
  );
}

/** Waits until every committed event has arrived, or has had its time. */
async function settleEvents(cluster: LocalCluster, tap: EventTap, clock: Clock): Promise<readonly EventId[]> {
  const giveUpAt = clock.monotonic() + EVENTS_WITHIN_MS;
  for (;;) {
    const { events } = await hearWitness(cluster.databaseUrl);
    if (outstanding(events, tap.received()) === 0 || clock.monotonic() > giveUpAt) return tap.received();
    await sleep(clock, LOOK_EVERY_MS);
  }
}

function figuresOf(
  options: CampaignOptions,
  seconds: number,
  { evidence, report, violations }: RunResult,
  inflicted: readonly Inflicted[],
  testimony: Testimony,
  received: readonly EventId[],
): Figures {
  const { history } = evidence;
  const drains = inflicted.flatMap((one) => one.drains);
  return {
    seed: options.seed,
    nodes: options.nodes,
    seconds: Math.round(seconds),
    faults: countFaults(inflicted),
    operations: countOperations(history.operations),
    orders: {
      placed: report.placed,
      delivered: report.delivered,
      cancelled: report.cancelled,
      undelivered: report.undelivered,
      rejected: report.rejected,
      refused: report.refused,
    },
    ...gapFigures(history.gaps, inflicted),
    heldUp: heldUp(history, inflicted),
    drains,
    endedAlone: inflicted.reduce((sum, one) => sum + one.endedAlone.length, 0),
    shardMoves: testimony.moves,
    actorCommits: testimony.commits,
    events: { committed: testimony.events.length, received: received.length },
    violations: [
      ...violations,
      ...testimony.violations,
      ...judgeEvents(testimony.events, received),
      ...drainViolations(inflicted),
      ...lostViolations(report, evidence.database !== null),
    ],
  };
}

/** R-CLU-4: a node that is told to end drains and says so by its status. */
function drainViolations(inflicted: readonly Inflicted[]): readonly Violation[] {
  return inflicted
    .flatMap((one) => one.drains)
    .filter(({ status }) => status !== 0)
    .map(({ node, status, ms }) => ({
      rule: "drain-ends-well",
      subject: node,
      summary: `${node} was told to end and ended with ${status ?? "a signal"} after ${ms} ms`,
      story: [],
    }));
}

/** What the rules cannot see because nobody was ever told: commands that never got an answer. */
function lostViolations(report: RunResult["report"], databaseRead: boolean): readonly Violation[] {
  const found: Violation[] = [];
  const violation = (subject: string, summary: string): void => {
    found.push({ rule: "every-command-is-answered", subject, summary, story: [] });
  };
  if (report.unanswered > 0) violation("placements", `${report.unanswered} orders were sent and never answered`);
  if (!databaseRead) violation("database", "the database could not be read: nothing is proven about what it holds");
  return found;
}
