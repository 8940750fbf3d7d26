/**
 * How an actor is declared. This file owns the shape of an actor kind and of the context its handlers see; it does not
 * own execution (see `activation/`), storage (`ports.ts`) or transport (`link.ts`).
 *
 * Invariants of a handler: it is synchronous; it reads time, randomness and ids from the context only; it treats
 * `state` as an immutable value and replaces it with `become`; it performs I/O only by `effect`.
 */
import type { Json, JsonObject } from "../../lib/json.js";

/** What others may send to a kind of actor: command name → its input and its reply. */
export type Contract = Record<string, { input: unknown; reply: unknown }>;

/** A typed handle on a kind of actor. `messages.ts` of each domain exports one; it carries no behaviour. */
export interface ActorRef<C extends Contract = Contract> {
  readonly kind: string;
  /** Type-level only: never present at run time. */
  readonly contract?: C;
}

export function actorRef<C extends Contract>(kind: string): ActorRef<C> {
  return { kind };
}

export type CommandName<C extends Contract> = keyof C & string;
export type Input<C extends Contract, N extends CommandName<C>> = C[N]["input"];
export type Reply<C extends Contract, N extends CommandName<C>> = C[N]["reply"];

/** Who asked, as the gateway proved it. `null` means another actor, a timer or an effect. */
export interface Caller {
  readonly id: string;
  readonly role: string;
}

/** Why the handler runs. */
export interface CommandInfo {
  /** How it came. A `cast` is said once: who said it may have forgotten it since, and may never hear the answer. */
  readonly source: "ask" | "tell" | "cast" | "timer" | "effect" | "subscribe" | "unsubscribe" | "quarantine";
  readonly id: string;
  readonly name: string;
  readonly caller: Caller | null;
  /** The actor that told this command, when an actor did. */
  readonly from: { readonly kind: string; readonly key: string } | null;
}

/** A refusal: remembered and repeated like a reply, so a retry gets the same answer. */
export class Rejection {
  readonly code: string;
  readonly detail: JsonObject | undefined;
  constructor(code: string, detail?: JsonObject) {
    this.code = code;
    this.detail = detail;
  }
}

/** How the result of an effect arrives at its `onResult` command. */
export type EffectResult<R = Json> =
  | { readonly ok: true; readonly key: string; readonly value: R }
  | { readonly ok: false; readonly key: string; readonly code: string; readonly detail?: JsonObject };

/** The answer that a tell ahead waits for. */
export interface AwaitedAnswer {
  readonly withinMs: number;
  /** Commands of this actor: whatever else the receiver says may have crossed the question, which is kept then. */
  readonly by: readonly string[];
}

export interface ActorContext<S, V = undefined> {
  readonly key: string;
  readonly command: CommandInfo;
  /** Milliseconds since the epoch; never precedes the last committed time of this actor. */
  readonly now: number;
  /** The current state, including changes of this handler by `become`. Immutable. */
  readonly state: S;
  /** State that no commit keeps: lost on passivation and crash, rebuilt by `hydrate`. May be mutated in place. */
  readonly volatile: V;
  /** Commits made so far plus this one: what the actor's version will be once this handler's change is committed. */
  readonly version: number;
  /** The fencing epoch of this actor's shard. */
  readonly epoch: number;

  /** Replaces the state. Committed before any output of this handler leaves. */
  become(next: S): void;
  /** Refuses the command. Return its result; changes made before it are discarded. */
  reject(code: string, detail?: JsonObject): Rejection;
  /** A durable message: sent after the commit, resent until the receiver has committed it, in order per receiver. */
  tell<C extends Contract, N extends CommandName<C>>(to: ActorRef<C>, key: string, name: N, input: Input<C, N>): void;
  /**
   * A tell that is said at once and whose answer this handler's commit waits for. Answered by a message of the receiver
   * that changes this actor, both changes are one commit and the tell was never kept; else it is kept and sent like any
   * other. So the receiver may hear it twice, first as a cast, and of an actor that has forgotten it in a
   * crash: it must bear both. Nothing that was told before is overtaken.
   */
  tellAhead<C extends Contract, N extends CommandName<C>>(
    awaited: AwaitedAnswer,
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
  ): void;
  /** A message at most once: no outbox row. For presence and other things that are soon said again. */
  cast<C extends Contract, N extends CommandName<C>>(to: ActorRef<C>, key: string, name: N, input: Input<C, N>): void;
  /**
   * A cast that does not wait for runs that are put off (`mayWait`): of what it saw, that much a crash may forget. For
   * answers that promise nothing.
   */
  castAhead<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
  ): void;
  /**
   * Asks the world to do something. Durable before it runs, keyed (actor, `key`), run at least once by the
   * `EffectRunner` registered under `name`; its `EffectResult` returns as the command `onResult` of this actor.
   */
  effect(name: string, key: string, input: Json, onResult: string): void;
  /** Sets or replaces the durable timer `name`: at `at` (ms since the epoch) the command `run` comes with `input`. */
  timer(name: string, options: { at: number; run: string; input?: Json }): void;
  cancelTimer(name: string): void;
  /**
   * Nobody waits for what this handler changes and says: its commit may be put off for so long, so that it can be one
   * with another of this actor. Whatever else happens to the actor meanwhile is not put off, and takes it along. Not
   * for asks, whose callers wait.
   */
  mayWait(withinMs: number): void;
  /** A domain event for the outbox: published at least once, in order per actor. */
  publish(type: string, body: Json): void;
  /** An event on one of this actor's reliable channels: gets the next offset (returned), is kept for replay until trimmed. */
  push(channel: string, type: string, body: Json): number;
  /**
   * Forgets the events of a reliable channel up to and including `offset`; beyond the last one means all that were pushed
   * before this handler. Who has not read them starts from a snapshot.
   */
  trim(channel: string, offset: number): void;
  /** A latest-wins value on one of this actor's channels. Not kept; waits for uncommitted state like any output. */
  emit(channel: string, slot: string, body: Json, ttlMs: number): void;
  /** Puts a value where polls are answered from, if newer than what is there. See `MirrorPort`. */
  mirror(key: string, body: Json, ttlMs: number): void;
  /**
   * Claims a name that only one actor may hold (unique in the store). When another holds it, nothing of this handler
   * is committed and the handler runs again with `taken(claim, value)` true, so it can answer properly.
   */
  claim(claim: string, value: string): void;
  taken(claim: string, value: string): boolean;
  release(claim: string, value: string): void;

  /** Asks `admit` again for everybody who listens to this channel: whoever is refused now hears no more of it. */
  readmit(channel: string): void;
  /** True while at least one gateway subscribes to this channel of this actor. */
  hasSubscribers(channel: string): boolean;
  /** True while this caller subscribes to this channel through some gateway. A line that died unnoticed counts until it is given up. */
  isHeardBy(channel: string, caller: Caller): boolean;
  random(): number;
  newId(): string;
}

export type Handler<S, V, I, R> = (ctx: ActorContext<S, V>, input: I) => R | Rejection;

/** One channel of an actor that clients may subscribe to through a gateway. */
export interface ChannelDefinition<S, V> {
  /** `reliable`: offsets, replay, no loss. `latest`: one slot per key, overwritten while a reader is slow. */
  readonly delivery: "reliable" | "latest";
  /** Decides whether this caller may listen. Default deny: every channel says so itself. */
  readonly admit: (ctx: ReadContext<S, V>, caller: Caller) => true | Rejection;
  /**
   * What a new subscriber starts from. `reliable`: sent when the asked offset cannot be replayed.
   * `latest`: slot → value, sent to every new subscriber. `kept`: the events of a reliable channel that are in memory.
   */
  readonly snapshot: (
    ctx: ReadContext<S, V>,
    caller: Caller,
    kept: readonly KeptEvent[],
  ) => Record<string, { body: Json; ttlMs: number }>;
  /** Reliable only: how many events are kept for replay. Default 256. */
  readonly keep?: number;
  /**
   * Reliable only: true when what is beyond `keep` stays in the store, for a service to page through. Default false: it
   * leaves the store, too.
   */
  readonly archive?: boolean;
  /**
   * Reliable only: true for a channel with one reader, so that what it acknowledged is forgotten with the actor's next
   * commit. Default false: events go when `keep` or `trim` says so.
   */
  readonly trimOnAcknowledge?: boolean;
  /**
   * Reliable only: a reader has everything up to and including `offset` in safe keeping. It may touch `volatile` and
   * nothing else, and it must not throw. It may come again after a reconnect, and may be lost.
   */
  readonly acknowledged?: (ctx: ReadContext<S, V>, offset: number) => void;
}

/** An event of a reliable channel. Ascending by offset. */
export interface KeptEvent {
  readonly offset: number;
  readonly type: string;
  readonly at: number;
  readonly body: Json;
}

/** What read-only code sees. */
export interface ReadContext<S, V> {
  readonly key: string;
  readonly now: number;
  readonly state: S;
  readonly volatile: V;
  readonly version: number;
  readonly epoch: number;
}

/** A row of the generic index, kept in the same commit as the state. See `IndexQuery` in `ports.ts`. */
export interface IndexEntry {
  /** A partition to list by, for example a zone. */
  readonly scope: string;
  /** Whose it is, for example a customer. */
  readonly owner: string;
  /** The other side, for example a restaurant; empty where there is none. */
  readonly counterparty: string;
  readonly status: string;
  /** True while the thing is in progress. */
  readonly live: boolean;
  /** Sort key, milliseconds since the epoch. */
  readonly at: number;
  /** What a reader of the index gets. */
  readonly view: Json;
}

export interface ActorDefinition<C extends Contract, S, V = undefined> {
  readonly ref: ActorRef<C>;
  /** Version of the state's shape. Snapshots of an older one pass `migrate`; a newer one refuses to load. */
  readonly version: number;
  /** From the state as version `from` wrote it to the next version's shape, one step at a time. */
  readonly migrate?: Readonly<Record<number, (state: Json) => Json>>;
  /** `commit`: state is kept. `volatile`: nothing is kept; `become` only changes memory and no command is remembered. */
  readonly durability: "commit" | "volatile";
  /** Idle time after which the actor leaves memory, in milliseconds. */
  readonly idleMs: number;
  readonly init: (key: string) => S;
  /** Top-level keys of the state that change rarely: stored apart and rewritten only when their reference changes. */
  readonly cold?: readonly (keyof S & string)[];
  readonly volatile?: (key: string) => V;
  /** Rows to read from the index before the first command of an activation, to rebuild `volatile`. */
  readonly hydrate?: {
    readonly queries: (key: string) => readonly import("./ports.js").IndexQuery[];
    readonly apply: (ctx: ReadContext<S, V>, rows: readonly import("./ports.js").IndexRow[]) => void;
  };
  readonly index?: (state: S, key: string) => IndexEntry | null;
  readonly channels?: Readonly<Record<string, ChannelDefinition<S, V>>>;
  /** Commands that never de-duplicate and are not remembered: latest-wins input such as GPS, and pure reads. */
  readonly volatileCommands?: readonly CommandName<C>[];
  readonly commands: { readonly [N in CommandName<C>]: Handler<S, V, Input<C, N>, Reply<C, N>> };
}

/** Declares an actor kind. The commands must be exactly those of the contract: one too many or too few is a compile error. */
export function defineActor<C extends Contract, S, V = undefined>(
  definition: ActorDefinition<C, S, V>,
): ActorDefinition<C, S, V> {
  return definition;
}

/** Any definition, as the runtime holds it. */
// biome-ignore lint/suspicious/noExplicitAny: the runtime stores kinds of every state and contract in one registry.
export type AnyActorDefinition = ActorDefinition<any, any, any>;
