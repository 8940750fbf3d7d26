/**
 * What somebody who is still typing may mean: dishes, restaurants and cuisines of which every word begins as typed, that
 * are to be had here and now.
 */
import type { Point } from "../../lib/geo.js";
import type { Suggestion } from "../../protocol/mod.js";
import type { Catalogue, Kept, Slot } from "./catalogue.js";
import type { RankedList } from "./lists.js";
import type { TextId, WordId } from "./vocabulary.js";
import { plainText, wordsOf } from "./words.js";

/** Of a long list of texts that begin so, the most sold are looked at. */
const MAX_LOOKED_AT = 300;
const MIN_SHOWN = 3;

/** `nearby`: everybody who may deliver to the point. */
export function suggestionsFor(
  catalogue: Catalogue,
  nearby: RankedList,
  point: Point,
  typed: string,
  limit: number,
): readonly Suggestion[] {
  const words = wordsOf(typed);
  if (words.length === 0) return [];
  const here = new Set<Slot>();
  for (let i = 0; i < nearby.slots.length; i++) {
    const slot = nearby.slots[i]!;
    const kept = catalogue.at(slot);
    if (kept?.open === true && (nearby.border[i] === 0 || kept.covers(point))) here.add(slot);
  }
  const exact = textsBeginning(catalogue, words, false);
  let suggestions = judged(catalogue, here, exact);
  if (suggestions.length < MIN_SHOWN) {
    const alike = textsBeginning(catalogue, words, true).filter((text) => !exact.includes(text));
    suggestions = [...suggestions, ...judged(catalogue, here, alike)];
  }
  return suggestions.slice(0, limit);
}

/** Texts with every word, the last one as a beginning; the most sold first. */
function textsBeginning(catalogue: Catalogue, words: readonly string[], typos: boolean): readonly TextId[] {
  const { vocabulary } = catalogue;
  let texts: readonly TextId[] | null = null;
  for (const [i, word] of words.entries()) {
    const exact = vocabulary.wordId(word);
    const meant: WordId[] = exact === undefined ? [] : [exact];
    if (i === words.length - 1) meant.push(...vocabulary.beginningWith(word));
    if (typos) meant.push(...vocabulary.alike(word).map((match) => match.word));
    const having = new Set(meant.flatMap((id) => vocabulary.textsWith(id)));
    texts = texts === null ? [...having] : texts.filter((text) => having.has(text));
  }
  const sold = [...(texts ?? [])].filter((text) => catalogue.slotsWith(text).length > 0);
  return sold
    .sort((a, b) => catalogue.slotsWith(b).length - catalogue.slotsWith(a).length || a - b)
    .slice(0, MAX_LOOKED_AT);
}

function judged(catalogue: Catalogue, here: ReadonlySet<Slot>, texts: readonly TextId[]): Suggestion[] {
  const suggestions: Suggestion[] = [];
  const seen = new Set<string>();
  for (const text of texts) {
    const name = catalogue.vocabulary.text(text);
    const plain = plainText(name);
    const restaurants: Kept[] = [];
    for (const slot of catalogue.slotsWith(text)) if (here.has(slot)) restaurants.push(catalogue.at(slot)!);
    const first = restaurants[0];
    if (first === undefined || seen.has(plain)) continue;
    seen.add(plain);
    const count = { text: name, restaurants: restaurants.length };
    if (restaurants.some((kept) => kept.dishTexts.includes(text))) suggestions.push({ kind: "dish", ...count });
    else if (catalogue.cuisineOf(name) !== undefined) suggestions.push({ kind: "cuisine", ...count });
    else if (restaurants.length > 1) suggestions.push({ kind: "restaurant", ...count });
    else suggestions.push({ kind: "restaurant", ...count, restaurantId: first.restaurantId });
  }
  return suggestions.sort((a, b) => b.restaurants - a.restaurants || (a.text < b.text ? -1 : 1));
}
