/** Draws from distributions over a `Random`. Every draw uses a fixed number of its numbers, so equal seeds stay in step. */
import type { Random } from "../../src/lib/random.js";

/** Normal distribution (Box and Muller 1958, the cosine branch). */
export function normal(random: Random, mean: number, deviation: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * random.next());
}

/** Log-normal distribution by its median and the deviation of its logarithm: skewed to the right like cooking times. */
export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(normal(random, 0, sigma));
}

/** Exponential distribution by its mean. */
export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.next());
}

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.next();
}

export function chance(random: Random, probability: number): boolean {
  return random.next() < probability;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** One of the entries, with probability in proportion to its weight. The list must not be empty. */
export function weighted<T>(random: Random, entries: readonly (readonly [value: T, weight: number])[]): T {
  let total = 0;
  for (const [, weight] of entries) total += weight;
  let rest = random.next() * total;
  for (const [value, weight] of entries) {
    rest -= weight;
    if (rest < 0) return value;
  }
  return entries[entries.length - 1]![0];
}
