/**
 * Learning a logarithm as a sum of effects: "this house", "at noon", "with six orders in the kitchen". Owns the arithmetic
 * of one step; what the effects are called is the caller's.
 *
 * Invariants: an effect that was never seen is nothing; each step's pull is bounded, so an outlier moves no more than any
 * surprise does; old steps are forgotten, because a count stops at `most`; no more names are kept than allowed.
 */

/** Mean effect and how often it was seen (up to the bound). */
export type Effect = readonly [mean: number, count: number];
export type Effects = Readonly<Record<string, Effect>>;

export const NO_EFFECTS: Effects = {};

export interface LearningRules {
  /** As if nothing had been seen this often before: pulls effects of rare names towards zero. */
  readonly prior: number;
  /** The count at which an effect stops becoming more stubborn. */
  readonly most: number;
  /** The largest surprise that counts, in natural logarithms. */
  readonly clip: number;
  /** Names kept. */
  readonly maxNames: number;
}

/** The sum of these effects. */
export function predicted(effects: Effects, names: readonly string[]): number {
  let sum = 0;
  for (const name of names) sum += meanOf(effects, name);
  return sum;
}

export function meanOf(effects: Effects, name: string): number {
  return Object.hasOwn(effects, name) ? (effects[name]?.[0] ?? 0) : 0;
}

export function countOf(effects: Effects, name: string): number {
  return Object.hasOwn(effects, name) ? (effects[name]?.[1] ?? 0) : 0;
}

/**
 * One step towards `value`, shared by the named effects. The first name is the common one and is learned fastest; it has a
 * third of the prior. Returns new effects; the old ones stay as they are.
 */
export function learn(effects: Effects, names: readonly string[], value: number, rules: LearningRules): Effects {
  if (!Number.isFinite(value)) return effects;
  const surprise = Math.max(-rules.clip, Math.min(rules.clip, value - predicted(effects, names)));
  const next: Record<string, Effect> = { ...effects };
  let size = Object.keys(next).length;
  for (const [index, name] of names.entries()) {
    const known = Object.hasOwn(next, name);
    if (!known && size >= rules.maxNames) continue;
    if (!known) size++;
    const [mean, count] = known ? (next[name] as Effect) : [0, 0];
    const prior = index === 0 ? rules.prior / 3 : rules.prior;
    // The names after the first explain what is left over: together they take no larger a step than it does.
    const share = index === 0 ? 1 : 1 / Math.max(1, names.length - 1);
    const step = (share * surprise) / (count + 1 + prior);
    next[name] = [rounded(mean + step), Math.min(rules.most, count + 1)];
  }
  return next;
}

/** Six decimals: more would only make snapshots differ. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
