/**
 * What filters and counts ask of every restaurant of a list, packed into one number each: a list of a thousand is judged
 * without a look at a thousand restaurants, which are all over the memory. Owns the packing only; the catalogue says what
 * is true and tells every change.
 */
import type { PriceBand } from "./bands.js";
import { lengthFor, widened } from "./columns.js";

const OPEN = 1;
const BAND_SHIFT = 1;
const BAND_MASK = 7;
const CUISINE_SHIFT = 4;
const NO_CUISINE = 0;
const SEVERAL_CUISINES = 1;
const FIRST_CUISINE = 2;
const FIRST_LENGTH = 1_024;

/** Instead of the number of a cuisine. */
export const NONE = -2;
export const SEVERAL = -1;

export interface TraitsOf {
  readonly open: boolean;
  readonly cuisines: readonly number[];
  readonly rating: { readonly average: number } | null;
}

export class Traits {
  #packed = new Int32Array(FIRST_LENGTH);
  #ratings = new Float64Array(FIRST_LENGTH);

  set(slot: number, { open, cuisines, rating }: TraitsOf, band: PriceBand | null): void {
    if (slot >= this.#packed.length) this.#grow(slot);
    const cuisine =
      cuisines.length === 0 ? NO_CUISINE : cuisines.length > 1 ? SEVERAL_CUISINES : FIRST_CUISINE + cuisines[0]!;
    this.#packed[slot] = (open ? OPEN : 0) | ((band ?? 0) << BAND_SHIFT) | (cuisine << CUISINE_SHIFT);
    this.#ratings[slot] = rating?.average ?? 0;
  }

  /** To be read by `isOpen`, `bandIn` and `cuisineIn`. */
  at(slot: number): number {
    return this.#packed[slot]!;
  }

  /** The average of what people said; 0 for nothing. */
  ratingAt(slot: number): number {
    return this.#ratings[slot]!;
  }

  #grow(slot: number): void {
    const length = lengthFor(slot);
    this.#packed = widened(this.#packed, new Int32Array(length));
    this.#ratings = widened(this.#ratings, new Float64Array(length));
  }
}

export const isOpen = (traits: number): boolean => (traits & OPEN) !== 0;

/** 0: in none. */
export const bandIn = (traits: number): number => (traits >> BAND_SHIFT) & BAND_MASK;

/** The number of the one cuisine, or `NONE`, or `SEVERAL`. */
export const cuisineIn = (traits: number): number => (traits >> CUISINE_SHIFT) - FIRST_CUISINE;
