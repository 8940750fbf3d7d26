/**
 * Where the nodes of one cluster are. Any of them serves any client, so whoever fails at one goes on at the next.
 *
 * Owns: which address is tried now. Does not own when (`backoff.ts`), nor what counts as a failure (`connection.ts`,
 * `http.ts`). Invariants: clients start at random addresses, so that a cluster is loaded evenly; a failure moves on once,
 * however many calls failed at the same address together; with one address everything stays as it is.
 */
import type { Random } from "../src/lib/random.js";

export class Addresses {
  readonly #origins: readonly string[];
  #at: number;

  /** `urls`: `http(s)://host:port` or `ws(s)://host:port`, at least one. Throws TypeError when there is none. */
  constructor(urls: string | readonly string[], random: Random) {
    const origins = (typeof urls === "string" ? [urls] : urls).map(originOf);
    this.#origins = [...new Set(origins)];
    if (this.#origins.length === 0) throw new TypeError("createClient: give at least one url");
    this.#at = this.#origins.length === 1 ? 0 : Math.floor(random.next() * this.#origins.length);
  }

  get count(): number {
    return this.#origins.length;
  }

  /** `http://host:port`, without a slash at the end. */
  get current(): string {
    return this.#origins[this.#at]!;
  }

  /** Goes on to the next address, unless another call has left `failed` already. */
  leave(failed: string): void {
    if (this.current === failed) this.#at = (this.#at + 1) % this.#origins.length;
  }
}

function originOf(url: string): string {
  return url.replace(/^ws/, "http").replace(/\/+$/, "");
}
