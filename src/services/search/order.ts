/**
 * The order of many scores. A comparison of ours for every pair costs more than the ranking itself, so scores are sorted as
 * plain numbers, with their places written into their last bits; only those that are the same but for these are compared.
 */

/** Of a score's fifty-two bits; so many scores at most are sorted so. */
const PLACE_BITS = 20;
const PLACE_MASK = 2 ** PLACE_BITS - 1;
/** Which half of a number holds its last bits is the machine's. */
const LAST_WORD = new Uint32Array(new Float64Array([1]).buffer)[0] === 0 ? 0 : 1;

/**
 * Places of the scores, the highest first; `compare`: of two places, negative when the first comes first, and as the scores
 * say where they differ. Scores are finite.
 */
export function bestFirst(scores: Float64Array, compare: (a: number, b: number) => number): Int32Array {
  const { length } = scores;
  const order = new Int32Array(length);
  if (length > PLACE_MASK) return order.map((_, place) => place).sort(compare);
  const keys = new Float64Array(length);
  // Not `-score`: nothing would be less than nothing.
  for (let place = 0; place < length; place++) keys[place] = 0 - scores[place]!;
  const words = new Int32Array(keys.buffer);
  for (let place = 0; place < length; place++) {
    const at = 2 * place + LAST_WORD;
    words[at] = (words[at]! & ~PLACE_MASK) | place;
  }
  keys.sort();
  for (let i = 0; i < length; i++) {
    const at = 2 * i + LAST_WORD;
    order[i] = words[at]! & PLACE_MASK;
    words[at] = words[at]! & ~PLACE_MASK;
  }
  for (let from = 0; from < length; ) {
    let to = from + 1;
    while (to < length && keys[to] === keys[from]) to++;
    if (to - from > 1) order.subarray(from, to).sort(compare);
    from = to;
  }
  return order;
}
