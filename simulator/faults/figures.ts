/** What a campaign counts and measures, from what its clients wrote down. Pure. */
import type { ConnectionGap, History, Operation, OperationOutcome, Violation } from "../checkers/mod.js";
import { type LatencySummary, latencyOf } from "../live/mod.js";
import type { Drain, Inflicted } from "./inflict.js";
import { countKey } from "./schedule.js";

export interface Figures {
  readonly seed: number;
  readonly nodes: number;
  readonly seconds: number;
  /** By kind; cuts by their direction. */
  readonly faults: Readonly<Record<string, number>>;
  readonly operations: Readonly<Record<OperationOutcome, number>> & { readonly total: number };
  readonly orders: Readonly<Record<string, number>>;
  /** Milliseconds that clients were without a connection while all nodes were rolled, and at any other time. */
  readonly gapsWhileRolling: LatencySummary;
  readonly gapsElsewhere: LatencySummary;
  /**
   * Milliseconds until commands that a crash held up were answered: of those that were under way when a node, a server or
   * a link failed, or were sent while it lasted, and took half a second or more.
   */
  readonly heldUp: Readonly<Record<string, LatencySummary>>;
  readonly drains: readonly Drain[];
  /** Nodes that ended though nobody had asked them to, and were started again. */
  readonly endedAlone: number;
  readonly shardMoves: number;
  readonly actorCommits: number;
  readonly events: { readonly committed: number; readonly received: number };
  readonly violations: readonly Violation[];
}

const HELD_UP_MS = 500;

export function countFaults(inflicted: readonly Inflicted[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fault } of inflicted) counts[countKey(fault)] = (counts[countKey(fault)] ?? 0) + 1;
  return counts;
}

export function countOperations(operations: readonly Operation[]): Figures["operations"] {
  const counts = { total: operations.length, ok: 0, fail: 0, unknown: 0 };
  for (const { outcome } of operations) counts[outcome]++;
  return counts;
}

export function gapFigures(
  gaps: readonly ConnectionGap[],
  inflicted: readonly Inflicted[],
): Pick<Figures, "gapsWhileRolling" | "gapsElsewhere"> {
  const rolls = inflicted.filter(({ fault }) => fault.kind === "roll-nodes");
  const rolling: number[] = [];
  const elsewhere: number[] = [];
  for (const { lostAt, backAt } of gaps) {
    const inRoll = rolls.some(({ beganAt, healthyAt }) => lostAt >= beganAt && lostAt <= healthyAt);
    (inRoll ? rolling : elsewhere).push(backAt - lostAt);
  }
  return { gapsWhileRolling: latencyOf(rolling), gapsElsewhere: latencyOf(elsewhere) };
}

/** A thing somebody wanted, asked for until there was an answer. */
interface Want {
  readonly from: number;
  readonly to: number;
}

/** Calls for the same thing by the same caller, an unknown outcome followed by the next try, are one want. */
function wants(operations: readonly Operation[]): readonly Want[] {
  const open = new Map<string, number>();
  const done: Want[] = [];
  for (const { principal, type, subject, invokedAt, returnedAt, outcome } of [...operations].sort(
    (a, b) => a.invokedAt - b.invokedAt,
  )) {
    const key = `${principal} ${type} ${subject}`;
    const from = open.get(key) ?? invokedAt;
    if (outcome === "unknown") open.set(key, from);
    else {
      open.delete(key);
      done.push({ from, to: returnedAt });
    }
  }
  return done;
}

export function heldUp(history: History, inflicted: readonly Inflicted[]): Readonly<Record<string, LatencySummary>> {
  const waits = new Map<string, number[]>();
  const all = wants(history.operations);
  for (const [index, { fault, beganAt, healthyAt }] of inflicted.entries()) {
    // What lasts into the next fault is no measure of this one.
    const nextAt = inflicted[index + 1]?.beganAt ?? Number.POSITIVE_INFINITY;
    const found = waits.get(fault.kind) ?? [];
    for (const { from, to } of all) {
      if (to < beganAt || from > healthyAt || to > nextAt) continue;
      const waitedMs = to - Math.max(from, beganAt);
      if (waitedMs >= HELD_UP_MS) found.push(waitedMs);
    }
    waits.set(fault.kind, found);
  }
  return Object.fromEntries([...waits].map(([kind, samples]) => [kind, latencyOf(samples)]));
}

/** The table for a person. */
export function figuresText(figures: Figures): string {
  const row = (name: string, ...cells: (string | number)[]): string =>
    `  ${name.padEnd(32)}${cells.map((cell) => String(cell).padStart(10)).join("")}`;
  const latency = (name: string, { count, p50, p99, max }: LatencySummary): string => row(name, count, p50, p99, max);
  const { operations, drains } = figures;
  return [
    "",
    `seed ${figures.seed}, ${figures.nodes} nodes, ${figures.seconds} s`,
    "",
    "faults",
    ...Object.entries(figures.faults).map(([kind, count]) => row(kind, count)),
    "",
    "operations",
    ...(["total", "ok", "fail", "unknown"] as const).map((outcome) => row(outcome, operations[outcome])),
    ...Object.entries(figures.orders).map(([name, count]) => row(`orders ${name}`, count)),
    row("commits of actors", figures.actorCommits),
    row("shards moved", figures.shardMoves),
    row("events committed", figures.events.committed),
    row("events received", figures.events.received),
    row("nodes that ended by themselves", figures.endedAlone),
    "",
    row("milliseconds", "count", "p50", "p99", "max"),
    latency("without connection, rolling", figures.gapsWhileRolling),
    latency("without connection, else", figures.gapsElsewhere),
    ...Object.entries(figures.heldUp).map(([kind, summary]) => latency(`commands held up, ${kind}`, summary)),
    latency("drains", latencyOf(drains.map(({ ms }) => ms))),
    "",
    row("violations", figures.violations.length),
  ].join("\n");
}
