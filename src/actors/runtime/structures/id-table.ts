/**
 * A map from running numbers to what is under way, for thousands of entries a second that come and go: open addressing,
 * entries move up when one before them goes. A `Map` would do, but each time it makes room it leaves its old table with
 * all entries behind, and one such table that the collector takes for old keeps every later one, and what is in them.
 *
 * Invariant: what was deleted is referred to no more; the table shrinks never and grows only with what is in it at once.
 */
export class IdTable<T> {
  #ids: Float64Array;
  #values: (T | undefined)[];
  #mask: number;
  #size = 0;

  /** `room`: a power of two. */
  constructor(room = 1_024) {
    this.#ids = new Float64Array(room);
    this.#values = new Array<T | undefined>(room).fill(undefined);
    this.#mask = room - 1;
  }

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    return this.#values[this.#placeOf(id)];
  }

  /** `id`: a whole number above 0. */
  set(id: number, value: T): void {
    if (this.#size * 2 > this.#mask) this.#grow();
    const place = this.#placeOf(id);
    if (this.#ids[place] !== id) {
      this.#ids[place] = id;
      this.#size++;
    }
    this.#values[place] = value;
  }

  delete(id: number): boolean {
    let hole = this.#placeOf(id);
    if (this.#ids[hole] !== id) return false;
    const mask = this.#mask;
    for (let next = (hole + 1) & mask; this.#ids[next] !== 0; next = (next + 1) & mask) {
      const home = this.#ids[next]! & mask;
      // One whose own place lies behind the hole is found without passing it, and stays.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#ids[hole] = this.#ids[next]!;
      this.#values[hole] = this.#values[next];
      hole = next;
    }
    this.#ids[hole] = 0;
    this.#values[hole] = undefined;
    this.#size--;
    return true;
  }

  /** As they are now, in the order of their numbers. */
  values(): T[] {
    const ids = this.#ids.filter((id) => id !== 0).sort();
    return Array.from(ids, (id) => this.get(id) as T);
  }

  /** Where the number is, or else the free place where it would be. */
  #placeOf(id: number): number {
    const mask = this.#mask;
    let place = id & mask;
    while (this.#ids[place] !== 0 && this.#ids[place] !== id) place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [ids, values] = [this.#ids, this.#values];
    this.#ids = new Float64Array(ids.length * 2);
    this.#values = new Array<T | undefined>(ids.length * 2).fill(undefined);
    this.#mask = this.#ids.length - 1;
    this.#size = 0;
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] !== 0) this.set(ids[i]!, values[i] as T);
      values[i] = undefined;
    }
  }
}
