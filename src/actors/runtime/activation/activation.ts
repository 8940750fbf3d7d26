/**
 * One actor in memory. This file owns its data: the newest state ("head"), what of it is committed, what waits. It does
 * not run handlers (`executor.ts`), load (`loader.ts`) or commit (`committer/`).
 *
 * Invariants:
 * - `pending` holds, oldest first, every run whose outputs have not left; all of them saw only what is before them in
 *   the list and what is committed.
 * - Head fields (`state`, `seq`, `nextTell`, …) are the committed ones with the runs of `pending` applied.
 * - An actor is in at most one flush; `inFlight` says how many runs at the front of `pending` that flush carries.
 */
import type { ActorError, ChannelItem, SlotItem } from "../client.js";
import type { AnyActorDefinition, Caller, ChannelDefinition, Handler, IndexEntry } from "../definition.js";
import type { EndpointId } from "../link.js";
import type { ActorAddress, RememberedCommand, TimerRow } from "../ports.js";
import { Deque } from "../structures/deque.js";
import { AGAIN_COMMANDS } from "./again.js";
import type { Delivery } from "./delivery.js";
import type { Outcome } from "./outcome.js";
import type { Recorded } from "./recorded.js";

/** A kind with its commands in a map, as the executor wants it. */
export interface KindRuntime {
  readonly name: string;
  readonly definition: AnyActorDefinition;
  readonly durable: boolean;
  readonly commands: ReadonlyMap<string, CommandRuntime>;
  readonly channels: ReadonlyMap<string, ChannelDefinition<unknown, unknown>>;
  readonly coldKeys: readonly string[];
  /** Reliable events to load for replay. */
  readonly keepEvents: number;
  readonly activations: Map<string, Activation>;
}

export interface CommandRuntime {
  readonly handler: Handler<unknown, unknown, unknown, unknown>;
  /** Never de-duplicated, never remembered. */
  readonly volatile: boolean;
}

export interface Remembered {
  readonly bodyHash: string;
  readonly outcome: Outcome;
}

/** One channel of one actor that was used or listened to. */
export interface Channel {
  readonly name: string;
  readonly definition: ChannelDefinition<unknown, unknown>;
  /** Reliable: the highest offset used, and the newest events, ascending. */
  top: number;
  events: ChannelItem[];
  /** Offsets up to this one are gone from the store or will be with the next commit. */
  trimmedTo: number;
  /** Listening endpoints, their subscription ids, and for whom each is. */
  readonly listeners: Map<EndpointId, Map<number, Caller>>;
  /** Subscriptions that wait at the gate. */
  arriving: number;
}

export type Answer =
  | { readonly t: "outcome"; readonly outcome: Outcome }
  | { readonly t: "error"; readonly error: ActorError }
  | {
      readonly t: "subscribed";
      readonly channel: Channel;
      readonly top: number;
      readonly recovered: boolean;
      readonly events: readonly ChannelItem[];
      readonly slots: readonly SlotItem[];
    }
  | { readonly t: "unsubscribed" };

/** One run that waits at the gate. */
export interface Unit {
  readonly delivery: Delivery;
  /** True: it must be committed itself. False: it only saw what is not committed yet. */
  readonly dirty: boolean;
  readonly seq: number;
  readonly state: unknown;
  readonly at: number;
  readonly recorded: Recorded | null;
  readonly remembered: RememberedCommand | null;
  readonly answer: Answer | null;
  /** Its commit may be put off: what it changed may be seen before it is kept. */
  readonly atLeisure: boolean;
}

export type Phase = "loading" | "active" | "gone";

export class Activation {
  readonly kind: KindRuntime;
  readonly key: string;
  readonly address: ActorAddress;
  readonly text: string;
  readonly shard: number;
  readonly epoch: number;
  phase: Phase = "loading";

  state: unknown = undefined;
  volatile: unknown = undefined;
  /** True once `volatile` was made (and hydrated): a restore keeps it. */
  hydrated = false;
  seq = 0;
  committedSeq = 0;
  /** The latest time that any handler of this actor saw. */
  lastTime = 0;
  lastUsedAt = 0;
  nextTell = 1;
  nextEvent = 1;
  channels: Map<string, Channel> | null = null;
  timers: Map<string, TimerRow> | null = null;
  remembered: Map<string, Remembered> | null = null;
  /** The store knows more command ids than are remembered here. */
  rememberedTruncated = false;
  /** Trims that travel with the next commit: they are not worth one of their own. */
  trims: { channel: string; offset: number }[] | null = null;

  readonly mailbox = new Deque<Delivery>();
  pending: Unit[] = [];
  inFlight = 0;
  /** In the committer's queue. */
  queued = false;
  /** It will come into the committer's queue by itself, if it has not by then. */
  putOff = false;
  /** A write of it could not be written: until all is committed its runs are written one at a time. */
  isolated = false;
  /** Restores in a row without a commit between. */
  restores = 0;
  /** Values of the cold keys as they are committed; null: write them with the next commit. */
  coldValues: readonly unknown[] | null = null;
  /** The index row as it is committed; undefined: not known, write it with the next commit. */
  index: IndexEntry | null | undefined = undefined;
  /** Outputs were held back because the lease had passed: listeners must start again. */
  muted = false;

  constructor(kind: KindRuntime, key: string, text: string, shard: number, epoch: number) {
    this.kind = kind;
    this.key = key;
    this.address = { kind: kind.name, key };
    this.text = text;
    this.shard = shard;
    this.epoch = epoch;
  }

  get waiting(): number {
    return this.mailbox.length + this.pending.length;
  }

  /** Whoever waits to listen does not begin to. */
  abandon(endpoint: EndpointId, subscription: number): void {
    const isMeant = ({ source, endpoint: of, number }: Delivery): boolean =>
      source === "subscribe" && of === endpoint && number === subscription;
    for (const { delivery } of this.pending) if (isMeant(delivery)) delivery.isOver = true;
    for (const delivery of this.mailbox) if (isMeant(delivery)) delivery.isOver = true;
  }

  hasListeners(): boolean {
    if (this.channels === null) return false;
    for (const channel of this.channels.values()) if (channel.listeners.size > 0 || channel.arriving > 0) return true;
    return false;
  }

  /** The channel, made on first use; undefined when the kind declares none of that name. */
  channel(name: string): Channel | undefined {
    const known = this.channels?.get(name);
    if (known !== undefined) return known;
    const definition = this.kind.channels.get(name);
    if (definition === undefined) return undefined;
    const channel: Channel = { name, definition, top: 0, events: [], trimmedTo: 0, listeners: new Map(), arriving: 0 };
    this.channels ??= new Map();
    this.channels.set(name, channel);
    return channel;
  }

  remember(id: string, entry: Remembered, limit: number): void {
    this.remembered ??= new Map();
    this.remembered.set(id, entry);
    if (this.remembered.size > limit) {
      const oldest = this.remembered.keys().next().value as string;
      this.remembered.delete(oldest);
      this.rememberedTruncated = true;
    }
  }
}

const DEFAULT_KEEP = 256;
export const keepOf = (definition: ChannelDefinition<unknown, unknown>): number => definition.keep ?? DEFAULT_KEEP;

/** Prepares the declared kinds. Throws on a name that could be mistaken for another's address. */
export function kindsOf(definitions: readonly AnyActorDefinition[]): ReadonlyMap<string, KindRuntime> {
  const kinds = new Map<string, KindRuntime>();
  for (const definition of definitions) {
    const name = definition.ref.kind;
    if (name === "" || name.includes("/") || name.startsWith("$"))
      throw new Error(`Bad name of an actor kind: "${name}"`);
    if (kinds.has(name)) throw new Error(`The actor kind "${name}" is declared twice`);
    const volatileCommands = new Set<string>(definition.volatileCommands ?? []);
    const commands = new Map<string, CommandRuntime>();
    for (const [command, handler] of Object.entries(definition.commands)) {
      commands.set(command, {
        handler: handler as Handler<unknown, unknown, unknown, unknown>,
        volatile: definition.durability === "volatile" || volatileCommands.has(command),
      });
    }
    for (const [command, handler] of Object.entries(AGAIN_COMMANDS)) {
      commands.set(command, {
        handler: handler as Handler<unknown, unknown, unknown, unknown>,
        volatile: definition.durability === "volatile",
      });
    }
    const channels = new Map(Object.entries(definition.channels ?? {}));
    let keepEvents = 0;
    for (const channel of channels.values()) {
      if (channel.delivery !== "reliable") continue;
      if (definition.durability === "volatile") {
        throw new Error(`The volatile kind "${name}" cannot have a reliable channel: nothing keeps its events`);
      }
      keepEvents = Math.max(keepEvents, keepOf(channel));
    }
    kinds.set(name, {
      name,
      definition,
      durable: definition.durability === "commit",
      commands,
      channels,
      coldKeys: definition.cold ?? [],
      keepEvents,
      activations: new Map(),
    });
  }
  return kinds;
}
