/** A binary min-heap by time; equal times leave in the order they came, so that a run is the same every time. */
export class TimeHeap<T> {
  readonly #items: { at: number; order: number; value: T }[] = [];
  #order = 0;

  get size(): number {
    return this.#items.length;
  }

  /** The earliest time, or Infinity when empty. */
  get nextAt(): number {
    return this.#items[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  push(at: number, value: T): void {
    const items = this.#items;
    items.push({ at, order: this.#order++, value });
    let child = items.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** Takes the earliest value if its time is not after `now`. */
  popDue(now: number): T | undefined {
    const first = this.#items[0];
    if (first === undefined || first.at > now) return undefined;
    const last = this.#items.pop() as { at: number; order: number; value: T };
    if (this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink();
    }
    return first.value;
  }

  clear(): void {
    this.#items.length = 0;
  }

  #sink(): void {
    const length = this.#items.length;
    let parent = 0;
    for (;;) {
      let least = parent;
      const left = 2 * parent + 1;
      if (left < length && this.#before(left, least)) least = left;
      if (left + 1 < length && this.#before(left + 1, least)) least = left + 1;
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #before(a: number, b: number): boolean {
    const one = this.#items[a] as { at: number; order: number };
    const other = this.#items[b] as { at: number; order: number };
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const kept = this.#items[a] as { at: number; order: number; value: T };
    this.#items[a] = this.#items[b] as { at: number; order: number; value: T };
    this.#items[b] = kept;
  }
}
