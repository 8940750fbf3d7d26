/**
 * Some of the texts of a vocabulary, and the place of each among them: a quarter of a byte for every text there is. There
 * is one for each search that is understood, so a number for every text would be the largest thing that search keeps.
 */
import type { TextId } from "./vocabulary.js";

export class Fitting {
  /** In the order of their numbers. */
  readonly texts: Uint32Array;
  /** A bit for each text there is, 32 in one number. */
  readonly #bits: Uint32Array;
  /** How many fit of those before each 32. */
  readonly #before: Uint32Array;

  /** `count`: of all texts there are. */
  constructor(texts: ReadonlySet<TextId>, count: number) {
    this.texts = Uint32Array.from(texts).sort();
    this.#bits = new Uint32Array(Math.ceil(count / 32));
    this.#before = new Uint32Array(this.#bits.length);
    for (const text of this.texts) this.#bits[text >>> 5]! |= 1 << (text & 31);
    for (let i = 1; i < this.#bits.length; i++) this.#before[i] = this.#before[i - 1]! + ones(this.#bits[i - 1]!);
  }

  /** Where it stands in `texts`, or −1. */
  placeOf(text: TextId): number {
    const bits = this.#bits[text >>> 5]!;
    const bit = 1 << (text & 31);
    return (bits & bit) === 0 ? -1 : this.#before[text >>> 5]! + ones(bits & (bit - 1));
  }
}

/** How many bits are set: first of every two, then of four, of eight, and of all. */
function ones(bits: number): number {
  const two = bits - ((bits >>> 1) & 0x55555555);
  const four = (two & 0x33333333) + ((two >>> 2) & 0x33333333);
  return Math.imul((four + (four >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
