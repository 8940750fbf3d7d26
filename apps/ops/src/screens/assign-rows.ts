/**
 * Which drivers an operator chooses among. The city moves several times a second: a row stays where it is, so that a
 * finger meets whom the eye has chosen, and whoever has gone is seen to be gone. Whoever has come free since stands at
 * the end, until the operator looks again.
 */
export interface FreeDriver {
  readonly id: string;
  /** To the restaurant. */
  readonly meters: number;
}

export interface Row {
  readonly id: string;
  /** Null: not free any more. */
  readonly meters: number | null;
}

const MOST_FREE = 8;

/** `shown`: the rows so far, in order; none: a first look. `isCurrent`: looking again would show the same. */
export function rowsOf(
  shown: readonly string[],
  free: readonly FreeDriver[],
): { readonly rows: readonly Row[]; readonly isCurrent: boolean } {
  const near = free.toSorted((a, b) => a.meters - b.meters || (a.id < b.id ? -1 : 1)).slice(0, MOST_FREE);
  const metersOf = new Map(free.map(({ id, meters }) => [id, meters]));
  const rows: Row[] = shown.map((id) => ({ id, meters: metersOf.get(id) ?? null }));
  let room = MOST_FREE - rows.filter(({ meters }) => meters !== null).length;
  for (const driver of near) {
    if (room <= 0) break;
    if (shown.includes(driver.id)) continue;
    rows.push(driver);
    room--;
  }
  const isCurrent = rows.length === near.length && rows.every(({ id }, index) => id === near[index]!.id);
  return { rows, isCurrent };
}
