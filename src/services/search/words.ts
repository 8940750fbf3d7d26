/**
 * How texts become words: the same for menus, for what people type and for the list of synonyms, so that the three meet.
 * Case, accents, apostrophes and a plural's "s" make no difference. Scripts written without spaces become pairs of
 * characters.
 */

/** Of one text; what comes after is not looked at. Pairs are counted apart: a dish of ten words is written with forty. */
export const MAX_WORDS = 24;
export const MAX_PAIRS_OF_TEXT = 120;
const MAX_WORD_LENGTH = 32;

const LETTERS: Readonly<Record<string, string>> = {
  ı: "i",
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  þ: "th",
  ł: "l",
  ħ: "h",
  // The letter at a word's end, and letters that keyboards and habits write for each other.
  ς: "σ",
  ة: "ه",
  ى: "ي",
  ی: "ي",
  ک: "ك",
};
const SPECIAL = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");
/** Latin, Greek and Cyrillic accents; Hebrew points; Arabic vowels, hamzas and the stretching of letters; the dot of Hindi's borrowed sounds. */
const ACCENTS =
  /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u093c]/g;
const APOSTROPHES = /['’`´ʼ]/g;
const RUNS = /[\p{L}\p{N}\p{M}]+/gu;
const WITHOUT_SPACES =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー";
const UNSPACED = new RegExp(`[${WITHOUT_SPACES}]`, "u");
/** Also where such a script stands beside another: `BBQチキン` is a word and what is made into pairs. */
const PARTS = new RegExp(`[${WITHOUT_SPACES}][${WITHOUT_SPACES}\\p{M}]*|[^${WITHOUT_SPACES}\\s]+`, "gu");
/** Written in katakana or in hiragana it is the same word. */
const KATAKANA = /[ァ-ヶ]/g;
const HIRAGANA_BELOW = 0x60;
const LATIN = /^[a-z]+$/;

/** Without case, accents and apostrophes; words apart by single spaces. Never longer than 4 times the text. */
export function plainText(text: string): string {
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(ACCENTS, "")
    .replace(APOSTROPHES, "")
    .normalize("NFC")
    .replace(SPECIAL, (letter) => LETTERS[letter] ?? letter);
  return (plain.match(RUNS) ?? []).join(" ");
}

/** One character of a script without spaces: a dish, often, and in a menu a part of pairs only. */
export const isLoneCharacter = (word: string): boolean => UNSPACED.test(word) && [...word].length === 1;

/** The words of a text, in their order. */
export function wordsOf(text: string): readonly string[] {
  const words: string[] = [];
  const left = { words: MAX_WORDS, pairs: MAX_PAIRS_OF_TEXT };
  for (const part of plainText(text).match(PARTS) ?? []) {
    if (UNSPACED.test(part)) pairsOf(hiragana(part), words, left);
    else if (left.words-- > 0) words.push(stem(part.slice(0, MAX_WORD_LENGTH)));
  }
  return words;
}

const hiragana = (text: string): string =>
  text.replace(KATAKANA, (letter) => String.fromCharCode(letter.charCodeAt(0) - HIRAGANA_BELOW));

/** A plural's "s" is dropped everywhere alike: what is no plural loses it on both sides. */
function stem(word: string): string {
  if (word.length < 4 || !word.endsWith("s") || word.endsWith("ss") || !LATIN.test(word)) return word;
  return word.slice(0, -1);
}

function pairsOf(run: string, words: string[], left: { pairs: number }): void {
  const characters = [...run];
  if (characters.length === 1 && left.pairs-- > 0) words.push(run);
  for (let i = 0; i + 1 < characters.length && left.pairs > 0; i++) {
    words.push(`${characters[i]}${characters[i + 1]}`);
    left.pairs--;
  }
}
