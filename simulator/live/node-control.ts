/** What a run asks of the node besides being its client: who it is, tokens, and the restaurants' menus. */
import { type Client, createClient, SwiftEatsError } from "../../sdk/node.js";
import { type Clock, sleep } from "../../src/lib/clock.js";
import type { Role } from "../../src/protocol/mod.js";
import type { PlannedRestaurant } from "./plan.js";

export interface Principal {
  readonly id: string;
  readonly role: Role;
}

type Published = Pick<PlannedRestaurant, "id" | "profile">;

export interface NodeFacts {
  readonly timeScale: number;
}

/** A run that cannot begin, in words for the person who started it. */
export class CannotRun extends Error {
  override readonly name = "CannotRun";
}

const TOKENS_A_CALL = 1000;
const TOKEN_TTL_SECONDS = 2 * 86_400;
const TRIES = 60;
const PAUSE_MS = 500;
const CONFIGURES_AT_ONCE = 16;
/** Below what one account may do in a burst. */
const CONFIGURES_AN_ADMIN = 100;

export class NodeControl {
  readonly #urls: readonly string[];
  readonly #operatorSecret: string;
  readonly #clock: Clock;

  /** `url`: of a node, or of the nodes of one cluster; any of them will do. */
  constructor(options: {
    readonly url: string | readonly string[];
    readonly operatorSecret: string;
    readonly clock: Clock;
  }) {
    const urls = typeof options.url === "string" ? [options.url] : options.url;
    if (urls.length === 0) throw new CannotRun("give at least one url");
    this.#urls = urls.map((url) => url.replace(/\/+$/, ""));
    this.#operatorSecret = options.operatorSecret;
    this.#clock = options.clock;
  }

  async facts(): Promise<NodeFacts> {
    const body = (await this.#ask("GET", "/v1/node")) as { readonly timeScale?: unknown };
    if (typeof body.timeScale !== "number") throw new CannotRun(`${this.#urls[0]}/v1/node does not tell a timeScale`);
    return { timeScale: body.timeScale };
  }

  async tokens(principals: readonly Principal[]): Promise<Map<string, string>> {
    const issued = new Map<string, string>();
    for (let from = 0; from < principals.length; from += TOKENS_A_CALL) {
      const part = principals.slice(from, from + TOKENS_A_CALL);
      const body = { principals: part.map(({ id, role }) => ({ id, role })), ttlSeconds: TOKEN_TTL_SECONDS };
      const answer = (await this.#ask("POST", "/v1/tokens", body)) as { readonly tokens: readonly string[] };
      for (const [index, { id }] of part.entries()) issued.set(id, answer.tokens[index]!);
    }
    return issued;
  }

  /** Publishes profile and menu of every restaurant, a few at a time, by as many administrators as the limits ask for. */
  async configure(restaurants: readonly Published[]): Promise<void> {
    const admins = Array.from(
      { length: Math.ceil(restaurants.length / CONFIGURES_AN_ADMIN) },
      (_, index): Principal => ({ id: `simulator-admin-${index + 1}`, role: "admin" }),
    );
    const tokens = await this.tokens(admins);
    const clients = admins.map(({ id }) =>
      createClient({ url: this.#urls, token: tokens.get(id)!, clock: this.#clock }),
    );
    let next = 0;
    const worker = async (): Promise<void> => {
      for (;;) {
        const index = next++;
        const restaurant = restaurants[index];
        if (restaurant === undefined) return;
        await this.#publish(clients[Math.floor(index / CONFIGURES_AN_ADMIN)]!, restaurant);
      }
    };
    await Promise.all(Array.from({ length: CONFIGURES_AT_ONCE }, worker));
  }

  async #publish(admin: Client, restaurant: Published): Promise<void> {
    for (let tried = 1; ; tried++) {
      try {
        await admin.http.configureRestaurant(restaurant.id, restaurant.profile);
        return;
      } catch (error) {
        const again = error instanceof SwiftEatsError && error.temporary && tried < TRIES;
        if (!again) throw new CannotRun(`the menu of ${restaurant.id} was refused: ${String(error)}`, { cause: error });
        await sleep(this.#clock, Math.max(PAUSE_MS, error.retryAfterMs));
      }
    }
  }

  /** Tries while the node cannot be reached; says clearly what a refusal means. */
  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = {
      authorization: `Operator ${this.#operatorSecret}`,
      "content-type": "application/json",
      accept: "application/json",
    };
    for (let tried = 1; ; tried++) {
      let response: Response;
      try {
        response = await fetch(this.#urls[(tried - 1) % this.#urls.length] + path, {
          method,
          headers,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      } catch (cause) {
        if (tried >= TRIES) throw new CannotRun(`no node answers at ${this.#urls.join(", ")}`, { cause });
        await sleep(this.#clock, PAUSE_MS);
        continue;
      }
      if (response.ok) return response.json();
      const text = (await response.text()).slice(0, 300);
      const { temporary, code } = refusalOf(text);
      if (temporary && tried < TRIES) {
        await sleep(this.#clock, PAUSE_MS);
        continue;
      }
      if (code === "unauthenticated" || code === "forbidden") {
        throw new CannotRun(`the operator secret is not the one of the node at ${this.#urls.join(", ")}`);
      }
      throw new CannotRun(`${method} ${path} was refused: ${text}`);
    }
  }
}

function refusalOf(text: string): { readonly temporary: boolean; readonly code: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { temporary?: boolean; code?: string } };
    return { temporary: error?.temporary === true, code: error?.code ?? "" };
  } catch {
    return { temporary: false, code: "" };
  }
}
