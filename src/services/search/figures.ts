/**
 * What ranking asks of every restaurant that is near, one beside the other: a restaurant's numbers lie in one place of
 * memory, where the restaurant itself and all it refers to lie in a dozen. Owns where which number stands; the catalogue
 * says what is true and tells every change.
 */
import type { Kept } from "./catalogue.js";
import { lengthFor, widened } from "./columns.js";

/** Where a number stands among those of a restaurant. */
export const LAT = 0;
export const LNG = 1;
export const REACH_METERS = 2;
export const PREP_MINUTES = 3;
export const POPULARITY = 4;
export const USUAL_PRICE_MINOR = 5;
/** Negative: nobody has said anything. */
export const RATING_AVERAGE = 6;
export const RATING_COUNT = 7;
const NUMBERS = 8;
const FIRST_LENGTH = 1_024;
const NOT_RATED = -1;

export class Figures {
  #numbers = new Float64Array(FIRST_LENGTH * NUMBERS);
  #diets = new Uint32Array(FIRST_LENGTH);
  #isCircle = new Uint8Array(FIRST_LENGTH);

  set(slot: number, kept: Kept): void {
    if (slot >= this.#diets.length) this.#grow(slot);
    const numbers = this.#numbers;
    const at = slot * NUMBERS;
    numbers[at + LAT] = kept.point.lat;
    numbers[at + LNG] = kept.point.lng;
    numbers[at + REACH_METERS] = kept.reachMeters;
    numbers[at + PREP_MINUTES] = kept.prepMinutes;
    numbers[at + POPULARITY] = kept.popularity;
    numbers[at + USUAL_PRICE_MINOR] = kept.usualPriceMinor;
    numbers[at + RATING_AVERAGE] = kept.rating?.average ?? NOT_RATED;
    numbers[at + RATING_COUNT] = kept.rating?.count ?? 0;
    this.#diets[slot] = kept.diets;
    this.#isCircle[slot] = kept.isCircle ? 1 : 0;
  }

  /** The numbers of all; those of a slot begin at `startOf(slot)`. */
  get numbers(): Float64Array {
    return this.#numbers;
  }

  startOf(slot: number): number {
    return slot * NUMBERS;
  }

  /** As bits: its own, and those of its dishes. */
  dietsAt(slot: number): number {
    return this.#diets[slot]!;
  }

  /** Whoever is within reach is delivered to. */
  isCircleAt(slot: number): boolean {
    return this.#isCircle[slot] === 1;
  }

  #grow(slot: number): void {
    const length = lengthFor(slot);
    this.#numbers = widened(this.#numbers, new Float64Array(length * NUMBERS));
    this.#diets = widened(this.#diets, new Uint32Array(length));
    this.#isCircle = widened(this.#isCircle, new Uint8Array(length));
  }
}
