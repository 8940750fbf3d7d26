/**
 * What a typed text means: terms that all have to be found, each with the words that may be meant by it, and for every
 * text of the catalogue how well it fits each term. Made once for a text and used for every place it is searched from.
 */
import { createHash } from "node:crypto";
import { Fitting } from "./fitting.js";
import type { Phrase, Synonyms } from "./synonyms.js";
import type { TextId, Vocabulary, WordId } from "./vocabulary.js";
import { wordsOf } from "./words.js";

export const MAX_TERMS = 8;
/** Another word for what was typed is nearly as good. */
const SYNONYM_WEIGHT = 0.9;
/** A text that says nothing else fits better than one among many words. */
const FULL_SHARE = 0.15;

/** Words of which one is enough, with their weights. */
type Meanings = Map<WordId, number>;
/** All of these have to be there. */
type Alternative = { readonly words: readonly Meanings[]; readonly weight: number };
type Term = readonly Alternative[];

export interface Plan {
  /** The same for texts that mean the same. */
  readonly key: string;
  readonly terms: number;
  /** Texts that fit a term at least. */
  readonly fitting: Fitting;
  /** For each text that fits, in their order, one weight a term: 0 is not there, 1 is the very words. */
  readonly weights: Float32Array;
  readonly corrections: readonly { readonly typed: string; readonly used: string }[];
  /** Of the vocabulary it was made with: with another it has to be made anew. */
  readonly version: number;
  /** What is meant, in short: plans of one identity weigh every text alike, whenever they were made. */
  readonly identity: string;
}

/** Plans of what is searched for again and again, the one used longest ago first. */
export class Plans {
  readonly #vocabulary: Vocabulary;
  readonly #synonyms: Synonyms;
  readonly #most: number;
  readonly #plans = new Map<string, Plan>();

  constructor(vocabulary: Vocabulary, synonyms: Synonyms, most: number) {
    this.#vocabulary = vocabulary;
    this.#synonyms = synonyms;
    this.#most = most;
  }

  /** Null: the text holds no word, and everything fits. */
  of(text: string): Plan | null {
    const words = wordsOf(text);
    if (words.length === 0) return null;
    const key = words.join(" ");
    let plan = this.#plans.get(key);
    this.#plans.delete(key);
    if (plan === undefined || plan.version !== this.#vocabulary.version) {
      plan = planOf(words, this.#vocabulary, this.#synonyms);
    }
    this.#plans.set(key, plan);
    if (this.#plans.size > this.#most) for (const oldest of this.#plans.keys()) if (this.#plans.delete(oldest)) break;
    return plan;
  }
}

function planOf(words: Phrase, vocabulary: Vocabulary, synonyms: Synonyms): Plan {
  const corrections: { typed: string; used: string }[] = [];
  const terms = termsOf(words, vocabulary, synonyms, corrections);
  const fitting = new Fitting(fittingTexts(terms, vocabulary), vocabulary.texts);
  const weights = new Float32Array(fitting.texts.length * terms.length);
  fitting.texts.forEach((text, index) => {
    weighText(vocabulary.wordsOf(text), terms, weights, index * terms.length);
  });
  return {
    key: words.join(" "),
    terms: terms.length,
    fitting,
    weights,
    corrections,
    version: vocabulary.version,
    identity: identityOf(terms, vocabulary),
  };
}

function termsOf(
  words: Phrase,
  vocabulary: Vocabulary,
  synonyms: Synonyms,
  corrections: { typed: string; used: string }[],
): readonly Term[] {
  const terms: Term[] = [];
  for (let from = 0; from < words.length && terms.length < MAX_TERMS; ) {
    const count = Math.max(1, synonyms.longestAt(words, from));
    const phrase = words.slice(from, from + count);
    from += count;
    const alternatives: Alternative[] = [{ words: phrase.map((word) => meaningsOf(word, vocabulary)), weight: 1 }];
    let named: Phrase = phrase;
    if (count === 1) {
      const { words: found, typo } = vocabulary.matches(phrase[0]!);
      // Whoever types a known word wrongly wants its other names too.
      if (typo) {
        named = [vocabulary.word(found[0]!.word)];
        corrections.push({ typed: phrase[0]!, used: named[0]! });
      } else if (found.length === 0 && synonyms.othersOf(phrase).length === 0) {
        // No menu has a word like it, but what is on the menus may have a name like it.
        const near = synonyms.nearest(phrase[0]!);
        const isKnown = (other: Phrase) => other.every((word) => vocabulary.wordId(word) !== undefined);
        if (near !== null && synonyms.othersOf([near]).some(isKnown)) {
          named = [near];
          corrections.push({ typed: phrase[0]!, used: near });
        }
      }
    }
    for (const other of synonyms.othersOf(named)) {
      const meanings = other.map((word) => exactly(word, vocabulary));
      if (meanings.every((each) => each.size > 0)) alternatives.push({ words: meanings, weight: SYNONYM_WEIGHT });
    }
    terms.push(alternatives);
  }
  return terms;
}

/** By the words themselves: their numbers mean others once words have been forgotten. */
function identityOf(terms: readonly Term[], vocabulary: Vocabulary): string {
  const named = (meanings: Meanings) => [...meanings].map(([word, weight]) => [vocabulary.word(word), weight]);
  const plain = terms.map((term) => term.map(({ words, weight }) => [weight, words.map(named)]));
  return createHash("sha256").update(JSON.stringify(plain)).digest("base64url").slice(0, 22);
}

function meaningsOf(word: string, vocabulary: Vocabulary): Meanings {
  return new Map(vocabulary.matches(word).words.map((match) => [match.word, match.weight]));
}

function exactly(word: string, vocabulary: Vocabulary): Meanings {
  const id = vocabulary.wordId(word);
  return new Map(id === undefined ? [] : [[id, 1]]);
}

function fittingTexts(terms: readonly Term[], vocabulary: Vocabulary): ReadonlySet<TextId> {
  const texts = new Set<TextId>();
  for (const term of terms) {
    for (const { words } of term) {
      // Every word has to be there, so the texts of one of them are enough: of the one with the fewest.
      let fewest: readonly TextId[] | null = null;
      for (const meanings of words) {
        const having = [...meanings.keys()].flatMap((word) => vocabulary.textsWith(word));
        if (fewest === null || having.length < fewest.length) fewest = having;
      }
      for (const text of fewest ?? []) texts.add(text);
    }
  }
  return texts;
}

function weighText(words: readonly WordId[], terms: readonly Term[], weights: Float32Array, from: number): void {
  let fitting = 0;
  terms.forEach((term, t) => {
    let best = 0;
    let used = 0;
    for (const alternative of term) {
      let least = alternative.weight;
      for (const meanings of alternative.words) {
        let weight = 0;
        for (const word of words) weight = Math.max(weight, meanings.get(word) ?? 0);
        least = Math.min(least, weight * alternative.weight);
      }
      if (least > best) {
        best = least;
        used = alternative.words.length;
      }
    }
    weights[from + t] = best;
    fitting += used;
  });
  const share = 1 - FULL_SHARE + FULL_SHARE * Math.min(1, fitting / Math.max(1, words.length));
  for (let t = 0; t < terms.length; t++) weights[from + t]! *= share;
}
