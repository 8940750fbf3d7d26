/** Days as a calendar counts them. A day is not 24 hours where clocks are put forward or back. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();
const DAY_MS = 24 * 3_600_000;

/**
 * How many days `toMs` is after the day of `fromMs`: 0 on the same day, 1 on the next, from one minute to midnight on too.
 * Without a zone, by the device's own clock.
 */
export function daysBetween(fromMs: number, toMs: number, timeZone?: string): number {
  return dayNumber(toMs, timeZone) - dayNumber(fromMs, timeZone);
}

/** The date of the day that comes so many days after that of `atMs`: `2027-03-28`. */
export function dateAfter(atMs: number, days: number, timeZone?: string): string {
  return new Date((dayNumber(atMs, timeZone) + days) * DAY_MS).toISOString().slice(0, 10);
}

function dayNumber(atMs: number, timeZone: string | undefined): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      year: "numeric",
      month: "numeric",
      day: "numeric",
      calendar: "gregory",
      numberingSystem: "latn",
      ...(timeZone === undefined ? {} : { timeZone }),
    });
    formats.set(timeZone, format);
  }
  const parts = format.formatToParts(atMs);
  const part = (type: "year" | "month" | "day"): number => Number(parts.find((each) => each.type === type)!.value);
  return Date.UTC(part("year"), part("month") - 1, part("day")) / DAY_MS;
}
