/**
 * Pages of what is kept by age, newest first, where the next page begins before a millisecond: no page ends within one,
 * so whoever follows `nextBefore` sees every row once.
 *
 * Bounds: a page ends sooner than asked for, before the millisecond that would be cut. Only a page that would be of one
 * millisecond alone is longer, by all that share it, as far as `MOST_AT_ONCE` rows go.
 */

/** No read asks for more; the index gives no more. */
export const MOST_AT_ONCE = 1_000;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Absent on the last page. */
  readonly nextBefore?: number;
}

/** `read` gives at most so many rows of before the page's beginning, the newest first. `limit` is below `MOST_AT_ONCE`. */
export async function pageByAge<Row>(
  read: (limit: number) => Promise<readonly Row[]>,
  atOf: (row: Row) => number,
  limit: number,
): Promise<Page<Row>> {
  const found = await read(limit + 1);
  const following = found[limit];
  if (following === undefined) return { rows: found };
  const at = atOf(following);
  const whole = found.filter((row) => atOf(row) > at);
  const last = whole.at(-1);
  if (last !== undefined) return { rows: whole, nextBefore: atOf(last) };
  const more = await read(MOST_AT_ONCE);
  const rows = more.filter((row) => atOf(row) >= at);
  return rows.length < more.length || more.length === MOST_AT_ONCE ? { rows, nextBefore: at } : { rows };
}
