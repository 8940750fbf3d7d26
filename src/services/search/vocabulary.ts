/**
 * Every distinct text of the catalogue, once: a city's 600,000 dishes share some ten thousand names, and those a few
 * thousand words. Owns the numbers of words and texts, which texts hold a word, and which words look like another.
 * Does not own who sells what.
 *
 * Invariants: a number never changes its meaning; a text that nobody uses any more is forgotten with its words when the
 * index is built anew, so the vocabulary is bounded by the catalogue and its changes since.
 */
import { editDistance, editsAllowed, trigramsOf } from "./typos.js";
import { wordsOf } from "./words.js";

export type WordId = number;
export type TextId = number;

/** A word that may be meant, and how surely: 1 is what was typed. */
export interface WordMatch {
  readonly word: WordId;
  readonly weight: number;
}

/** A beginning is worth less than a word, a part ("cheeseburger" of "burger") and a typo less than that. */
const PREFIX_WEIGHT = 0.8;
const PART_WEIGHT = 0.65;
const EDIT_WEIGHTS = [1, 0.7, 0.5] as const;
const MAX_MATCHES = 64;
const SHORTEST_PREFIX = 2;
const SHORTEST_PART = 4;
/** Of words that share trigrams, this many are measured. */
const MAX_MEASURED = 256;

export class Vocabulary {
  readonly #words: string[] = [];
  readonly #wordIds = new Map<string, WordId>();
  readonly #textsOfWord: TextId[][] = [];
  readonly #trigrams = new Map<string, WordId[]>();
  readonly #texts: string[] = [];
  readonly #textIds = new Map<string, TextId>();
  readonly #wordsOfText: (readonly WordId[])[] = [];
  /** For beginnings: all words in order; null when words have come since. */
  #sorted: string[] | null = null;
  readonly #shared = new Map<WordId, number>();

  get words(): number {
    return this.#words.length;
  }

  get texts(): number {
    return this.#texts.length;
  }

  text(id: TextId): string {
    return this.#texts[id]!;
  }

  word(id: WordId): string {
    return this.#words[id]!;
  }

  wordId(word: string): WordId | undefined {
    return this.#wordIds.get(word);
  }

  wordsOf(text: TextId): readonly WordId[] {
    return this.#wordsOfText[text]!;
  }

  textsWith(word: WordId): readonly TextId[] {
    return this.#textsOfWord[word]!;
  }

  /** The number of a text; new ones get the next. */
  add(text: string): TextId {
    const known = this.#textIds.get(text);
    if (known !== undefined) return known;
    const id = this.#texts.length;
    this.#texts.push(text);
    this.#textIds.set(text, id);
    const words = [...new Set(wordsOf(text).map((word) => this.#addWord(word)))];
    this.#wordsOfText.push(words);
    for (const word of words) this.#textsOfWord[word]!.push(id);
    return id;
  }

  #addWord(word: string): WordId {
    const known = this.#wordIds.get(word);
    if (known !== undefined) return known;
    const id = this.#words.length;
    this.#words.push(word);
    this.#wordIds.set(word, id);
    this.#textsOfWord.push([]);
    this.#sorted = null;
    for (const trigram of trigramsOf(word)) {
      const words = this.#trigrams.get(trigram);
      if (words === undefined) this.#trigrams.set(trigram, [id]);
      else words.push(id);
    }
    return id;
  }

  /** Words that begin so, the word itself aside; the shortest first. */
  beginningWith(prefix: string): readonly WordId[] {
    if (prefix.length < SHORTEST_PREFIX) return [];
    this.#sorted ??= [...this.#words].sort();
    const sorted = this.#sorted;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < prefix) low = middle + 1;
      else high = middle;
    }
    const found: string[] = [];
    for (let i = low; i < sorted.length && sorted[i]!.startsWith(prefix); i++) {
      if (sorted[i] !== prefix) found.push(sorted[i]!);
    }
    found.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    return found.slice(0, MAX_MATCHES).map((word) => this.#wordIds.get(word)!);
  }

  /** Words that hold this one elsewhere than at their beginning, the shortest first. */
  containing(part: string): readonly WordId[] {
    if (part.length < SHORTEST_PART) return [];
    const found: WordId[] = [];
    for (let id = 0; id < this.#words.length; id++) if (this.#words[id]!.indexOf(part, 1) > 0) found.push(id);
    const length = (id: WordId): number => this.#words[id]!.length;
    return found.sort((a, b) => length(a) - length(b) || a - b).slice(0, MAX_MATCHES);
  }

  /** Words within the edits that a word of this length forgives, the nearest first. */
  alike(word: string): readonly WordMatch[] {
    const most = editsAllowed(word.length);
    if (most === 0) return [];
    const shared = this.#shared;
    shared.clear();
    for (const trigram of trigramsOf(word)) {
      for (const id of this.#trigrams.get(trigram) ?? []) shared.set(id, (shared.get(id) ?? 0) + 1);
    }
    const candidates: (readonly [WordId, number])[] = [];
    for (const [id, count] of shared) {
      if (Math.abs(this.#words[id]!.length - word.length) <= most) candidates.push([id, count]);
    }
    candidates.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const near: WordMatch[] = [];
    for (const [id] of candidates.slice(0, MAX_MEASURED)) {
      const edits = editDistance(word, this.#words[id]!, most);
      if (edits > 0 && edits <= most) near.push({ word: id, weight: EDIT_WEIGHTS[edits]! });
    }
    return near.sort((a, b) => b.weight - a.weight || a.word - b.word).slice(0, MAX_MATCHES);
  }

  /**
   * What may be meant by a typed word: itself and what begins with it or holds it; when no text has it, also what looks
   * like it.
   * `typo`: nothing but a typo was found.
   */
  matches(typed: string): { readonly words: readonly WordMatch[]; readonly typo: boolean } {
    const words: WordMatch[] = [];
    const exact = this.#wordIds.get(typed);
    if (exact !== undefined) words.push({ word: exact, weight: 1 });
    for (const word of this.beginningWith(typed)) words.push({ word, weight: PREFIX_WEIGHT });
    const begun = new Set(words.map(({ word }) => word));
    for (const word of this.containing(typed)) if (!begun.has(word)) words.push({ word, weight: PART_WEIGHT });
    if (exact !== undefined) return { words, typo: false };
    const known = new Set(words.map(({ word }) => word));
    const alike = this.alike(typed).filter(({ word }) => !known.has(word));
    return { words: [...words, ...alike], typo: words.length === 0 && alike.length > 0 };
  }
}
