/**
 * What was searched for and what found nothing (R-SRC-4), counted by text and day. Never who searched nor from where
 * (R-GPS-8); texts that look like somebody's number or address are not counted at all.
 *
 * Invariants: at most `MOST_TEXTS` texts wait for the store, texts beyond those are only counted as too many; what the
 * store did not take is tried again, and may be lost when the node ends.
 */
import type { Clock } from "../../lib/clock.js";
import type { SearchTermStore, TermCount } from "./ports.js";
import { plainText } from "./words.js";

const MOST_TEXTS = 2_000;
const MAX_LENGTH = 60;
export const DAY_MS = 24 * 3_600_000;
const KEEP_DAYS = 90;
const FORGET_ROWS = 5_000;
/** A house number is fine, a telephone's is not. */
const PERSONAL = /@|(?:\d[\s().-]*){6,}/;

export class SearchTermCounter {
  readonly #store: SearchTermStore;
  readonly #clock: Clock;
  #waiting = new Map<string, { searches: number; foundNothing: number }>();
  #tooMany = 0;
  #flushing = false;

  constructor(store: SearchTermStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Searches that were not counted because too many texts waited. */
  get tooMany(): number {
    return this.#tooMany;
  }

  count(typed: string, foundNothing: boolean): void {
    if (PERSONAL.test(typed)) return;
    const text = plainText(typed).slice(0, MAX_LENGTH).trim();
    if (text === "") return;
    let known = this.#waiting.get(text);
    if (known === undefined) {
      if (this.#waiting.size >= MOST_TEXTS) {
        this.#tooMany++;
        return;
      }
      known = { searches: 0, foundNothing: 0 };
      this.#waiting.set(text, known);
    }
    known.searches++;
    if (foundNothing) known.foundNothing++;
  }

  /** Hands over what waits, and forgets what is older than is kept. Rejects when the store did not take it. */
  async flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    const handed = this.#waiting;
    this.#waiting = new Map();
    const day = Math.floor(this.#clock.now() / DAY_MS);
    try {
      const terms = [...handed].map(([text, counts]): TermCount => ({ text, ...counts }));
      await this.#store.add(day, terms);
    } catch (error) {
      for (const [text, counts] of handed) {
        const newer = this.#waiting.get(text);
        if (newer === undefined && this.#waiting.size >= MOST_TEXTS) this.#tooMany += counts.searches;
        else {
          this.#waiting.set(text, {
            searches: counts.searches + (newer?.searches ?? 0),
            foundNothing: counts.foundNothing + (newer?.foundNothing ?? 0),
          });
        }
      }
      throw error;
    } finally {
      this.#flushing = false;
    }
    await this.#store.forget(day - KEEP_DAYS, FORGET_ROWS);
  }

  top(days: number, order: "searches" | "nothing", limit: number): Promise<readonly TermCount[]> {
    return this.#store.top(Math.floor(this.#clock.now() / DAY_MS) - days + 1, order, limit);
  }
}
