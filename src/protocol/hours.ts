/**
 * Opening hours: when a restaurant's clock on the wall says that it is open. Pure; runs in a browser. Owns how a week with
 * exceptions is read, and when that changes next. The wall clock decides: where summer time skips an hour nothing opens
 * within it, where it comes twice both count.
 *
 * Invariants: a span whose end is not after its beginning ends on the next day; an exception takes the place of its whole
 * date and of nothing else, also of a span that began the evening before; the last instant of a span is not in it.
 */
import { isTimeZone, wallTime } from "../lib/wall-time.js";
import { type Static, Strict, Text, Type } from "./schemas.js";

export { isTimeZone, wallTime };

const TimeOfDay = Type.String({ pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", maxLength: 5 });

export const OpeningSpan = Strict({ from: TimeOfDay, to: TimeOfDay });
export type OpeningSpan = Static<typeof OpeningSpan>;

export const OpeningHours = Strict({
  /** By IANA name: `Europe/Istanbul`. */
  timeZone: Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_+/-]*$" }),
  /** Day 1 is Monday, 7 Sunday. A span of which `to` is not after `from` ends on the next day. */
  weekly: Type.Array(Strict({ day: Type.Integer({ minimum: 1, maximum: 7 }), from: TimeOfDay, to: TimeOfDay }), {
    maxItems: 42,
  }),
  /** Dates (`2026-12-25`) on which other hours hold, or none. */
  exceptions: Type.Optional(
    Type.Array(
      Strict({
        date: Type.String({ pattern: "^2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", maxLength: 10 }),
        spans: Type.Array(OpeningSpan, { maxItems: 6 }),
        reason: Type.Optional(Text(80)),
      }),
      { maxItems: 60 },
    ),
  ),
});
export type OpeningHours = Static<typeof OpeningHours>;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
/** A week and a day: every span of the week begins and ends within. */
const LOOK_AHEAD_DAYS = 8;

/** The instants at which the wall shows this: none in a gap, two where an hour comes twice. In order. */
export function instantsOf(timeZone: string, wall: number): readonly number[] {
  // Offsets lie between −12 and +14 hours: a day around, both offsets that can be in force are seen.
  const offsets = new Set([-1, 0, 1].map((days) => wallTime(timeZone, wall + days * DAY_MS) - (wall + days * DAY_MS)));
  const instants = [...offsets].map((offset) => wall - offset).filter((at) => wallTime(timeZone, at) === wall);
  return instants.sort((a, b) => a - b);
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** [first minute, minute after the last] of a date; the second may lie in the next one. */
type Span = readonly [from: number, to: number];

function spanOf({ from, to }: OpeningSpan): Span {
  const start = minutesOf(from);
  const end = minutesOf(to);
  return [start, end > start ? end : end + DAY_MINUTES];
}

/** What holds on a date, given as its midnight on the wall. */
function spansOn(hours: OpeningHours, midnight: number): readonly Span[] {
  const exception = exceptionOn(hours, midnight);
  if (exception !== undefined) return exception.spans.map(spanOf);
  // The epoch was a Thursday.
  const day = ((Math.floor(midnight / DAY_MS) + 3) % 7) + 1;
  return hours.weekly.filter((span) => span.day === day).map(spanOf);
}

function exceptionOn(hours: OpeningHours, midnight: number) {
  if (hours.exceptions === undefined || hours.exceptions.length === 0) return undefined;
  const date = new Date(midnight).toISOString().slice(0, 10);
  return hours.exceptions.find((each) => each.date === date);
}

const midnightOf = (wall: number): number => Math.floor(wall / DAY_MS) * DAY_MS;

function openOnWall(hours: OpeningHours, wall: number): boolean {
  const midnight = midnightOf(wall);
  const minute = (wall - midnight) / MINUTE_MS;
  const within = (spans: readonly Span[], at: number): boolean => spans.some(([from, to]) => at >= from && at < to);
  if (within(spansOn(hours, midnight), minute)) return true;
  // What began yesterday goes on past midnight, unless today has hours of its own making.
  return exceptionOn(hours, midnight) === undefined && within(spansOn(hours, midnight - DAY_MS), minute + DAY_MINUTES);
}

export function openAt(hours: OpeningHours, at: number): boolean {
  return openOnWall(hours, wallTime(hours.timeZone, at));
}

/** The first instant after `after` at which open and closed change; null when they never do. */
export function nextChange(hours: OpeningHours, after: number): number | null {
  const { timeZone } = hours;
  const now = openAt(hours, after);
  const today = midnightOf(wallTime(timeZone, after));
  const days = new Set<number>();
  const include = (from: number): void => {
    for (let day = -1; day <= LOOK_AHEAD_DAYS; day++) days.add(from + day * DAY_MS);
  };
  include(today);
  for (const { date } of hours.exceptions ?? []) {
    const midnight = Date.parse(`${date}T00:00:00Z`);
    if (midnight >= today - DAY_MS) include(midnight);
  }
  for (const midnight of [...days].sort((a, b) => a - b)) {
    const instants = changesOf(hours, midnight).filter((at) => at > after && openAt(hours, at) !== now);
    if (instants.length > 0) return Math.min(...instants);
  }
  return null;
}

/** Since when it has been open without a break at `at`, when it is; `from` at the earliest. */
export function openSince(hours: OpeningHours, at: number, from: number): number {
  const first = midnightOf(wallTime(hours.timeZone, from));
  for (let midnight = midnightOf(wallTime(hours.timeZone, at)); midnight >= first; midnight -= DAY_MS) {
    const opens = (each: number): boolean => openAt(hours, each) && !openAt(hours, each - 1);
    const opened = changesOf(hours, midnight).filter((each) => each > from && each <= at && opens(each));
    if (opened.length > 0) return Math.max(...opened);
  }
  return from;
}

/** Instants of one date at which something may change, in no order: edges on the wall, and a change of the zone's offset. */
function changesOf(hours: OpeningHours, midnight: number): readonly number[] {
  const { timeZone } = hours;
  const edges = new Set<number>([0]);
  for (const span of spansOn(hours, midnight)) for (const edge of span) if (edge < DAY_MINUTES) edges.add(edge);
  for (const [, to] of spansOn(hours, midnight - DAY_MS)) if (to >= DAY_MINUTES) edges.add(to - DAY_MINUTES);
  const instants = [...edges].flatMap((minute) => instantsOf(timeZone, midnight + minute * MINUTE_MS));
  const shift = offsetChange(timeZone, midnight);
  return shift === null ? instants : [...instants, shift];
}

/**
 * The instant within a date at which the zone's offset changes: a skipped or repeated hour holds edges that no wall shows.
 * Another date's is not its own: edges of that date may come before.
 */
function offsetChange(timeZone: string, midnight: number): number | null {
  const offsetAt = (at: number): number => wallTime(timeZone, at) - at;
  // The date's instants lie within these, whatever the offset.
  let before = midnight - 14 * 60 * MINUTE_MS;
  let after = midnight + DAY_MS + 12 * 60 * MINUTE_MS;
  const old = offsetAt(before);
  if (offsetAt(after) === old) return null;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle) === old) before = middle;
    else after = middle;
  }
  // What is skipped or repeated may end a date or begin one: then it belongs to both.
  return [after - 1, after].some((at) => midnightOf(wallTime(timeZone, at)) === midnight) ? after : null;
}

/**
 * When a date has this time of day, once: a time that comes twice is its first, and one that summer time skips is the
 * instant at which it is skipped.
 */
function instantOnDate(timeZone: string, midnight: number, minutes: number): number {
  const wall = midnight + minutes * MINUTE_MS;
  const [first] = instantsOf(timeZone, wall);
  if (first !== undefined) return first;
  const offsetAt = (at: number): number => wallTime(timeZone, at) - at;
  // Before the gap by the offset after it, and after it by the one before.
  let before = wall - Math.max(offsetAt(wall - DAY_MS), offsetAt(wall + DAY_MS));
  let after = wall - Math.min(offsetAt(wall - DAY_MS), offsetAt(wall + DAY_MS));
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (wallTime(timeZone, middle) < wall) before = middle;
    else after = middle;
  }
  return after;
}

/** The last date's instant of this time of day, at or before `at`. */
export function lastTimeOfDay(timeZone: string, time: string, at: number): number {
  const today = midnightOf(wallTime(timeZone, at));
  for (let day = 1; ; day--) {
    const instant = instantOnDate(timeZone, today + day * DAY_MS, minutesOf(time));
    if (instant <= at) return instant;
  }
}

/** The first date's instant of this time of day after `at`. */
export function nextTimeOfDay(timeZone: string, time: string, at: number): number {
  const today = midnightOf(wallTime(timeZone, at));
  for (let day = 0; ; day++) {
    const instant = instantOnDate(timeZone, today + day * DAY_MS, minutesOf(time));
    if (instant > at) return instant;
  }
}
