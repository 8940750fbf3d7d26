/**
 * Other words for the same. A table of phrases, read from a file: `equal` groups mean each other, `also` widens one phrase
 * by others and not the other way round.
 */
import { editDistance, editsAllowed } from "./typos.js";
import { wordsOf } from "./words.js";

export interface SynonymTable {
  readonly equal: readonly (readonly string[])[];
  readonly also: Readonly<Record<string, readonly string[]>>;
}

export const NO_SYNONYMS: SynonymTable = { equal: [], also: {} };

/** A phrase as its words. */
export type Phrase = readonly string[];

const MAX_PHRASES = 20_000;

export interface Synonyms {
  /** The longest phrase of the table that begins at `from`, as a number of words; 0 for none. */
  longestAt(words: Phrase, from: number): number;
  /** The word of the table that looks most like this one, within the edits that a word of its length forgives. */
  nearest(word: string): string | null;
  /** What else a phrase is called, the phrase itself aside. */
  othersOf(phrase: Phrase): readonly Phrase[];
}

/** Throws when the value is no such table; the message says where. */
export function parseSynonyms(value: unknown): SynonymTable {
  const { equal, also } = (value ?? {}) as { readonly equal?: unknown; readonly also?: unknown };
  const isPhrases = (list: unknown): list is readonly string[] =>
    Array.isArray(list) && list.every((phrase) => typeof phrase === "string" && wordsOf(phrase).length > 0);
  if (!Array.isArray(equal) || !equal.every(isPhrases)) {
    throw new Error("synonyms: `equal` must be an array of groups, each an array of phrases");
  }
  if (also === null || typeof also !== "object" || !Object.values(also).every(isPhrases)) {
    throw new Error("synonyms: `also` must be an object of phrases, each with an array of phrases");
  }
  const phrases = equal.flat().length + Object.values(also).flat().length;
  if (phrases > MAX_PHRASES) throw new Error(`synonyms: more than ${MAX_PHRASES} phrases`);
  return { equal, also: also as SynonymTable["also"] };
}

export function createSynonyms(table: SynonymTable): Synonyms {
  const others = new Map<string, Map<string, Phrase>>();
  let longest = 0;
  const keyOf = (phrase: Phrase): string => phrase.join(" ");
  const link = (from: string, to: string): void => {
    const [a, b] = [wordsOf(from), wordsOf(to)];
    if (a.length === 0 || b.length === 0 || keyOf(a) === keyOf(b)) return;
    longest = Math.max(longest, a.length);
    const known = others.get(keyOf(a)) ?? new Map<string, Phrase>();
    known.set(keyOf(b), b);
    others.set(keyOf(a), known);
  };
  for (const group of table.equal) for (const from of group) for (const to of group) link(from, to);
  for (const [from, list] of Object.entries(table.also)) for (const to of list) link(from, to);
  const single = [...others.keys()].filter((key) => !key.includes(" ")).sort();
  return {
    longestAt(words, from) {
      for (let count = Math.min(longest, words.length - from); count > 0; count--) {
        if (others.has(keyOf(words.slice(from, from + count)))) return count;
      }
      return 0;
    },
    nearest(word) {
      let least = editsAllowed(word.length) + 1;
      let found: string | null = null;
      for (const each of single) {
        const edits = editDistance(word, each, least - 1);
        if (edits >= least) continue;
        least = edits;
        found = each;
      }
      return found;
    },
    othersOf: (phrase) => [...(others.get(keyOf(phrase))?.values() ?? [])],
  };
}
