/** The result of a run: counted from what clients received and from the database, never from the agents' own counts. */
import { isTerminal, type OrderStatus } from "../../src/protocol/mod.js";
import { acknowledgement, type Evidence, NUMBERS_PER_FIX, statusPath, type Violation } from "../checkers/mod.js";
import {
  type CalibrationCase,
  calibrationOf,
  calibrationText,
  type EtaPeace,
  peaceOf,
  type StageCalibration,
} from "./measure/calibration.js";
import { type DispatchFigures, dispatchText } from "./measure/dispatch.js";
import { type LatencySummary, latencyOf } from "./measure/histogram.js";

export interface RunReport {
  readonly name: string;
  readonly timeScale: number;
  /** Orders that came due, acknowledged or not. */
  readonly intended: number;
  /** Orders that the node acknowledged. */
  readonly placed: number;
  readonly delivered: number;
  readonly cancelled: number;
  readonly undelivered: number;
  /** Acknowledged, and turned down after that: by the restaurant, its stock, or the payment provider. */
  readonly rejected: number;
  readonly rejections: Readonly<Record<string, number>>;
  /** Answered with an error; never an order. */
  readonly refused: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly cancellations: Readonly<Record<string, number>>;
  /** What kept food on the road from its customer. */
  readonly undeliveries: Readonly<Record<string, number>>;
  /** Sent again and again and never answered. */
  readonly unanswered: number;
  /** Acknowledged, and absent from the database or never ended. */
  readonly lost: number;
  /** False when there was no way to the database: then `lost` says only what clients saw. */
  readonly databaseRead: boolean;
  readonly brokenRules: readonly { readonly rule: string; readonly subject: string; readonly summary: string }[];
  readonly latencyMs: {
    readonly placeToConfirmed: LatencySummary;
    readonly confirmedToTablet: LatencySummary;
    readonly readyToPickedUp: LatencySummary;
    readonly acceptToAssigned: LatencySummary;
    readonly gpsToCustomer: LatencySummary;
  };
  /** Minutes of the city. */
  readonly clickToDoorMinutes: { readonly mean: number; readonly p50: number; readonly p90: number };
  readonly readyToPickedUpMinutes: { readonly mean: number; readonly p50: number; readonly p90: number };
  /** What customers were told to expect, against what happened, by stage. */
  readonly etaCalibration: readonly StageCalibration[];
  readonly etaPeace: EtaPeace;
  /** Null when there was no way to the database. */
  readonly dispatch: DispatchFigures | null;
  readonly ordersPerMinute: number;
  readonly wallSeconds: number;
}

export interface RunFacts {
  readonly name: string;
  readonly timeScale: number;
  readonly wallSeconds: number;
  readonly violations: readonly Violation[];
  readonly dispatch: DispatchFigures | null;
}

export function reportOf(evidence: Evidence, facts: RunFacts): RunReport {
  const { history, database } = evidence;
  const seen = new Map(history.orders.map((order) => [order.orderId, order]));
  const counts = {
    placed: 0,
    delivered: 0,
    cancelled: 0,
    undelivered: 0,
    rejected: 0,
    refused: 0,
    unanswered: 0,
    lost: 0,
  };
  const rejections: Record<string, number> = {};
  const refusals: Record<string, number> = {};
  const cancellations: Record<string, number> = {};
  const undeliveries: Record<string, number> = {};
  const count = (map: Record<string, number>, key: string): void => {
    map[key] = (map[key] ?? 0) + 1;
  };
  const placeToConfirmed: number[] = [];
  const confirmedToTablet: number[] = [];
  const readyToPickedUp: number[] = [];
  const clickToDoor: number[] = [];
  const arrivals: CalibrationCase[] = [];
  const firstOnTablet = tabletTimes(evidence);
  let firstSentAt = Number.POSITIVE_INFINITY;
  let lastSentAt = 0;
  for (const placement of history.placements) {
    firstSentAt = Math.min(firstSentAt, placement.sentAt);
    lastSentAt = Math.max(lastSentAt, placement.sentAt);
    const answer = acknowledgement(placement);
    if (answer === null) {
      const refusal = placement.answers.find((answer) => !answer.ok && !answer.temporary);
      if (refusal === undefined || refusal.ok) counts.unanswered++;
      else {
        counts.refused++;
        count(refusals, refusal.code);
      }
      continue;
    }
    counts.placed++;
    const order = seen.get(answer.orderId);
    const stored = database?.orders.get(answer.orderId);
    const truth = database === null ? (order?.newest ?? null) : (stored ?? null);
    const status: OrderStatus | null = truth?.status ?? null;
    if (status === null || !isTerminal(status)) counts.lost++;
    else if (status === "delivered") counts.delivered++;
    else {
      const reason = truth?.timeline.find((entry) => entry.kind === status)?.reason ?? "no reason";
      if (status === "undeliverable") {
        counts.undelivered++;
        count(undeliveries, reason);
      } else if (status === "rejected") {
        counts.rejected++;
        count(rejections, reason);
      } else {
        counts.cancelled++;
        count(cancellations, reason);
      }
    }
    const confirmedSeen = order?.sightings.find(
      (sighting) => sighting.via !== "poll" && statusPath(sighting.steps).includes("confirmed"),
    );
    if (confirmedSeen !== undefined) placeToConfirmed.push(confirmedSeen.receivedAt - placement.sentAt);
    const at = (kind: string): number | null => truth?.timeline.find((entry) => entry.kind === kind)?.at ?? null;
    const [confirmed, ready, pickedUp, delivered] = [at("confirmed"), at("ready"), at("picked_up"), at("delivered")];
    const tablet = firstOnTablet.get(answer.orderId);
    if (confirmed !== null && tablet !== undefined) confirmedToTablet.push(tablet - confirmed);
    if (ready !== null && pickedUp !== null) readyToPickedUp.push(pickedUp - ready);
    if (delivered !== null) {
      clickToDoor.push(delivered - placement.sentAt);
      arrivals.push({
        deliveredAt: delivered,
        etas: order?.etas ?? [],
        tellings: truth?.timeline.filter((entry) => entry.kind === "eta_changed").length ?? 0,
        versions: truth?.version ?? 0,
      });
    }
  }
  const minutes = Math.max(1 / 60, (lastSentAt - firstSentAt) / 60_000);
  return {
    name: facts.name,
    timeScale: facts.timeScale,
    intended: history.placements.length,
    ...counts,
    rejections,
    refusals,
    cancellations,
    undeliveries,
    databaseRead: database !== null,
    brokenRules: facts.violations.map(({ rule, subject, summary }) => ({ rule, subject, summary })),
    latencyMs: {
      placeToConfirmed: latencyOf(placeToConfirmed),
      confirmedToTablet: latencyOf(confirmedToTablet),
      readyToPickedUp: latencyOf(readyToPickedUp),
      acceptToAssigned: latencyOf(acceptTimes(evidence)),
      gpsToCustomer: latencyOf(positionTimes(evidence)),
    },
    clickToDoorMinutes: cityMinutes(clickToDoor, facts.timeScale),
    readyToPickedUpMinutes: cityMinutes(readyToPickedUp, facts.timeScale),
    etaCalibration: calibrationOf(arrivals, facts.timeScale),
    etaPeace: peaceOf(arrivals),
    dispatch: facts.dispatch,
    ordersPerMinute: history.placements.length === 0 ? 0 : tenth(history.placements.length / minutes),
    wallSeconds: tenth(facts.wallSeconds),
  };
}

/** True when the run is good: nothing lost, no rule broken, and the database was there to prove it. */
export function isGood(report: RunReport): boolean {
  return report.lost === 0 && report.brokenRules.length === 0 && report.unanswered === 0 && report.databaseRead;
}

function tabletTimes(evidence: Evidence): Map<string, number> {
  const first = new Map<string, number>();
  for (const { entries } of evidence.history.tablets) {
    for (const { orderId, receivedAt } of entries) {
      first.set(orderId, Math.min(receivedAt, first.get(orderId) ?? Number.POSITIVE_INFINITY));
    }
  }
  return first;
}

/** From the driver's touch to the news of having won. */
function acceptTimes(evidence: Evidence): number[] {
  const samples: number[] = [];
  for (const { entries } of evidence.history.drivers) {
    const touchedAt = new Map<string, number>();
    for (const entry of entries) {
      if (entry.kind === "did" && entry.command === "accept") touchedAt.set(entry.subject, entry.sentAt);
    }
    for (const entry of entries) {
      if (entry.kind !== "closed" || entry.outcome !== "won") continue;
      const at = touchedAt.get(entry.offerId);
      if (at !== undefined) samples.push(entry.receivedAt - at);
    }
  }
  return samples;
}

/**
 * From the phone that sent a position at once to the customer who first saw it. Left out: positions kept by a phone
 * without signal, which were sent later than they were measured; positions from before the pickup, which nobody may see
 * yet (rule 12 judges them); polls, which ask when they ask.
 */
function positionTimes(evidence: Evidence): number[] {
  const { history } = evidence;
  const sent = new Set<string>();
  for (const { fixes } of history.drivers) {
    for (let i = 0; i < fixes.length; i += NUMBERS_PER_FIX) {
      if (fixes[i + 3] === 1) sent.add(placeKey(fixes[i]!, fixes[i + 1]!, fixes[i + 2]!));
    }
  }
  const samples: number[] = [];
  for (const order of history.orders) {
    const { timeline } = evidence.database?.orders.get(order.orderId) ?? order.newest ?? { timeline: [] };
    const pickedUpAt = timeline.find((entry) => entry.kind === "picked_up")?.at ?? 0;
    const known = new Set<string>();
    for (const { via, measuredAt, lat, lng, receivedAt } of order.positions) {
      const key = placeKey(measuredAt, lat, lng);
      if (via === "poll" || measuredAt < pickedUpAt || known.has(key)) continue;
      known.add(key);
      if (sent.has(key)) samples.push(receivedAt - measuredAt);
    }
  }
  return samples;
}

function placeKey(measuredAt: number, lat: number, lng: number): string {
  return `${Math.round(measuredAt)} ${lat.toFixed(5)} ${lng.toFixed(5)}`;
}

function cityMinutes(wallMs: readonly number[], timeScale: number): RunReport["clickToDoorMinutes"] {
  const minutes = wallMs.map((value) => (value * timeScale) / 60_000).sort((a, b) => a - b);
  const at = (share: number): number => tenth(minutes[Math.floor(share * (minutes.length - 1))] ?? 0);
  const mean = minutes.length === 0 ? 0 : minutes.reduce((sum, value) => sum + value, 0) / minutes.length;
  return { mean: tenth(mean), p50: at(0.5), p90: at(0.9) };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The table at the end of a run. */
export function reportText(report: RunReport): string {
  const row = (name: string, ...cells: (string | number)[]): string =>
    `  ${name.padEnd(24)}${cells.map((cell) => String(cell).padStart(10)).join("")}`;
  const latency = (name: string, { count, p50, p95, p99, max }: LatencySummary): string =>
    row(name, count, p50, p95, p99, max);
  const reasons = (title: string, map: Readonly<Record<string, number>>): string[] =>
    Object.entries(map).map(([reason, number]) => row(`  ${title}: ${reason}`.slice(0, 60), number));
  const { latencyMs: ms, clickToDoorMinutes: door, readyToPickedUpMinutes: counter } = report;
  return [
    "",
    `${report.name}, ${report.timeScale} times as fast as life, ${report.wallSeconds} s`,
    row("placed", report.placed),
    row("delivered", report.delivered),
    row("cancelled", report.cancelled),
    ...reasons("cancelled", report.cancellations),
    row("undelivered", report.undelivered),
    ...reasons("undelivered", report.undeliveries),
    row("rejected", report.rejected),
    ...reasons("rejected", report.rejections),
    row("refused", report.refused),
    ...reasons("refused", report.refusals),
    row("unanswered", report.unanswered),
    row("lost", report.lost),
    row("rules broken", report.brokenRules.length),
    row("orders a minute", report.ordersPerMinute),
    "",
    row("milliseconds", "count", "p50", "p95", "p99", "max"),
    latency("place → confirmed", ms.placeToConfirmed),
    latency("confirmed → tablet", ms.confirmedToTablet),
    latency("ready → picked up", ms.readyToPickedUp),
    latency("accept → assigned", ms.acceptToAssigned),
    latency("GPS → customer", ms.gpsToCustomer),
    "",
    row("minutes of the city", "mean", "p50", "p90"),
    row("click to door", door.mean, door.p50, door.p90),
    row("ready to picked up", counter.mean, counter.p50, counter.p90),
    ...calibrationText(report.etaCalibration, report.etaPeace),
    ...(report.dispatch === null ? [] : dispatchText(report.dispatch, row)),
    ...(report.databaseRead ? [] : ["", "  The database could not be read: nothing is proven about what it holds."]),
  ].join("\n");
}
