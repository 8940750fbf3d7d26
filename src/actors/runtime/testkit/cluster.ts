/**
 * One or more shard hosts in one thread, over a memory network, under a virtual clock. It owns which host has which
 * shard, and how hosts die and come back; the store outlives them all.
 */
import type { Clock } from "../../../lib/clock.js";
import type { Random } from "../../../lib/random.js";
import type { AnyActorDefinition } from "../definition.js";
import { createShardHost } from "../host/host.js";
import type { ShardHost } from "../host/options.js";
import type { HostLog, HostSettings } from "../host/settings.js";
import type { EndpointId, Link, ShardMap } from "../link.js";
import type { MemoryNetwork } from "../links/memory.js";
import { type EffectRunner, type MirrorPort, SHARD_COUNT } from "../ports.js";
import type { FaultyStore } from "./faulty-store.js";
import { mortalClock } from "./virtual-clock.js";

export interface ClusterOptions {
  readonly definitions: readonly AnyActorDefinition[];
  readonly hosts: number;
  readonly store: FaultyStore;
  readonly network: MemoryNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly mirror: MirrorPort;
  readonly effects: Readonly<Record<string, EffectRunner>>;
  readonly settings: Partial<HostSettings>;
  readonly log: HostLog;
}

interface Member {
  readonly id: EndpointId;
  alive: boolean;
  /** The lease: false lets the host go on working but say nothing. */
  leased: boolean;
  epochs: Map<number, number>;
  link: Link | null;
  host: ShardHost | null;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #members: Member[] = [];
  readonly #owners: (EndpointId | null)[] = new Array<EndpointId | null>(SHARD_COUNT).fill(null);
  readonly #onChange: ((shards: readonly number[]) => void)[] = [];
  readonly shardMap: ShardMap = {
    ownerOf: (shard) => this.#owners[shard] ?? null,
    onChange: (handler) => {
      this.#onChange.push(handler);
    },
  };
  #definitions: readonly AnyActorDefinition[];

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#definitions = options.definitions;
    for (let i = 0; i < options.hosts; i++) {
      this.#members.push({
        id: `node/shards-${i}`,
        alive: false,
        leased: true,
        epochs: new Map(),
        link: null,
        host: null,
      });
    }
  }

  /** Starts every host with its even part of the shards. */
  async start(): Promise<void> {
    await Promise.all(this.#members.map((_, index) => this.boot(index, this.#homeShards(index))));
  }

  /** Starts a host that is not running and gives it these shards (default: those it had at first). */
  async boot(index: number, shards: readonly number[] = this.#homeShards(index)): Promise<void> {
    const member = this.#member(index);
    if (member.alive) throw new Error(`${member.id} is running`);
    const { clock, network, store } = this.#options;
    const life = { over: false };
    const alive = (): boolean => !life.over;
    const epochs = new Map<number, number>();
    member.alive = true;
    member.leased = true;
    member.epochs = epochs;
    const link = network.endpoint(member.id);
    member.link = {
      ...link,
      close: () => {
        life.over = true;
        link.close();
      },
    };
    member.host = createShardHost({
      self: member.id,
      definitions: this.#definitions,
      store: store.forHost(alive, () => this.crash(index)),
      mirror: this.#options.mirror,
      effects: this.#options.effects,
      link,
      ownership: { epochOf: (shard) => epochs.get(shard) ?? null, mayEmit: () => alive() && member.leased },
      shardMap: this.shardMap,
      clock: mortalClock(clock, alive),
      random: this.#options.random,
      settings: this.#options.settings,
      log: this.#options.log,
    });
    await this.gain(index, shards);
  }

  /** The host takes shards in the store (their epochs rise) and serves them. */
  async gain(index: number, shards: readonly number[]): Promise<void> {
    const host = await this.grant(index, shards);
    await host?.start(shards);
  }

  /** The host owns them under new epochs, and has not heard of it yet. Null when it has died meanwhile. */
  async grant(index: number, shards: readonly number[]): Promise<ShardHost | null> {
    const member = this.#member(index);
    const { host, epochs } = member;
    const claimed = await this.#options.store.inner.claimShards(member.id, shards);
    if (!member.alive || member.host !== host) return null;
    for (const [shard, epoch] of claimed) epochs.set(shard, epoch);
    this.#own(shards, member.id);
    return host;
  }

  /** A planned handoff: flush, then the other host loads. */
  async move(from: number, to: number, shards: readonly number[]): Promise<void> {
    const member = this.#member(from);
    await member.host?.releaseShards(shards);
    for (const shard of shards) member.epochs.delete(shard);
    await this.gain(to, shards);
  }

  /** The host owns them no more, and has not heard of it yet. */
  revoke(index: number, shards: readonly number[]): void {
    for (const shard of shards) this.#member(index).epochs.delete(shard);
  }

  /** The host is gone at once: nothing it had under way reaches it or leaves it any more. */
  crash(index: number): void {
    const member = this.#member(index);
    if (!member.alive) return;
    member.alive = false;
    member.link?.close();
    member.link = null;
    member.host = null;
  }

  isAlive(index: number): boolean {
    return this.#member(index).alive;
  }

  lease(index: number, held: boolean): void {
    this.#member(index).leased = held;
  }

  shardsOf(index: number): readonly number[] {
    const { id } = this.#member(index);
    return this.#owners.flatMap((owner, shard) => (owner === id ? [shard] : []));
  }

  /** Shards that this host should serve but does not: a start or a handoff of theirs broke off. */
  orphansOf(index: number): readonly number[] {
    const { epochs } = this.#member(index);
    const unowned = this.#homeShards(index).filter((shard) => this.#owners[shard] === null);
    return [...unowned, ...this.shardsOf(index).filter((shard) => !epochs.has(shard))];
  }

  host(index: number): ShardHost {
    const { host, id } = this.#member(index);
    if (host === null) throw new Error(`${id} is not running`);
    return host;
  }

  /** Hosts that start from now on run this release of the actors. */
  release(definitions: readonly AnyActorDefinition[]): void {
    this.#definitions = definitions;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.host?.stop()));
    for (const [index, member] of this.#members.entries()) if (member.alive) this.crash(index);
  }

  #own(shards: readonly number[], id: EndpointId): void {
    for (const shard of shards) this.#owners[shard] = id;
    for (const handler of this.#onChange) handler(shards);
  }

  #homeShards(index: number): readonly number[] {
    const shards: number[] = [];
    for (let shard = index; shard < SHARD_COUNT; shard += this.#members.length) shards.push(shard);
    return shards;
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (member === undefined) throw new RangeError(`There is no host ${index}`);
    return member;
  }
}
