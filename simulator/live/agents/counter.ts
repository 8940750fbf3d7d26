/**
 * The counters of all restaurants: food that is ready stands there, and whoever is there sees it. This is the city's
 * physical world, which no network carries; where a run has several processes they tell each other what was put out.
 */
export class Counters {
  readonly #out = new Set<string>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #tellOthers: (orderId: string) => void;

  constructor(tellOthers: (orderId: string) => void = () => {}) {
    this.#tellOthers = tellOthers;
  }

  /** A kitchen of this process puts an order out. */
  putOut(orderId: string): void {
    this.#tellOthers(orderId);
    this.seen(orderId);
  }

  /** An order was put out, here or elsewhere. */
  seen(orderId: string): void {
    this.#out.add(orderId);
    const waiting = this.#waiting.get(orderId);
    this.#waiting.delete(orderId);
    for (const look of waiting ?? []) look();
  }

  isOut(orderId: string): boolean {
    return this.#out.has(orderId);
  }

  /** Calls `look` once when the order is put out. Returns how to stop waiting. */
  watch(orderId: string, look: () => void): () => void {
    const waiting = this.#waiting.get(orderId) ?? new Set();
    waiting.add(look);
    this.#waiting.set(orderId, waiting);
    return () => {
      waiting.delete(look);
      if (waiting.size === 0) this.#waiting.delete(orderId);
    };
  }

  taken(orderId: string): void {
    this.#out.delete(orderId);
  }
}
