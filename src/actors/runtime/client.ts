/**
 * The actor client: how code outside an actor talks to actors, wherever they live. Implemented over a `Link`
 * (`link.ts`); gateways and services hold one each.
 */
import type { Json, JsonObject } from "../../lib/json.js";
import type { ActorRef, Caller, CommandName, Contract, Input, Reply } from "./definition.js";

export interface ActorError {
  readonly code: string;
  /** True: the same request, with the same command id, may succeed later. */
  readonly temporary: boolean;
  readonly retryAfterMs?: number;
  readonly detail?: JsonObject;
}

export type AskResult<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: ActorError };

export interface AskOptions {
  /** The same id again gets the first reply again. Derive it from the principal and the idempotency key. */
  readonly commandId: string;
  /** Hash of the body: the same id with another hash answers `key_reused`. */
  readonly bodyHash?: string;
  readonly caller: Caller;
  /** Give up waiting after this many milliseconds: answers `timeout` (temporary). Default 10,000. */
  readonly timeoutMs?: number;
  /** Milliseconds since the epoch; past it the command is refused with `expired`. */
  readonly notAfter?: number;
  /**
   * True: begins something that can as well begin later. It is refused with `overloaded` while what was begun before is
   * answered late, so that what is under way goes first.
   */
  readonly newWork?: boolean;
  /** True: it and its answer may wait some milliseconds between nodes until others go the same way. */
  readonly mayWait?: boolean;
}

/** What a subscriber receives, in order. */
export interface ChannelSink {
  /** Once per (re)subscription: replay starts at the asked offset when `recovered`, else `snapshot` replaces all. */
  subscribed(start: {
    readonly epoch: number;
    readonly top: number;
    readonly recovered: boolean;
    readonly events: readonly ChannelItem[];
    readonly slots: readonly SlotItem[];
  }): void;
  event(item: ChannelItem): void;
  slot(item: SlotItem): void;
  /** The subscription was refused or ended by the actor's side. */
  ended(error: ActorError): void;
}

export interface ChannelItem {
  readonly offset: number;
  readonly type: string;
  readonly at: number;
  readonly body: Json;
}

export interface SlotItem {
  readonly slot: string;
  /** (shard epoch, counter): a receiver keeps the greater. */
  readonly version: readonly [number, number];
  readonly at: number;
  readonly ttlMs: number;
  readonly body: Json;
}

export interface ChannelAddress {
  readonly kind: string;
  readonly key: string;
  readonly channel: string;
}

export interface Subscription {
  /** Acknowledges everything up to `offset` of a reliable channel. Cumulative. */
  acknowledge(epoch: number, offset: number): void;
  close(): void;
}

export interface ActorClient {
  /** Never rejects: transport trouble is an `ActorError`. Answers `overloaded` at once when the bound on requests in flight is reached. */
  ask<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    options: AskOptions,
  ): Promise<AskResult<Reply<C, N>>>;
  /**
   * As `ask`, for what is asked thousands of times a second: `answered` is called with the answer, once, perhaps within
   * this call. It must not throw.
   */
  askThen<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    options: AskOptions,
    answered: (result: AskResult<Reply<C, N>>) => void,
  ): void;
  /** At most once, no answer. False when there was no room: the message is dropped. */
  cast<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    caller: Caller,
  ): boolean;
  /**
   * Listens to a channel. Survives worker death and moves of the shard: re-subscribes from the last offset by itself,
   * calling `subscribed` again only when it could not recover. Each call is its own subscription with its own replay.
   */
  subscribe(
    channel: ChannelAddress,
    caller: Caller,
    from: { epoch: number; offset: number } | null,
    sink: ChannelSink,
  ): Subscription;
}
