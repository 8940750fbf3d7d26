/** Numbers as people type them, whatever the digits on their keyboard. Runs in a browser. */

const DIGIT = /\p{Nd}/gu;
const isDigit = (code: number): boolean => /^\p{Nd}$/u.test(String.fromCodePoint(code));

/** A digit's value: those of a script follow each other, from its nought on. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0)!;
  let value = 0;
  while (value < 9 && isDigit(code - value - 1)) value++;
  return value;
}

/** `١٢٫٥`, `１２．５` and `१२.५` are `12.5`. */
export const asciiDigits = (text: string): string =>
  text
    .normalize("NFKC")
    .replaceAll("٫", ".")
    .replace(DIGIT, (digit) => (digit <= "9" ? digit : String(digitValue(digit))));

/** A telephone number as nodes take it, `+390105550100`, of one that is written with its country; null: it is none. */
export function telephoneOf(text: string): string | null {
  // Whatever stands between digits: spaces, brackets, dashes, and marks of the direction of writing.
  const number = asciiDigits(text)
    // The nought of calls within the country: `+49 (0)170 …`.
    .replace(/^(\s*(?:\+|00)[\d\s]+)\(0\)/, "$1")
    .replaceAll(/[^+\d\p{L}]/gu, "")
    .replace(/^00/, "+");
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : null;
}
