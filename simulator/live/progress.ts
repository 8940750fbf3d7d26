/** The progress line: rewritten in place on a terminal, one line every few seconds elsewhere. */
import type { Clock } from "../../src/lib/clock.js";
import { type CityTime, timeOfDay } from "./city-time.js";
import type { MeterReading } from "./measure/meter.js";

const LINE_MS = 1_000;
/** Into a file or a pipe: often enough to see life, seldom enough to read. */
const PLAIN_EVERY = 5;

/** Where lines go: standard error, or anything that takes text. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  stop(): void;
}

export function showProgress(options: {
  readonly clock: Clock;
  readonly time: CityTime;
  /** Orders to come in all; null when there is no end. */
  readonly total: number | null;
  readonly read: () => MeterReading;
  readonly out: Output;
}): Progress {
  const { clock, time, total, read, out } = options;
  const recent: { at: number; intended: number }[] = [];
  let lines = 0;
  const cancel = clock.every(LINE_MS, () => {
    const reading = read();
    recent.push({ at: clock.monotonic(), intended: reading.counts.intended });
    if (recent.length > 30) recent.shift();
    const first = recent[0]!;
    const minutes = (clock.monotonic() - first.at) / 60_000;
    const perMinute = minutes > 0 ? Math.round((reading.counts.intended - first.intended) / minutes) : 0;
    const line = progressLine(reading, timeOfDay(time.nowCityMs()), total, perMinute);
    if (out.isTTY === true) out.write(`\r\u001b[2K${line.slice(0, Math.max(40, (out.columns ?? 160) - 1))}`);
    else if (lines++ % PLAIN_EVERY === 0) out.write(`${line}\n`);
  });
  return {
    stop() {
      cancel();
      if (out.isTTY === true) out.write("\n");
    },
  };
}

export function progressLine(reading: MeterReading, city: string, total: number | null, perMinute: number): string {
  const { counts, placeToConfirmed } = reading;
  const of = total === null ? "" : `/${total}`;
  return [
    city,
    `placed ${counts.acknowledged}${of}`,
    `confirmed ${counts.confirmed}`,
    `delivered ${counts.delivered}`,
    `cancelled ${counts.cancelled}`,
    ...(counts.undelivered > 0 ? [`undelivered ${counts.undelivered}`] : []),
    ...(counts.rejected > 0 ? [`rejected ${counts.rejected}`] : []),
    ...(counts.refused > 0 ? [`refused ${counts.refused}`] : []),
    `${perMinute}/min`,
    `place→confirmed p50 ${placeToConfirmed.p50} p99 ${placeToConfirmed.p99} ms`,
    `drivers ${counts.driversOnline}`,
    ...(counts.reconnects > 0 ? [`reconnects ${counts.reconnects}`] : []),
  ].join(" · ");
}
