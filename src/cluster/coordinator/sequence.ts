/**
 * The order in which a node asked and learned things. A view that was asked for before something was learned says nothing
 * about it: it may be older.
 */
export interface Sequence {
  /** The number of what happens now. */
  next(): number;
  /** The shards were learned about now. */
  touch(shards: Iterable<number>): void;
  /** Whether something was learned about the shard since `asked`. */
  touchedSince(shard: number, asked: number): boolean;
}

export function createSequence(): Sequence {
  let last = 0;
  const touched = new Map<number, number>();
  return {
    next: () => ++last,
    touch(shards) {
      const now = ++last;
      for (const shard of shards) touched.set(shard, now);
    },
    touchedSince: (shard, asked) => (touched.get(shard) ?? 0) > asked,
  };
}
