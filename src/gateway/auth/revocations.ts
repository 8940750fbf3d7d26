/**
 * Tokens that are signed and not yet over, and count for nothing all the same: of sessions that were ended, and of
 * principals that were banned. Owns what this thread knows of it; who says so is the accounts' service.
 *
 * Invariant: bounded. At the bound the entry that ends soonest goes; that is an ended session whose tokens were about to
 * end by themselves, never a ban that stands, unless there are more of those than the bound.
 */
import type { Clock } from "../../lib/clock.js";
import type { Principal } from "./tokens.js";

/**
 * As the accounts' service says it: `s:<session>` or `p:<role>/<id>`; `g:<account>` may not be located. In the past:
 * lifted.
 */
export interface RevokedTokens {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly why: string;
}

export class Revocations {
  readonly #clock: Clock;
  readonly #maxKept: number;
  readonly #byKey = new Map<string, { readonly until: number; readonly why: string }>();
  #sessions = 0;
  /** Counts what was applied and could have changed an answer. */
  changes = 0;

  constructor(clock: Clock, maxKept: number) {
    this.#clock = clock;
    this.#maxKept = maxKept;
  }

  /** True when something is revoked that was not before. */
  apply(revocations: readonly RevokedTokens[]): boolean {
    const now = this.#clock.now();
    let news = false;
    if (revocations.length > 0) this.changes++;
    for (const { key, until, why } of revocations) {
      if (until <= now) {
        this.#forget(key);
        continue;
      }
      if (!this.#byKey.has(key)) {
        news = true;
        if (key.startsWith("s:")) this.#sessions++;
      }
      this.#byKey.set(key, { until, why });
    }
    if (this.#byKey.size > this.#maxKept) this.#shrink(now);
    return news;
  }

  /** Why this principal's token counts for nothing; null when it counts. */
  why(principal: Omit<Principal, "expiresAt">): string | null {
    if (this.#byKey.size === 0) return null;
    const found =
      (principal.sessionId !== undefined && this.#sessions > 0
        ? this.#byKey.get(`s:${principal.sessionId}`)
        : undefined) ??
      (this.#byKey.size > this.#sessions ? this.#byKey.get(`p:${principal.role}/${principal.id}`) : undefined);
    return found !== undefined && found.until > this.#clock.now() ? found.why : null;
  }

  /** A driver who has not consented, or no longer does, sends no positions. A driver's id is their account's. */
  mayBeLocated({ id, accountId }: Pick<Principal, "id" | "accountId">): boolean {
    return !this.#byKey.has(`g:${accountId ?? id}`);
  }

  get size(): number {
    return this.#byKey.size;
  }

  #forget(key: string): void {
    if (this.#byKey.delete(key) && key.startsWith("s:")) this.#sessions--;
  }

  /** To nine tenths, so that it is not sorted for every entry. */
  #shrink(now: number): void {
    const entries = [...this.#byKey].sort((a, b) => a[1].until - b[1].until);
    const keep = Math.floor(this.#maxKept * 0.9);
    for (const [key, { until }] of entries) {
      if (until > now && this.#byKey.size <= keep) return;
      this.#forget(key);
    }
  }
}
