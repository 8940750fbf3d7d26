/**
 * The actor client over a link: turns typed calls into messages and sorts what comes back. One per gateway thread.
 *
 * Owns the link's receiver. Does not own asks (`asks.ts`), channels (`subscriptions.ts`) or routes (`router.ts`).
 */
import type { Clock } from "../../../lib/clock.js";
import { type Random, randomInteger } from "../../../lib/random.js";
import type { ActorClient, AskOptions, AskResult } from "../client.js";
import type { EndpointId, Link, LinkMessage, ShardMap } from "../link.js";
import { type ActorAddress, type MirrorEntry, SHARD_COUNT } from "../ports.js";
import { shardOf } from "../shard.js";
import { type AskMessage, type AskStats, createAsks } from "./asks.js";
import { createRouter } from "./router.js";
import { type ActorClientSettings, DEFAULT_CLIENT_SETTINGS } from "./settings.js";
import { createSubscriptions, type SubscriptionStats } from "./subscriptions.js";

export interface ActorClientOptions {
  /** The client becomes its receiver. Closing it remains the caller's business. */
  readonly link: Link;
  readonly shardMap: ShardMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings?: Partial<ActorClientSettings>;
  /** What actors put where polls are answered from, as their workers send it. */
  readonly onMirror?: (entry: MirrorEntry) => void;
}

export interface RunningActorClient extends ActorClient {
  /**
   * How long the owner of this actor's shard has been out of reach, in milliseconds: 0 while its thread is known and up.
   * Counts from the last time it was seen in reach, which is looked up whenever somebody asks.
   */
  silenceMs(actor: ActorAddress): number;
  stats(): AskStats & SubscriptionStats & { readonly castsRefused: number };
  /** Answers every ask and ends every subscription with `unavailable`. */
  close(): void;
}

type Answered = (result: AskResult<unknown>) => void;

export function createActorClient(options: ActorClientOptions): RunningActorClient {
  const { link, shardMap, clock, random, onMirror } = options;
  const settings: ActorClientSettings = { ...DEFAULT_CLIENT_SETTINGS, ...options.settings };
  const router = createRouter(shardMap);
  const reachedAt = new Float64Array(SHARD_COUNT).fill(clock.monotonic());
  // A gateway that starts again under its name may hear what was meant for the one before: it knows none of those numbers.
  let lastId = randomInteger(random, 2 ** 30);
  let castsRefused = 0;
  /** Asks and subscriptions share one row of numbers: an error's id tells which of them it is for. */
  const nextId = (): number => ++lastId;
  const asks = createAsks({ link, router, clock, random, settings });
  const subscriptions = createSubscriptions({ link, router, clock, random, settings, nextId });

  function take(from: EndpointId, message: LinkMessage): void {
    switch (message.t) {
      case "reply":
        asks.replied(message.id, message.value);
        return;
      case "slot":
        subscriptions.slot(from, message.of, message.channel, message.item);
        return;
      case "event":
        subscriptions.event(from, message.of, message.channel, message.item);
        return;
      case "error":
        if (!asks.failed(from, message.id, message.error, message.owner))
          subscriptions.failed(from, message.id, message.error, message.owner);
        return;
      case "subscribed":
        subscriptions.subscribed(message);
        return;
      case "credit":
        asks.credit(from, message.count);
        return;
      case "mirror":
        onMirror?.(message.entry);
        return;
      case "ask":
      case "cast":
      case "tell":
      case "told":
      case "subscribe":
      case "unsubscribe":
      case "acknowledge":
        // For those who own shards. A client owns none; its sender's map is wrong and its link will say so.
        return;
    }
  }

  link.receive((from, messages) => {
    for (const message of messages) take(from, message);
  });
  link.peers((peer, change) => {
    router.peer(peer, change);
    asks.peer(peer, change);
    subscriptions.peer(peer, change);
  });
  shardMap.onChange((shards) => {
    router.forget(shards);
    asks.moved(shards);
    subscriptions.moved(shards);
  });

  function ask(to: ActorAddress, name: string, input: unknown, options: AskOptions, answered: Answered): void {
    const message: Omit<AskMessage, "mayWait"> & { mayWait?: true } = {
      t: "ask",
      id: nextId(),
      to,
      name,
      input,
      commandId: options.commandId,
      bodyHash: options.bodyHash ?? "",
      caller: options.caller,
      notAfter: options.notAfter ?? null,
    };
    if (options.mayWait === true) message.mayWait = true;
    asks.ask(
      message,
      { shard: shardOf(to), newWork: options.newWork === true },
      options.timeoutMs ?? settings.askTimeoutMs,
      answered,
    );
  }

  return {
    ask(to, key, name, input, options) {
      return new Promise<AskResult<never>>((resolve) => {
        ask({ kind: to.kind, key }, name, input, options, resolve as Answered);
      });
    },
    askThen(to, key, name, input, options, answered) {
      ask({ kind: to.kind, key }, name, input, options, answered as Answered);
    },
    cast(to, key, name, input, caller) {
      const address = { kind: to.kind, key };
      const target = router.targetOf(shardOf(address));
      if (target === null || (link.room?.(target) ?? 1) <= 0) {
        castsRefused += 1;
        return false;
      }
      link.send(target, { t: "cast", to: address, name, input, caller, from: null });
      return true;
    },
    subscribe: (channel, caller, from, sink) => subscriptions.subscribe(channel, caller, from, sink),
    silenceMs(actor) {
      const shard = shardOf(actor);
      const now = clock.monotonic();
      if (router.targetOf(shard) !== null) reachedAt[shard] = now;
      return now - (reachedAt[shard] as number);
    },
    stats: () => ({ ...asks.stats(), ...subscriptions.stats(), castsRefused }),
    close() {
      asks.close();
      subscriptions.close();
    },
  };
}
