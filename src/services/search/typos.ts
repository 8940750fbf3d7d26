/**
 * Words that look alike. Candidates share trigrams with what was typed (padded as by PostgreSQL's pg_trgm, two spaces
 * before and one behind); of those the ones within few edits are meant.
 */

/** Edits that a word of this length forgives: a letter too many, too few, wrong, or two swapped. */
export function editsAllowed(length: number): number {
  return length < 4 ? 0 : length < 8 ? 1 : 2;
}

export function trigramsOf(word: string): readonly string[] {
  const characters = [" ", " ", ...word, " "];
  const trigrams = new Set<string>();
  for (let i = 0; i + 2 < characters.length; i++) {
    trigrams.add(`${characters[i]}${characters[i + 1]}${characters[i + 2]}`);
  }
  return [...trigrams];
}

/** Edits from one word to the other (optimal string alignment), or `most + 1` when they are more than `most`. */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1;
      let edits = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, before[j - 2]! + 1);
      row.push(edits);
      least = Math.min(least, edits);
    }
    if (least > most) return most + 1;
    before = last;
    last = row;
  }
  return Math.min(last[b.length]!, most + 1);
}
