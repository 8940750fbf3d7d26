/** What the clock on the wall shows, by the IANA database of time zones. Runs in a browser. */

/** Formatters are dear to make. There are some 600 zones, and a market uses a few. */
const MAX_ZONES = 200;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    if (formatters.size >= MAX_ZONES) formatters.clear();
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

export function isTimeZone(name: string): boolean {
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The wall clock of a zone at an instant, written as if it were UTC: `wall − at` is the zone's offset. */
export function wallTime(timeZone: string, at: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatterOf(timeZone).formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1000) + 1000) % 1000);
}

/** A market's clock: its time zone, which knows of summer time; without one always so many minutes ahead of UTC. */
export interface MarketClock {
  readonly timeZone: string | null;
  readonly utcOffsetMinutes: number;
}

const MINUTE_MS = 60_000;
/** Clocks are put forward and back at full quarters of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;
/** The answer for the quarter that was asked for last: reading a zone takes a hundred times longer. */
let known = { timeZone: "", quarter: Number.NaN, minutes: 0 };

/** The market's time minus UTC at this instant, in minutes. */
export function offsetMinutes({ timeZone, utcOffsetMinutes }: MarketClock, at: number): number {
  if (timeZone === null) return utcOffsetMinutes;
  const quarter = Math.floor(at / QUARTER_MS);
  if (known.quarter !== quarter || known.timeZone !== timeZone) {
    const from = quarter * QUARTER_MS;
    known = { timeZone, quarter, minutes: Math.round((wallTime(timeZone, from) - from) / MINUTE_MS) };
  }
  return known.minutes;
}
