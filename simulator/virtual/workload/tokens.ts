/**
 * Where devices get their tokens: from the operator's door, through their own lines, again when a token is about to end.
 * Owns: how long tokens last in this seed, and one request at a time per principal.
 */
import { createHttp, type FetchLike, SwiftEatsError } from "../../../sdk/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import type { Random } from "../../../src/lib/random.js";
import type { Role } from "../../../src/protocol/mod.js";

export interface TokenDeskOptions {
  readonly urls: readonly string[];
  readonly operatorSecret: string;
  readonly ttlSeconds: number;
  readonly roleOf: (principalId: string) => Role;
}

/** A token that ends within this is not handed out from memory. */
const MARGIN_MS = 5_000;

export class TokenDesk {
  readonly #options: TokenDeskOptions;

  constructor(options: TokenDeskOptions) {
    this.#options = options;
  }

  /** One device's wallet. `clock` and `random` are the device's. */
  wallet(principalId: string, fetch: FetchLike, clock: Clock, random: Random): (reason: string) => Promise<string> {
    const { urls, operatorSecret, ttlSeconds, roleOf } = this.#options;
    const http = createHttp({ url: urls, fetch, clock, random });
    let held: { readonly token: string; readonly untilMs: number } | null = null;
    let asking: Promise<string> | null = null;

    async function ask(): Promise<string> {
      const askedAt = clock.monotonic();
      const principals = [{ id: principalId, role: roleOf(principalId) }];
      const [token] = await http.issueTokens({ operatorSecret, principals, ttlSeconds });
      if (token === undefined) throw new SwiftEatsError({ code: "network", temporary: true });
      held = { token, untilMs: askedAt + ttlSeconds * 1000 };
      return token;
    }

    return (reason) => {
      if (reason !== "refresh" && held !== null && held.untilMs - clock.monotonic() > MARGIN_MS) {
        return Promise.resolve(held.token);
      }
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    };
  }
}
