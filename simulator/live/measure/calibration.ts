/**
 * How good the promised arrivals were: the first range that a customer saw of each stage, against the delivery. Pure.
 * Counted from what clients received, in minutes of the city.
 */
import type { EtaSighting } from "../../checkers/mod.js";

/** One delivered order and the first ranges seen of it. Milliseconds since the epoch. */
export interface CalibrationCase {
  readonly deliveredAt: number;
  readonly etas: readonly EtaSighting[];
  /** How often the customer was told of a change, and how many versions the order had at its end. */
  readonly tellings: number;
  readonly versions: number;
}

/** Whether customers were left in peace. */
export interface EtaPeace {
  readonly tellingsPerOrder: number;
  readonly toldPercent: number;
  readonly versionsPerOrder: number;
}

export interface StageCalibration {
  readonly stage: string;
  readonly count: number;
  /** Of the expected arrival. */
  readonly meanAbsoluteErrorMinutes: number;
  /** Positive: deliveries came later than expected. */
  readonly biasMinutes: number;
  /** Percent of deliveries within the range; 80 is the promise. */
  readonly coveragePercent: number;
  readonly earlyPercent: number;
  readonly latePercent: number;
  readonly meanWidthMinutes: number;
}

/** The stages as customers know them, in order. */
const STAGES = [
  "placed",
  "confirmed",
  "cooking",
  "cooking, driver found",
  "ready",
  "ready, driver found",
  "on the way",
];

function stageOf({ status, driver }: EtaSighting): string | null {
  switch (status) {
    case "placed":
    case "confirmed":
      return status;
    case "accepted":
    case "preparing":
      return driver ? "cooking, driver found" : "cooking";
    case "ready":
      return driver ? "ready, driver found" : "ready";
    case "picked_up":
      return "on the way";
    default:
      return null;
  }
}

export function calibrationOf(cases: readonly CalibrationCase[], timeScale: number): readonly StageCalibration[] {
  const minutes = (wallMs: number): number => (wallMs * timeScale) / 60_000;
  const found = new Map<
    string,
    { error: number; absolute: number; width: number; early: number; late: number; n: number }
  >();
  for (const { deliveredAt, etas } of cases) {
    const seen = new Set<string>();
    for (const eta of etas) {
      const stage = stageOf(eta);
      // Accepted and preparing are one stage: the first sight of it counts.
      if (stage === null || seen.has(stage)) continue;
      seen.add(stage);
      const sums = found.get(stage) ?? { error: 0, absolute: 0, width: 0, early: 0, late: 0, n: 0 };
      const error = minutes(deliveredAt - eta.expected);
      sums.error += error;
      sums.absolute += Math.abs(error);
      sums.width += minutes(eta.to - eta.from);
      if (deliveredAt < eta.from) sums.early++;
      if (deliveredAt > eta.to) sums.late++;
      sums.n++;
      found.set(stage, sums);
    }
  }
  return STAGES.flatMap((stage) => {
    const sums = found.get(stage);
    if (sums === undefined) return [];
    const percent = (count: number): number => tenth((100 * count) / sums.n);
    return [
      {
        stage,
        count: sums.n,
        meanAbsoluteErrorMinutes: tenth(sums.absolute / sums.n),
        biasMinutes: tenth(sums.error / sums.n),
        coveragePercent: percent(sums.n - sums.early - sums.late),
        earlyPercent: percent(sums.early),
        latePercent: percent(sums.late),
        meanWidthMinutes: tenth(sums.width / sums.n),
      },
    ];
  });
}

export function peaceOf(cases: readonly CalibrationCase[]): EtaPeace {
  const count = Math.max(1, cases.length);
  const sum = (of: (one: CalibrationCase) => number): number => cases.reduce((total, one) => total + of(one), 0);
  return {
    tellingsPerOrder: Math.round((100 * sum(({ tellings }) => tellings)) / count) / 100,
    toldPercent: tenth((100 * sum(({ tellings }) => Math.min(1, tellings))) / count),
    versionsPerOrder: tenth(sum(({ versions }) => versions) / count),
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The rows of the table; none when nothing was delivered. */
export function calibrationText(calibration: readonly StageCalibration[], peace: EtaPeace): readonly string[] {
  if (calibration.length === 0) return [];
  const row = (name: string, ...cells: (string | number)[]): string =>
    `  ${name.padEnd(24)}${cells.map((cell) => String(cell).padStart(10)).join("")}`;
  return [
    "",
    row("expected arrival", "count", "error min", "bias min", "in range %", "early %", "late %", "width min"),
    ...calibration.map((each) =>
      row(
        each.stage,
        each.count,
        each.meanAbsoluteErrorMinutes,
        each.biasMinutes,
        each.coveragePercent,
        each.earlyPercent,
        each.latePercent,
        each.meanWidthMinutes,
      ),
    ),
    row("told of a change, %", peace.toldPercent),
    row("  times per order", peace.tellingsPerOrder),
    row("versions per order", peace.versionsPerOrder),
  ];
}
