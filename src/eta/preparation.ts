/**
 * How long a kitchen takes, learned from what it did. Owns one restaurant's record: its pace against the menu by hour and
 * load, how far its promises can be trusted, how fast it answers, and whether its "ready" means anything.
 *
 * Invariants: the record is bounded (its names are); equal samples in equal order give equal records; a time that may be
 * too long because nobody pressed "ready" in time never makes the estimate longer.
 */
import { type Effect, type Effects, learn, meanOf, NO_EFFECTS, predicted } from "./effects.js";
import { type CityCalendar, cityHour, hourNames } from "./hours.js";

export interface PreparationRecord {
  /** ln(real ÷ menu time). */
  readonly pace: Effects;
  /** `promise`: ln(real ÷ promised). `accept`: ln(touch ÷ a minute). `atOnce`: share taken the moment it was called ready. */
  readonly habits: Effects;
  /** Mean absolute error in logarithms: of the pace, and of the corrected promise. */
  readonly paceError: Effect;
  readonly promiseError: Effect;
}

export const newPreparation = (): PreparationRecord => ({
  pace: NO_EFFECTS,
  habits: NO_EFFECTS,
  // A promise about one order knows more than a menu does.
  paceError: [0.5, 3],
  promiseError: [0.12, 3],
});

/** What one order taught, once it had left the kitchen. Durations in milliseconds. */
export interface PreparationSample {
  /** Of its slowest dish. */
  readonly menuMs: number;
  /** What the restaurant said when it accepted; null when nothing. */
  readonly promisedMs: number | null;
  readonly acceptedAt: number;
  readonly readyAt: number;
  readonly pickedUpAt: number;
  /** False: the driver's pickup said it, the kitchen had not. */
  readonly saidReady: boolean;
  /** How long the driver had been at the counter when the food was taken; null when it is not known. */
  readonly driverWaitedMs: number | null;
}

const LOAD_CLASSES = [0, 2, 5, 10] as const;
const LOAD_NAMES = ["load0", "load2", "load5", "load10", "loadMore"] as const;
const PACE_RULES = { prior: 10, most: 60, clip: 0.7, maxNames: 40 } as const;
const HABIT_RULES = { prior: 3, most: 40, clip: 0.7, maxNames: 4 } as const;
/** A driver who stood there this long (of the city) was waiting for the food. */
const WAITED_MINUTES = 1;
/** Taken this soon after "ready" (of the city) counts as at once. */
const AT_ONCE_MINUTES = 0.5;
/** From this share on, "ready" is a word said at the handover. */
const SAYS_IT_LATE = 0.6;

function paceNames(at: number, load: number, calendar: CityCalendar): readonly string[] {
  const size = LOAD_CLASSES.findIndex((most) => load <= most);
  return ["all", LOAD_NAMES[size < 0 ? LOAD_NAMES.length - 1 : size] as string, ...hourNames(cityHour(at, calendar))];
}

/** Expected preparation from acceptance on, with `load` other orders being cooked. */
export function preparationMs(
  record: PreparationRecord,
  menuMs: number,
  at: number,
  load: number,
  calendar: CityCalendar,
): number {
  return menuMs * Math.exp(predicted(record.pace, paceNames(at, load, calendar)));
}

/** Expected time until a person has accepted. Until it was seen: a minute, as most do. */
export function acceptMs(record: PreparationRecord, calendar: CityCalendar): number {
  return calendar.minuteMs * Math.exp(meanOf(record.habits, "accept"));
}

/** What to make of a promise: multiply it by `factor`, and let it count `weight` (0…1) against the kitchen's pace. */
export function promiseTrust(record: PreparationRecord): { readonly factor: number; readonly weight: number } {
  const pace = record.paceError[0] ** 2;
  const promise = record.promiseError[0] ** 2;
  return {
    factor: Math.exp(meanOf(record.habits, "promise")),
    weight: pace + promise === 0 ? 0.5 : pace / (pace + promise),
  };
}

/** Pace and promise as one: their weighted geometric mean. */
export function blended(
  paceMs: number,
  promisedMs: number,
  trust: { readonly factor: number; readonly weight: number },
): number {
  const promise = Math.max(1, promisedMs * trust.factor);
  return Math.exp(trust.weight * Math.log(promise) + (1 - trust.weight) * Math.log(Math.max(1, paceMs)));
}

export function learnPreparation(
  record: PreparationRecord,
  sample: PreparationSample,
  load: number,
  calendar: CityCalendar,
): PreparationRecord {
  const { menuMs, promisedMs, acceptedAt, readyAt } = sample;
  const { minuteMs } = calendar;
  const realMs = readyAt - acceptedAt;
  if (!(menuMs > 0) || !(realMs > 0)) return record;
  const waited = sample.driverWaitedMs !== null && sample.driverWaitedMs >= WAITED_MINUTES * minuteMs;
  const atOnce = sample.pickedUpAt - readyAt < AT_ONCE_MINUTES * minuteMs;
  let { habits } = record;
  // A driver who waits takes the food at once anyhow: that says nothing about the kitchen's habits.
  if (!waited) habits = learn(habits, ["atOnce"], atOnce ? 1 : 0, { ...HABIT_RULES, clip: 1 });
  const late = !sample.saidReady || (atOnce && meanOf(habits, "atOnce") > SAYS_IT_LATE);
  const atMost = late && !waited;
  const names = paceNames(acceptedAt, load, calendar);
  const value = Math.log(realMs / menuMs);
  const error = value - predicted(record.pace, names);
  const pace = atMost && error > 0 ? record.pace : learn(record.pace, names, value, PACE_RULES);
  if (atMost) return { ...record, pace, habits };
  const paceError = nearer(record.paceError, Math.min(1, Math.abs(error)));
  if (promisedMs === null || !(promisedMs > 0)) return { ...record, pace, habits, paceError };
  const promise = Math.log(realMs / promisedMs);
  const promiseMiss = Math.abs(promise - meanOf(habits, "promise"));
  return {
    pace,
    habits: learn(habits, ["promise"], promise, HABIT_RULES),
    paceError,
    promiseError: nearer(record.promiseError, Math.min(1, promiseMiss)),
  };
}

/** A person took so long to accept. */
export function learnAcceptance(record: PreparationRecord, tookMs: number, calendar: CityCalendar): PreparationRecord {
  if (!(tookMs > 0)) return record;
  const value = Math.log(Math.max(tookMs, calendar.minuteMs / 60) / calendar.minuteMs);
  // Not clipped by the others' rule: a house that answers in ten seconds is far from a minute and no outlier.
  return { ...record, habits: learn(record.habits, ["accept"], value, { ...HABIT_RULES, clip: 3 }) };
}

const ERROR_MOST = 40;

function nearer([mean, count]: Effect, value: number): Effect {
  const next = mean + (value - mean) / (count + 1);
  return [Math.round(next * 1e6) / 1e6, Math.min(ERROR_MOST, count + 1)];
}
