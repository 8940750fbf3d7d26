/**
 * The same things by HTTP, for callers without a socket: placing, reading, polling, server-sent events, operators' work.
 *
 * Following an order is in `tracking.ts`. Every refusal is a `SwiftEatsError` with the node's code. Temporary refusals of writes are retried here with the same
 * idempotency key, a few times; reads are left to their caller, except that `follow` and `stream` go on by themselves.
 * With several addresses, what fails at one node is asked of the others at once: a read changes nothing, and a write is
 * the same write wherever its key arrives.
 */
import type { Clock } from "../src/lib/clock.js";
import type { JsonObject } from "../src/lib/json.js";
import { type Random, uuidV7 } from "../src/lib/random.js";
import type {
  ArrivalQuote,
  CommandBody,
  CommandReplies,
  CommandType,
  GpsAck,
  GpsBatch,
  MenuView,
  OrderView,
  PlacedReply,
  PlaceOrder,
  RestaurantProfile,
  Role,
  TrackedOrder,
} from "../src/protocol/mod.js";
import type { Addresses } from "./addresses.js";
import { pauseMs } from "./backoff.js";
import { SwiftEatsError } from "./errors.js";
import type { FetchLike, FetchResponse, TokenProvider } from "./ports.js";
import {
  asFailure,
  BACKOFF,
  type FollowOptions,
  type LineHandlers,
  type PolledOrder,
  pause,
  pollOrder,
  streamOrder,
  type TrackingSource,
} from "./tracking.js";

export interface HttpOptions {
  readonly addresses: Addresses;
  readonly token: TokenProvider;
  readonly fetch: FetchLike;
  readonly clock: Clock;
  readonly random: Random;
  /** From the request to the end of its answer; of a stream to its beginning. */
  readonly answerTimeoutMs: number;
}

export interface WriteOptions {
  readonly idempotencyKey?: string;
  /** Milliseconds since the epoch. */
  readonly notAfter?: number;
  readonly signal?: AbortSignal;
}

/** Lists are written with commas. */
export type QueryFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface OrderPage {
  readonly orders: readonly OrderView[];
  /** Ask for the next page with it; absent on the last. */
  readonly nextBefore?: number;
}

export interface NearbyRestaurant {
  readonly restaurantId: string;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  readonly distanceMeters: number;
}

/** Whom a token shall speak for. */
export interface Principal {
  readonly id: string;
  readonly role: Role;
}

export interface TokenOrder {
  /** The node's operator secret; never part of an application that is given to others. */
  readonly operatorSecret: string;
  /** At most 1,000. */
  readonly principals: readonly Principal[];
  readonly ttlSeconds: number;
  readonly signal?: AbortSignal;
}

const WRITE_TRIES = 5;
/** What another node may well answer better. The rest says something about the caller, the payment provider or all nodes. */
const OF_THIS_NODE: ReadonlySet<string> = new Set([
  "network",
  "timeout",
  "draining",
  "unavailable",
  "not_owner",
  "internal",
]);

export class Http {
  readonly #options: HttpOptions;
  readonly #tracking: TrackingSource;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#tracking = {
      clock: options.clock,
      random: options.random,
      track: (orderId, signal) => this.track(orderId, signal),
      open: (path, headers, signal) =>
        this.#anywhere(path, headers, signal, async (response, origin) => ({
          response,
          broken: () => options.addresses.leave(origin),
        })),
    };
  }

  /** `POST /v1/orders`. The same key always means the same order, however often it is sent. */
  placeOrder(order: PlaceOrder, options: WriteOptions = {}): Promise<PlacedReply> {
    return this.#write("POST", "/v1/orders", order, options);
  }

  /** Any command of the protocol's table: `POST /v1/commands/<type>`. */
  command<T extends CommandType>(
    type: T,
    body: CommandBody<T>,
    options: WriteOptions = {},
  ): Promise<CommandReplies[T]> {
    return this.#write("POST", `/v1/commands/${type}`, body, options);
  }

  order(orderId: string, signal?: AbortSignal): Promise<OrderView> {
    return this.#read(`/v1/orders/${encodeURIComponent(orderId)}`, signal);
  }

  /** One poll: the view, the position while it may be shown, and how fresh both are. */
  track(orderId: string, signal?: AbortSignal): Promise<TrackedOrder> {
    return this.#read(`/v1/orders/${encodeURIComponent(orderId)}/track`, signal);
  }

  /**
   * Polls until the order is closed or the signal fires, yielding what changed. Failures pause and go on; an order that
   * is not ours to see throws.
   */
  follow(orderId: string, options: FollowOptions = {}): AsyncGenerator<PolledOrder> {
    return pollOrder(this.#tracking, orderId, options);
  }

  /**
   * Server-sent events of one order, reconnecting by itself, until the order is closed or the signal fires. Never yields
   * an older version after a newer one.
   */
  stream(orderId: string, signal?: AbortSignal, handlers: LineHandlers = {}): AsyncGenerator<TrackedOrder> {
    return streamOrder(this.#tracking, orderId, signal, handlers);
  }

  /** Past and present orders of the caller, newest first. `before`: ms since the epoch, from the page before. */
  orders(page: { readonly limit?: number; readonly before?: number } = {}, signal?: AbortSignal): Promise<OrderPage> {
    return this.#read(`/v1/orders${query(page)}`, signal);
  }

  /** Restaurants around a point, nearest first; with `delivers` only those that deliver there. */
  restaurants(
    around: { readonly lat: number; readonly lng: number; readonly limit?: number; readonly delivers?: boolean },
    signal?: AbortSignal,
  ): Promise<{ readonly restaurants: readonly NearbyRestaurant[] }> {
    return this.#read(`/v1/restaurants${query(around)}`, signal);
  }

  menu(restaurantId: string, signal?: AbortSignal): Promise<MenuView> {
    return this.#read(`/v1/restaurants/${encodeURIComponent(restaurantId)}/menu`, signal);
  }

  /** When an order would arrive at `destination` that is placed now, and what its delivery costs. */
  quote(
    restaurantId: string,
    destination: { readonly lat: number; readonly lng: number },
    signal?: AbortSignal,
  ): Promise<ArrivalQuote> {
    const { lat, lng } = destination;
    return this.#read(`/v1/restaurants/${encodeURIComponent(restaurantId)}/quote?lat=${lat}&lng=${lng}`, signal);
  }

  configureRestaurant(
    restaurantId: string,
    profile: RestaurantProfile,
    options: WriteOptions = {},
  ): Promise<CommandReplies["restaurant.configure"]> {
    return this.#write("PUT", `/v1/restaurants/${encodeURIComponent(restaurantId)}`, profile, options);
  }

  /** Positions without a socket. Tried once: what a phone says next holds what this lacked, and something newer. */
  gps(batch: GpsBatch, signal?: AbortSignal): Promise<GpsAck> {
    return this.#write("POST", "/v1/gps", batch, signal === undefined ? {} : { signal }, undefined, 1);
  }

  /** For operators: tokens in the order of the principals. */
  async issueTokens(order: TokenOrder): Promise<readonly string[]> {
    const { operatorSecret, principals, ttlSeconds, signal } = order;
    const answer = await this.#write<{ readonly tokens: readonly string[] }>(
      "POST",
      "/v1/tokens",
      { principals, ttlSeconds },
      signal === undefined ? {} : { signal },
      `Operator ${operatorSecret}`,
    );
    return answer.tokens;
  }

  /** Any operation that reads, by its path; absent fields of the query are left out. */
  get<T>(path: string, fields: QueryFields = {}, signal?: AbortSignal): Promise<T> {
    return this.#read(path + query(fields), signal);
  }

  /** Any operation that writes, by its method and path. The same key again is the same write. */
  send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown, options: WriteOptions = {}): Promise<T> {
    return this.#write(method, path, body, options);
  }

  /** A GET of any path of the node that answers JSON. */
  async #read<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#anywhere(path, { accept: "application/json" }, signal, (response) => response.json() as Promise<T>);
  }

  /** A request that changes nothing: asked of every node once before it fails. */
  async #anywhere<T>(
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
    use: (response: FetchResponse, origin: string) => Promise<T>,
  ): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#fetch("GET", path, headers, undefined, signal, use);
      } catch (error) {
        const failure = asFailure(error);
        if (!OF_THIS_NODE.has(failure.code) || tried >= this.#options.addresses.count) throw failure;
      }
    }
  }

  async #write<T>(
    method: string,
    path: string,
    body: unknown,
    options: WriteOptions,
    authorization?: string,
    tries = WRITE_TRIES,
  ): Promise<T> {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json",
      ...(authorization === undefined ? {} : { authorization }),
      "idempotency-key": options.idempotencyKey ?? uuidV7(this.#options.clock.now(), this.#options.random),
      ...(options.notAfter === undefined ? {} : { "not-after": String(options.notAfter) }),
    };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { addresses, clock, random } = this.#options;
    for (let tried = 1; ; tried++) {
      try {
        return await this.#fetch(method, path, headers, text, options.signal, (answer) => answer.json() as Promise<T>);
      } catch (error) {
        const failure = asFailure(error);
        if (!failure.temporary || tried >= tries) throw failure;
        // The other nodes have not been asked yet, and this one's wish to be left alone is not theirs.
        if (OF_THIS_NODE.has(failure.code) && tried < addresses.count) continue;
        await pause(clock, failure.retryAfterMs + pauseMs(BACKOFF, tried, 0, random), options.signal);
        if (options.signal?.aborted) throw failure;
      }
    }
  }

  async #fetch<T>(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal | undefined,
    use: (response: FetchResponse, origin: string) => Promise<T>,
  ): Promise<T> {
    const { addresses, token } = this.#options;
    for (let again = false; ; again = true) {
      const given = headers.authorization !== undefined;
      const bearer = given ? "" : await token(again ? "refresh" : "http");
      const origin = addresses.current;
      try {
        const init = {
          method,
          headers: bearer === "" ? headers : { ...headers, authorization: `Bearer ${bearer}` },
          ...(body === undefined ? {} : { body }),
        };
        return await this.#once(origin + path, init, signal, (response) => use(response, origin));
      } catch (error) {
        const failure = asFailure(error);
        if (failure.code === "token_expired" && !again && !given) continue;
        if (OF_THIS_NODE.has(failure.code)) addresses.leave(origin);
        throw failure;
      }
    }
  }

  /** One request to one node. A node that keeps silent counts as one that cannot be reached. */
  async #once<T>(
    url: string,
    init: Parameters<FetchLike>[1],
    signal: AbortSignal | undefined,
    use: (response: FetchResponse) => Promise<T>,
  ): Promise<T> {
    const { fetch, clock, answerTimeoutMs } = this.#options;
    const giveUp = new AbortController();
    let late = false;
    const pass = (): void => giveUp.abort();
    if (signal?.aborted) pass();
    signal?.addEventListener("abort", pass);
    const cancel = clock.after(answerTimeoutMs, () => {
      late = true;
      giveUp.abort();
    });
    try {
      const response = await fetch(url, { ...init, signal: giveUp.signal });
      if (!response.ok) throw await refusal(response);
      return await use(response);
    } catch (error) {
      if (late)
        throw new SwiftEatsError({ code: "timeout", temporary: true }, `no answer within ${answerTimeoutMs} ms`);
      throw error;
    } finally {
      cancel();
      signal?.removeEventListener("abort", pass);
    }
  }
}

function query(fields: QueryFields): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ""
    : `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`;
}

/** The body of every refusal: `{ error: { code, temporary, retryAfterMs?, detail? } }`. */
async function refusal(response: FetchResponse): Promise<SwiftEatsError> {
  try {
    const { error } = (await response.json()) as {
      readonly error: { code: string; temporary: boolean; retryAfterMs?: number; detail?: JsonObject };
    };
    if (typeof error.code === "string") return new SwiftEatsError(error);
  } catch {
    // Not our JSON: a proxy answered, or the connection broke.
  }
  return new SwiftEatsError({ code: "network", temporary: true }, "the answer is not from a Swift Eats node");
}
