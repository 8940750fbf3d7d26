/**
 * Every distinct text of the catalogue, once: a city's 600,000 dishes share some ten thousand names, and those a few
 * thousand words. Owns the numbers of words and texts, which texts hold a word, and which words look like another.
 * Does not own who sells what.
 *
 * Invariant: a number keeps its meaning as long as `version` stays; whoever calls `keepOnly` says which texts are in use,
 * and gives the others up.
 */
import { editDistance, editsAllowed, trigramsOf } from "./typos.js";
import { isLoneCharacter, wordsOf } from "./words.js";

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
/** So many pairs hold one character. */
const MAX_PAIRS = 1_024;
const SHORTEST_PREFIX = 2;
const SHORTEST_PART = 4;
/** Of words that share trigrams, this many are measured. */
const MAX_MEASURED = 256;

export class Vocabulary {
  #words: string[] = [];
  #wordIds = new Map<string, WordId>();
  #textsOfWord: TextId[][] = [];
  readonly #trigrams = new Map<string, WordId[]>();
  #texts: string[] = [];
  #textIds = new Map<string, TextId>();
  #wordsOfText: (readonly WordId[])[] = [];
  #version = 0;
  /** For beginnings: all words in order; null when words have come since. */
  #sorted: string[] | null = null;
  readonly #shared = new Map<WordId, number>();

  /** Another with every text that comes, and when texts were forgotten. */
  get version(): number {
    return this.#version;
  }

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
    this.#version++;
    return id;
  }

  /**
   * Forgets the other texts, and words that no text has any more. What stays has a new number, in the order of before, so
   * that whatever goes by numbers goes as it did. Returns the new number of each text, −1 for what is forgotten.
   */
  keepOnly(isUsed: (text: TextId) => boolean): Int32Array {
    const newText = numberedAnew(this.#texts.length, isUsed);
    const isKept = (_: unknown, text: TextId): boolean => newText[text]! >= 0;
    this.#texts = this.#texts.filter(isKept);
    this.#textIds = idsOf(this.#texts);
    this.#wordsOfText = this.#wordsOfText.filter(isKept);
    const inUse = new Uint8Array(this.#words.length);
    for (const words of this.#wordsOfText) for (const word of words) inUse[word] = 1;
    const newWord = numberedAnew(this.#words.length, (word) => inUse[word] === 1);
    this.#wordsOfText = this.#wordsOfText.map((words) => words.map((word) => newWord[word]!));
    this.#words = this.#words.filter((_, word) => inUse[word] === 1);
    this.#wordIds = idsOf(this.#words);
    this.#textsOfWord = this.#textsOfWord.filter((_, word) => inUse[word] === 1).map((texts) => moved(texts, newText));
    for (const [trigram, words] of this.#trigrams) {
      const left = moved(words, newWord);
      if (left.length === 0) this.#trigrams.delete(trigram);
      else this.#trigrams.set(trigram, left);
    }
    this.#sorted = null;
    this.#version++;
    return newText;
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
    const isLone = isLoneCharacter(prefix);
    if (prefix.length < SHORTEST_PREFIX && !isLone) return [];
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
    return found.slice(0, isLone ? MAX_PAIRS : MAX_MATCHES).map((word) => this.#wordIds.get(word)!);
  }

  /** Words that hold this one elsewhere than at their beginning, the shortest first. */
  containing(part: string): readonly WordId[] {
    const isLone = isLoneCharacter(part);
    if (part.length < SHORTEST_PART && !isLone) return [];
    const found: WordId[] = [];
    for (let id = 0; id < this.#words.length; id++) if (this.#words[id]!.indexOf(part, 1) > 0) found.push(id);
    const length = (id: WordId): number => this.#words[id]!.length;
    return found.sort((a, b) => length(a) - length(b) || a - b).slice(0, isLone ? MAX_PAIRS : MAX_MATCHES);
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

function numberedAnew(count: number, isKept: (id: number) => boolean): Int32Array {
  const numbers = new Int32Array(count).fill(-1);
  let next = 0;
  for (let id = 0; id < count; id++) if (isKept(id)) numbers[id] = next++;
  return numbers;
}

/** By their new numbers, without what is forgotten. */
function moved(ids: readonly number[], numbers: Int32Array): number[] {
  const now: number[] = [];
  for (const id of ids) if (numbers[id]! >= 0) now.push(numbers[id]!);
  return now;
}

function idsOf(names: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (let id = 0; id < names.length; id++) ids.set(names[id]!, id);
  return ids;
}
