/**
 * The restaurants in memory, each in a numbered slot. Owns the slots, which slots sell what, the values of facets, and
 * the order in which things changed. Does not own where they come from (`feed.ts`) nor how they are ranked (`rank.ts`).
 *
 * Invariants: a slot holds one restaurant or none; `slotsWith(text)` are exactly the slots that have the text as a name
 * or as a dish that can be ordered; every change of a slot is in the log under the next number, and the log is bounded;
 * a cuisine has a number while anybody has it; texts and ids that nobody has any more are no more than those in use, or than `SPARE`;
 * `places`, `traits` and `figures` say of every slot what its restaurant says.
 */
import type { Point } from "../../lib/geo.js";
import { bandOf, type PriceBand, type PriceBands, priceBandsOf } from "./bands.js";
import { Figures } from "./figures.js";
import { Places, type ThroughTheEarth } from "./places.js";
import type { SearchableRestaurant } from "./restaurant.js";
import { Traits } from "./traits.js";
import { Values } from "./values.js";
import { type TextId, Vocabulary } from "./vocabulary.js";
import type { Written } from "./written.js";

export type Slot = number;

/** A restaurant, ready to be ranked. Texts are numbers of the vocabulary, diets are bits. */
export interface Kept {
  readonly restaurantId: string;
  readonly version: number;
  readonly menuVersion: number;
  readonly name: string;
  readonly point: Point;
  readonly reachMeters: number;
  /** Whoever is within reach is delivered to. */
  readonly isCircle: boolean;
  readonly covers: SearchableRestaurant["covers"];
  readonly doors: SearchableRestaurant["doors"];
  open: boolean;
  judgeAgainAt: number;
  readonly cuisines: readonly number[];
  /** Its own, and those of its dishes. */
  readonly diets: number;
  readonly currency: string;
  readonly deliveryFeeMinor: number;
  readonly minimumOrderMinor: number | null;
  readonly prepMinutes: number;
  readonly imageUrl: string | null;
  /** The middle one of its dishes; 0 without any. */
  readonly usualPriceMinor: number;
  /** All that is below of the house and its dishes, one after the other: who looks for a text reads through it once. */
  readonly texts: Uint32Array;
  /** The name first. */
  readonly houseTexts: Uint32Array;
  readonly dishTexts: Uint32Array;
  readonly dishDiets: Uint32Array;
  readonly dishPrices: Uint32Array;
  readonly dishIds: readonly string[];
  readonly dishImages: readonly (string | null)[] | null;
  /** From 0 to 1. */
  popularity: number;
  rating: Rating | null;
  /** Null: not shown since it changed. */
  written: Written | null;
}

export interface Rating {
  readonly average: number;
  readonly count: number;
}

/** Diets beyond these are not told apart. */
const MAX_DIETS = 31;
const MAX_CUISINES = 4_096;
/** Lists older than this many changes are made anew. */
export const LOG_LENGTH = 1_024;
/** So many texts that nobody has any more are kept in any case: to forget them is to go through all the others. */
const SPARE = 20_000;

export class Catalogue {
  readonly vocabulary = new Vocabulary();
  readonly places = new Places();
  readonly traits = new Traits();
  readonly figures = new Figures();
  readonly #slots: (Kept | null)[] = [];
  readonly #byId = new Map<string, Slot>();
  readonly #free: Slot[] = [];
  #slotsWith: Slot[][] = [];
  /** Texts that a slot has. */
  #textsInUse = 0;
  readonly #cuisines = new Values(MAX_CUISINES);
  readonly #diets = new Values(MAX_DIETS);
  readonly #log = new Int32Array(LOG_LENGTH);
  /** Texts that came alike are one string in memory: ids of dishes repeat a lot. */
  #strings = new Map<string, string>();
  /** With more than so many it is looked which of them are in use. */
  #mostStrings: number;
  readonly #spare: number;
  #bands: PriceBands = new Map();
  /** No doors open or close by themselves before. */
  #doorsDueAt = Number.POSITIVE_INFINITY;
  #changes = 0;
  #dishes = 0;

  /** `spare`: how much that is not in use is kept in any case. */
  constructor(spare = SPARE) {
    this.#spare = spare;
    this.#mostStrings = spare;
  }

  /** How many changes there have been. */
  get changes(): number {
    return this.#changes;
  }
  get restaurants(): number {
    return this.#byId.size;
  }
  get dishes(): number {
    return this.#dishes;
  }
  /** Slots are numbered below this. */
  get size(): number {
    return this.#slots.length;
  }
  get cuisineNames(): readonly string[] {
    return this.#cuisines.names;
  }
  get dietNames(): readonly string[] {
    return this.#diets.names;
  }

  at(slot: Slot): Kept | null {
    return this.#slots[slot] ?? null;
  }

  find(restaurantId: string): Kept | null {
    const slot = this.#byId.get(restaurantId);
    return slot === undefined ? null : this.#slots[slot]!;
  }

  ids(): IterableIterator<string> {
    return this.#byId.keys();
  }

  slotsWith(text: TextId): readonly Slot[] {
    return this.#slotsWith[text] ?? [];
  }

  cuisineOf(name: string): number | undefined {
    return this.#cuisines.find(name);
  }

  /** As bits; null when nothing is that. */
  dietsOf(names: readonly string[]): number | null {
    let bits = 0;
    for (const name of names) {
      const id = this.#diets.find(name);
      if (id === undefined) return null;
      bits |= 1 << id;
    }
    return bits;
  }

  /** The slots that changed after the change of this number, or null when the log does not reach back so far. */
  changedSince(change: number): ReadonlySet<Slot> | null {
    if (this.#changes - change > LOG_LENGTH) return null;
    const slots = new Set<Slot>();
    for (let i = change; i < this.#changes; i++) slots.add(this.#log[i % LOG_LENGTH]!);
    return slots;
  }

  /** Puts a restaurant in place of what was known of it. */
  put(restaurant: SearchableRestaurant, version: number, now: number): void {
    const known = this.#byId.get(restaurant.restaurantId);
    const slot = known ?? this.#free.pop() ?? this.#slots.length;
    const before = known === undefined ? null : this.#slots[slot]!;
    const kept = this.#keep(restaurant, version, now, before);
    if (before !== null) this.#unlist(slot, before);
    this.#slots[slot] = kept;
    this.#byId.set(kept.restaurantId, slot);
    this.places.set(slot, kept.point, kept.reachMeters);
    this.#doorsDueAt = Math.min(this.#doorsDueAt, kept.judgeAgainAt);
    this.#setTraits(slot, kept);
    this.figures.set(slot, kept);
    for (const text of textsOf(kept)) {
      const slots = this.#slotsWith[text];
      if (slots === undefined || slots.length === 0) this.#textsInUse++;
      if (slots === undefined) this.#slotsWith[text] = [slot];
      else slots.push(slot);
    }
    this.#dishes += kept.dishTexts.length;
    this.#changed(slot);
    this.#forget();
  }

  remove(restaurantId: string): void {
    const slot = this.#byId.get(restaurantId);
    if (slot === undefined) return;
    this.#unlist(slot, this.#slots[slot]!);
    this.#slots[slot] = null;
    this.places.clear(slot);
    this.#byId.delete(restaurantId);
    this.#free.push(slot);
    this.#changed(slot);
    this.#forget();
  }

  /** Opens and closes what does so by the clock. Nothing that was ranked changes: doors are looked at when a page is made. */
  judgeDoors(now: number): void {
    if (now < this.#doorsDueAt) return;
    this.#doorsDueAt = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const kept = this.#slots[slot]!;
      if (kept === null) continue;
      if (kept.judgeAgainAt <= now) {
        const { open, judgeAgainAt } = kept.doors(now);
        kept.open = open;
        kept.judgeAgainAt = judgeAgainAt;
        this.#setTraits(slot, kept);
      }
      this.#doorsDueAt = Math.min(this.#doorsDueAt, kept.judgeAgainAt);
    }
  }

  /** Makes the price bands of what is here now. Between two calls newcomers are judged by those of the last one. */
  judgeBands(): void {
    this.#bands = priceBandsOf(this.#slots);
    for (const [slot, kept] of this.#slots.entries()) {
      if (kept === null) continue;
      kept.written = null;
      this.#setTraits(slot, kept);
    }
  }

  /** Whether it delivers to the point, which is told in both ways. */
  covers(slot: Slot, point: Point, from: ThroughTheEarth): boolean {
    const reaches = this.places.reaches(slot, from);
    if (reaches === false) return false;
    const kept = this.#slots[slot]!;
    return (reaches === true && kept.isCircle) || kept.covers(point);
  }

  bandOf(kept: Kept): PriceBand | null {
    return bandOf(kept, this.#bands);
  }

  #setTraits(slot: Slot, kept: Kept): void {
    this.traits.set(slot, kept, this.bandOf(kept));
  }

  setPopularity(restaurantId: string, popularity: number): void {
    const slot = this.#byId.get(restaurantId);
    const kept = slot === undefined ? null : this.#slots[slot]!;
    if (slot === undefined || kept === null || kept.popularity === popularity) return;
    kept.popularity = popularity;
    this.figures.set(slot, kept);
    this.#changed(slot);
  }

  setRating(restaurantId: string, rating: Rating | null): void {
    const slot = this.#byId.get(restaurantId);
    const kept = slot === undefined ? null : this.#slots[slot]!;
    if (slot === undefined || kept === null) return;
    if (kept.rating?.average === rating?.average && kept.rating?.count === rating?.count) return;
    kept.rating = rating;
    kept.written = null;
    this.#setTraits(slot, kept);
    this.figures.set(slot, kept);
    this.#changed(slot);
  }

  #changed(slot: Slot): void {
    this.#log[this.#changes % LOG_LENGTH] = slot;
    this.#changes++;
  }

  #unlist(slot: Slot, kept: Kept): void {
    for (const text of textsOf(kept)) {
      const slots = this.#slotsWith[text]!;
      slots[slots.indexOf(slot)] = slots.at(-1)!;
      slots.pop();
      if (slots.length === 0) this.#textsInUse--;
    }
    for (const cuisine of kept.cuisines) this.#cuisines.release(cuisine);
    this.#dishes -= kept.dishTexts.length;
  }

  #takeCuisines(names: readonly string[]): readonly number[] {
    const taken = new Set<number>();
    for (const name of names) {
      const id = this.#cuisines.take(name);
      if (id === undefined) continue;
      if (taken.has(id)) this.#cuisines.release(id);
      taken.add(id);
    }
    return [...taken];
  }

  /** Menus that are written again and again leave texts and ids behind. No list changes: it holds slots, not texts. */
  #forget(): void {
    const unused = this.vocabulary.texts - this.#textsInUse;
    if (unused > Math.max(this.#spare, this.#textsInUse)) this.#forgetTexts();
    if (this.#strings.size > this.#mostStrings) this.#forgetStrings();
  }

  #forgetTexts(): void {
    const numbers = this.vocabulary.keepOnly((text) => this.slotsWith(text).length > 0);
    this.#slotsWith = this.#slotsWith.filter((slots) => slots.length > 0);
    for (const kept of this.#slots) {
      if (kept === null) continue;
      for (const texts of [kept.houseTexts, kept.dishTexts])
        for (let i = 0; i < texts.length; i++) texts[i] = numbers[texts[i]!]!;
    }
  }

  #forgetStrings(): void {
    this.#strings = new Map();
    for (const kept of this.#slots) {
      if (kept === null) continue;
      this.#one(kept.currency);
      for (const id of kept.dishIds) this.#one(id);
    }
    this.#mostStrings = Math.max(this.#spare, 2 * this.#strings.size);
  }

  #one(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, text);
    return text;
  }

  #keep(from: SearchableRestaurant, version: number, now: number, before: Kept | null): Kept {
    const { vocabulary } = this;
    const { dishes, lat, lng } = from;
    const bitsOf = (names: readonly string[]): number => {
      let bits = 0;
      for (const name of names) {
        const id = this.#diets.take(name);
        if (id !== undefined) bits |= 1 << id;
      }
      return bits;
    };
    const house = bitsOf(from.diets);
    const houseTexts = new Set([from.name, ...from.cuisines, ...from.words].map((text) => vocabulary.add(text)));
    const dishTexts = dishes.map((dish) => vocabulary.add(dish.name));
    const dishDiets = dishes.map((dish) => bitsOf(dish.diets) | house);
    const texts = Uint32Array.from([...houseTexts, ...dishTexts, ...dishDiets]);
    const dishesFrom = houseTexts.size;
    const dietsFrom = dishesFrom + dishes.length;
    const prices = dishes.map((dish) => dish.priceMinor).sort((a, b) => a - b);
    const { open, judgeAgainAt } = from.doors(now);
    return {
      restaurantId: from.restaurantId,
      version,
      menuVersion: from.menuVersion,
      name: from.name,
      point: { lat, lng },
      reachMeters: from.reachMeters,
      isCircle: from.isCircle,
      covers: from.covers,
      doors: from.doors,
      open,
      judgeAgainAt,
      cuisines: this.#takeCuisines(from.cuisines),
      diets: dishDiets.reduce((bits, dish) => bits | dish, house),
      currency: this.#one(from.currency),
      deliveryFeeMinor: from.deliveryFeeMinor,
      minimumOrderMinor: from.minimumOrderMinor,
      prepMinutes: from.prepMinutes,
      imageUrl: from.imageUrl,
      usualPriceMinor: prices[Math.floor(prices.length / 2)] ?? 0,
      texts,
      houseTexts: texts.subarray(0, dishesFrom),
      dishTexts: texts.subarray(dishesFrom, dietsFrom),
      dishDiets: texts.subarray(dietsFrom),
      dishPrices: Uint32Array.from(dishes, (dish) => dish.priceMinor),
      dishIds: dishes.map((dish) => this.#one(dish.itemId)),
      dishImages: dishes.some((dish) => dish.imageUrl !== null) ? dishes.map((dish) => dish.imageUrl) : null,
      popularity: before?.popularity ?? 0,
      rating: before?.rating ?? null,
      written: null,
    };
  }
}

const textsOf = ({ houseTexts, dishTexts }: Kept): ReadonlySet<TextId> => new Set([...houseTexts, ...dishTexts]);
