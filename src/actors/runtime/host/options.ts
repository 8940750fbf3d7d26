/** What a shard host is made of, and what it can be told. */
import type { Clock } from "../../../lib/clock.js";
import type { Random } from "../../../lib/random.js";
import type { AnyActorDefinition } from "../definition.js";
import type { EndpointId, Link, Ownership, ShardMap } from "../link.js";
import type { ActorStore, EffectRunner, MirrorPort } from "../ports.js";
import type { HostHooks, HostLog, HostSettings, HostStats } from "./settings.js";

export interface ShardHostOptions {
  readonly self: EndpointId;
  readonly definitions: readonly AnyActorDefinition[];
  readonly store: ActorStore;
  readonly mirror: MirrorPort;
  readonly effects: Readonly<Record<string, EffectRunner>>;
  readonly link: Link;
  readonly ownership: Ownership;
  readonly shardMap: ShardMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings?: Partial<HostSettings>;
  readonly log: HostLog;
  readonly hooks?: HostHooks;
}

export interface ShardHost {
  /**
   * Serves these shards, too. Call it once the store has given this node their epochs. Resolves when their unsent messages
   * are read. `given`: another node served them until a moment ago; default: nobody did for a while.
   */
  start(shards: readonly number[], given?: boolean): Promise<void>;
  /**
   * Admits nothing more for these shards, commits what is under way, then forgets them. Waits for commits at most
   * `withinMs` (default: as long as it takes); what is not committed by then was not acknowledged either.
   */
  releaseShards(shards: readonly number[], withinMs?: number): Promise<void>;
  /** Releases everything and falls silent. Waits for commits at most `withinMs` (default 5,000). */
  stop(withinMs?: number): Promise<void>;
  stats(): HostStats;
}
