/** The last event seen of an actor. */
export interface Seen {
  readonly offset: number;
  readonly at: number;
}

/** The last event seen of each actor, of a bounded number of actors: those that were quiet longest are forgotten. */
export class OffsetMemory {
  readonly #last = new Map<string, Seen>();
  readonly #most: number;

  constructor(most: number) {
    if (!Number.isSafeInteger(most) || most < 1) throw new RangeError(`offsets of ${most} actors make no sense`);
    this.#most = most;
  }

  /** Null for an actor that was never seen, or not for long. */
  lastOf(kind: string, key: string): Seen | null {
    return this.#last.get(`${kind}\0${key}`) ?? null;
  }

  remember(kind: string, key: string, seen: Seen): void {
    const name = `${kind}\0${key}`;
    // Goes to the end of the map, so that its beginning is what was quiet longest.
    this.#last.delete(name);
    this.#last.set(name, seen);
    if (this.#last.size > this.#most) this.#last.delete(this.#last.keys().next().value!);
  }
}
