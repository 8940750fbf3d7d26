/** Request limits per account and kind of request, the same for sockets and HTTP (R-PRO-5). */

import { Buckets, type Rate } from "../../lib/buckets.js";
import type { Role } from "../../protocol/mod.js";

export const TIERS = ["browse", "search", "order", "command", "operations", "anonymous", "tokens"] as const;
export type Tier = (typeof TIERS)[number];

export type TierRates = Readonly<Record<Tier, Rate>>;

/** `order`: placing. `command`: every other write. `operations`: all that support and admin ask, of any kind. `anonymous` counts addresses, the others accounts. */
export const DEFAULT_TIER_RATES: TierRates = {
  browse: { perMinute: 1000, burst: 200 },
  search: { perMinute: 500, burst: 100 },
  order: { perMinute: 100, burst: 30 },
  command: { perMinute: 600, burst: 120 },
  /** Opening a market writes thousands of menus. */
  operations: { perMinute: 60_000, burst: 5_000 },
  anonymous: { perMinute: 6000, burst: 1000 },
  /** Attempts at the operator's door. */
  tokens: { perMinute: 600, burst: 100 },
};

const keyOf = ({ role, id }: { readonly id: string; readonly role: Role }): string => `${role}/${id}`;

export class TierLimits {
  readonly #tiers: Readonly<Record<Tier, Buckets>>;

  constructor(rates: TierRates, maxKeys: number) {
    this.#tiers = Object.fromEntries(TIERS.map((tier) => [tier, new Buckets(rates[tier], maxKeys)])) as Record<
      Tier,
      Buckets
    >;
  }

  /** `take` for an account, by the tier its role has for this kind of request. */
  takeFor(principal: { readonly id: string; readonly role: Role }, tier: Tier, now: number): number {
    const operations = principal.role === "admin" || principal.role === "support";
    return this.#tiers[operations ? "operations" : tier].takeFor(principal, keyOf, now);
  }

  /** 0 when allowed; otherwise milliseconds to wait. `now` is monotonic. `many`: how many requests this one stands for. */
  take(tier: Tier, key: string, now: number, many = 1): number {
    return this.#tiers[tier].take(key, now, many);
  }
}
