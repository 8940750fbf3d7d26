/** Price bands: the quarters of what the restaurants of a currency usually take. */
import type { Kept } from "./catalogue.js";

/** By currency, where the second, third and fourth quarter of the usual prices begin. */
export type PriceBands = ReadonlyMap<string, readonly [number, number, number]>;
export type PriceBand = 1 | 2 | 3 | 4;

type Priced = Pick<Kept, "currency" | "usualPriceMinor">;

/** Null: nothing is known of its prices. */
export function bandOf({ currency, usualPriceMinor }: Priced, bands: PriceBands): PriceBand | null {
  const edges = bands.get(currency);
  if (edges === undefined || usualPriceMinor === 0) return null;
  if (usualPriceMinor < edges[0]) return 1;
  if (usualPriceMinor < edges[1]) return 2;
  return usualPriceMinor < edges[2] ? 3 : 4;
}

export function priceBandsOf(restaurants: Iterable<Priced | null>): PriceBands {
  const prices = new Map<string, number[]>();
  for (const kept of restaurants) {
    if (kept === null || kept.usualPriceMinor === 0) continue;
    const known = prices.get(kept.currency);
    if (known === undefined) prices.set(kept.currency, [kept.usualPriceMinor]);
    else known.push(kept.usualPriceMinor);
  }
  const bands = new Map<string, readonly [number, number, number]>();
  for (const [currency, all] of prices) {
    all.sort((a, b) => a - b);
    const quarter = (n: number): number => all[Math.floor((all.length * n) / 4)]!;
    bands.set(currency, [quarter(1), quarter(2), quarter(3)]);
  }
  return bands;
}
