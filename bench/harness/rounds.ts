/**
 * Runs one scenario: starts its sides, warms each up, then measures them in turns, round after round, so that whatever
 * else the machine does meets all of them. Or one side after the other, where standing idle costs the one that is measured.
 *
 * Invariants: a measurement whose load was late is told and counts for nothing; no figure is shown without every round's
 * value beside it; every side is ended, whatever happened.
 */
import { systemClock } from "../../src/lib/clock.js";
import { together } from "../lib/histogram.js";
import { cpuSecondsBetween, usageOf, usageOfTree } from "../lib/process.js";
import type { Figures, Look, RunningSide, Scenario, ScenarioResult, Side, SideResult, Stage } from "./ports.js";
import { atRest, collectGarbage, isWarm } from "./settle.js";

const clock = systemClock();
/** Of what was used: idling is known to a few hundredths, and what is left of a cost beside it to no better than that. */
const MOST_IDLE_SHARE = 2 / 3;
const CLEAR_SECONDS = 3;
const IDLE_SECONDS = 5;
const MAX_PROBLEMS = 20;

interface Measured {
  readonly round: number;
  readonly valid: boolean;
  readonly figures: Figures;
}
interface Running {
  readonly side: Side;
  readonly running: RunningSide;
  /** By load: processor seconds a second of its processes, without it. */
  readonly idleShare: Record<string, number>;
  readonly measured: Record<string, Measured[]>;
  readonly problems: string[];
  readonly late: string[];
}

const digits = (value: number): number => Number(value.toPrecision(5));

/** What an operation cost each time, under the mildest load first. */
const told = (costs: readonly (readonly number[])[]): string =>
  `${costs.map((byLoad) => byLoad.map(Math.round).join(" and ")).join(", ")} µs`;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `rounds`: of every load on every side. */
export async function runScenario(scenario: Scenario, stage: Stage, rounds: number): Promise<ScenarioResult> {
  const asked = Math.min(stage.seconds, scenario.mostSeconds ?? stage.seconds);
  const seconds = Math.max(asked, (scenario.leastSeconds ?? 0) * Math.min(1, stage.scale));
  const all: Running[] = [];
  /** Those of them that stand now. */
  let standing: Running[] = [];
  const results: SideResult[] = [];
  const offered = (side: Side): readonly string[] => side.loads ?? scenario.loads;
  const watched = (): { each: Running; load: string }[] =>
    standing.flatMap((each) => offered(each.side).map((load) => ({ each, load })));
  const pidsOf = ({ each, load }: { each: Running; load: string }): readonly number[] => each.running.pids(load);
  async function rest(forSeconds: number): Promise<readonly number[]> {
    const began = clock.monotonic();
    const { shares, isSteady } = await atRest(watched().map(pidsOf), forSeconds);
    const took = `${Math.round((clock.monotonic() - began) / 1000)} s`;
    stage.note(`${scenario.name}: ${isSteady ? "at rest after" : "still not at rest after"} ${took}`);
    return shares;
  }
  /** What was made while the sides were set up is nobody's cost. */
  async function clearUp(): Promise<void> {
    collectGarbage(watched().flatMap(pidsOf));
    await rest(CLEAR_SECONDS);
  }
  async function findIdleShares(): Promise<void> {
    const shares = await rest(IDLE_SECONDS);
    for (const [i, { each, load }] of watched().entries()) each.idleShare[load] = shares[i]!;
  }
  let lateRounds = 0;
  let worstLagMs: number | null = null;
  async function start(side: Side): Promise<void> {
    stage.note(`${scenario.name}: starting ${side.name}`);
    try {
      const running = await side.start();
      standing.push({ side, running, idleShare: {}, measured: {}, problems: [], late: [] });
    } catch (cause) {
      // Without ours or the limit there is nothing to say; a peer that does not start is told.
      if (side.role !== "peer") throw cause;
      stage.note(`${scenario.name}: ${side.name} did not start: ${String(cause)}`);
    }
  }
  async function stop(): Promise<void> {
    for (const { running, side } of standing.toReversed())
      await running.stop().catch((cause: unknown) => stage.note(`${side.name} did not end in order: ${String(cause)}`));
    standing = [];
  }
  async function warmUp(): Promise<void> {
    if (scenario.warmUpSeconds === 0) return;
    await clearUp();
    for (const each of standing) {
      const most = Math.max(1, Math.round((scenario.mostWarmUps ?? 1) * Math.min(1, stage.scale)));
      const costs: number[][] = [];
      while (costs.length < most && !isWarm(costs)) {
        const byLoad: number[] = [];
        for (const load of offered(each.side)) {
          const { figures } = await measure(each, load, scenario.warmUpSeconds);
          byLoad.push(figures.cpuMicrosPerOperation!);
        }
        costs.push(byLoad);
      }
      if (most > 1)
        stage.note(
          `${scenario.name}: ${each.side.name} ${isWarm(costs) ? "is warm" : "is not steady yet"} after ${costs.length} times: ${told(costs)}`,
        );
    }
  }
  async function measureInRound(each: Running, load: string, round: number): Promise<void> {
    const { figures, problems, unusable } = await measure(each, load, seconds);
    const tell = (what: string): void => {
      const line = `${load}, round ${round + 1}: ${what}`;
      each.late.push(line);
      stage.note(`${scenario.name}: ${each.side.name}, ${line}`);
    };
    for (const what of unusable) tell(what);
    for (const problem of problems)
      if (each.problems.length < MAX_PROBLEMS) each.problems.push(`${load}, round ${round + 1}: ${problem}`);
    const lagMs = figures.generatorLagP99Ms;
    const valid = lagMs === undefined || lagMs <= scenario.lagBoundMs;
    if (lagMs !== undefined) worstLagMs = Math.max(worstLagMs ?? 0, lagMs);
    if (!valid) {
      lateRounds++;
      tell(`its load was late (p99 ${lagMs} ms) and counts for nothing`);
    }
    each.measured[load] = [...(each.measured[load] ?? []), { round, valid, figures }];
  }
  /** Sides that stand at the same time. */
  async function runTogether(sides: readonly Side[]): Promise<void> {
    for (const side of sides) await start(side);
    await warmUp();
    if (scenario.withoutIdle) await findIdleShares();
    for (let round = 0; round < rounds; round++) {
      for (const load of scenario.loads)
        for (const each of standing) if (offered(each.side).includes(load)) await measureInRound(each, load, round);
      stage.note(`${scenario.name}: round ${round + 1} of ${rounds} measured`);
    }
    for (const each of standing) {
      const last = (await each.running.finish?.()) ?? { figures: {}, problems: [] };
      results.push(summed(each, last.figures, [...each.problems, ...last.problems]));
    }
    all.push(...standing);
  }
  try {
    const sides = scenario.sides(stage);
    for (const group of scenario.apart === true ? sides.map((side) => [side]) : [sides]) {
      await runTogether(group);
      await stop();
    }
    const look: Look = (name, figure, load = scenario.loads[0]) =>
      results.find((side) => side.name === name)?.loads[load ?? ""]?.[figure] ?? null;
    const inRound =
      (round: number): Look =>
      (name, figure, load = scenario.loads[0]) =>
        all
          .find(({ side }) => side.name === name)
          ?.measured[load ?? ""]?.find((each) => each.round === round && each.valid)?.figures[figure] ??
        // What is measured once holds for every round.
        look(name, figure, load);
    return {
      name: scenario.name,
      what: scenario.what,
      operation: scenario.operation,
      remarks: scenario.remarks ?? [],
      loads: scenario.loads,
      rounds,
      seconds,
      scale: stage.scale,
      sides: results,
      goals: scenario.goals.map(({ value, ...goal }) => {
        const values = Array.from({ length: rounds }, (_, round) => value(inRound(round))).filter(
          (each) => each !== null,
        );
        const result = value(look);
        return {
          ...goal,
          value: result === null ? null : digits(result),
          spread: values.length === 0 ? null : [digits(Math.min(...values)), digits(Math.max(...values))],
        };
      }),
      ratioToLimit: scenario.ratioToLimit(look),
      generatorLagP99Ms: worstLagMs,
      lateRounds,
    };
  } finally {
    await stop();
  }
}

interface Measurement {
  readonly figures: Figures;
  readonly problems: readonly string[];
  /** Why a figure is not among them. */
  readonly unusable: readonly string[];
}

async function measure({ running, idleShare }: Running, load: string, asked: number): Promise<Measurement> {
  await running.prepare?.(load);
  await running.gauges?.();
  const pids = running.pids(load);
  const before = pids.map(usageOf);
  const databaseBefore = running.databasePid === undefined ? null : usageOfTree(running.databasePid);
  const began = clock.monotonic();
  const sample = await running.load(load, asked);
  const seconds = (clock.monotonic() - began) / 1000;
  const after = pids.map(usageOf);
  const cpuSeconds = after.reduce((sum, each, i) => sum + cpuSecondsBetween(before[i]!, each), 0);
  const idleSeconds = (idleShare[load] ?? 0) * seconds;
  const operations = Math.max(1, sample.operations);
  const perOperation = (value: number): number => digits((value * 1e6) / operations);
  const figures: Record<string, number> = {
    operations: sample.operations,
    perSecond: digits(sample.operations / sample.seconds),
    cpuShare: digits(cpuSeconds / seconds),
    residentMegabytes: Math.round(after.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / 1e6),
  };
  const unusable = [...(sample.unusable ?? [])];
  if (idleSeconds <= MOST_IDLE_SHARE * cpuSeconds)
    figures.cpuMicrosPerOperation = perOperation(cpuSeconds - idleSeconds);
  else
    unusable.push(
      `its processor time counts for nothing, ${Math.round((100 * idleSeconds) / cpuSeconds)} % of it is idling`,
    );
  if (idleShare[load] !== undefined) figures.idleCpuShare = digits(idleShare[load]);
  if (databaseBefore !== null) {
    const used = usageOfTree(running.databasePid!).cpuSeconds - databaseBefore.cpuSeconds;
    figures.databaseCpuMicrosPerOperation = perOperation(used);
  }
  if (sample.latency !== null) {
    const { p50, p95, p99, max } = together([sample.latency]);
    Object.assign(figures, { p50Ms: p50, p95Ms: p95, p99Ms: p99, maxMs: max });
  }
  if (sample.lag !== null) figures.generatorLagP99Ms = together([sample.lag]).p99;
  const gauges = await running.gauges?.();
  if (gauges !== undefined) {
    figures.eventLoopDelayP99Ms = gauges.eventLoopDelayMs.p99;
    figures.eventLoopDelayMaxMs = gauges.eventLoopDelayMs.max;
    figures.collectorMs = gauges.collector.totalMs;
    if (gauges.collector.maxMs !== null) figures.collectorMaxMs = gauges.collector.maxMs;
  }
  await running.rest?.();
  return { figures: { ...figures, ...sample.figures }, problems: sample.problems, unusable };
}

function summed(each: Running, once: Figures, problems: readonly string[]): SideResult {
  const { role, name, what } = each.side;
  const loads: Record<string, Figures> = {};
  const byRound: Record<string, Record<string, number[]>> = {};
  for (const [load, measured] of Object.entries(each.measured)) {
    const values: Record<string, number[]> = {};
    for (const { figures } of measured.filter(({ valid }) => valid))
      for (const [figure, value] of Object.entries(figures)) values[figure] = [...(values[figure] ?? []), value];
    byRound[load] = values;
    loads[load] = {
      ...Object.fromEntries(Object.entries(values).map(([figure, list]) => [figure, digits(median(list))])),
      ...once,
    };
  }
  return { role, name, what, loads, byRound, problems, late: each.late };
}
