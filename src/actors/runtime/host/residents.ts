/**
 * Which actors are in memory on this host, by kind and key and by shard. Owns the two indexes and the count; does not
 * own what becomes of an actor that comes or goes (`host.ts`).
 *
 * Invariant: an actor is in both indexes or in neither, and only its newest activation is.
 */
import { Activation, type KindRuntime } from "../activation/activation.js";
import type { ActorAddress } from "../ports.js";

export class Residents {
  readonly kinds: ReadonlyMap<string, KindRuntime>;
  /** By shard, so that a move costs what it moves and not what the host holds. */
  readonly #byShard = new Map<number, Set<Activation>>();
  #count = 0;

  constructor(kinds: ReadonlyMap<string, KindRuntime>) {
    this.kinds = kinds;
  }

  get count(): number {
    return this.#count;
  }

  find({ kind, key }: ActorAddress): Activation | undefined {
    return this.kinds.get(kind)?.activations.get(key);
  }

  /** A new activation; there must be none of that address. */
  add(kind: KindRuntime, { kind: name, key }: ActorAddress, shard: number, epoch: number): Activation {
    const actor = new Activation(kind, key, `${name}/${key}`, shard, epoch);
    kind.activations.set(key, actor);
    const neighbours = this.#byShard.get(shard);
    if (neighbours === undefined) this.#byShard.set(shard, new Set([actor]));
    else neighbours.add(actor);
    this.#count++;
    return actor;
  }

  /** Harmless for one that has gone, or that another has followed. */
  remove(actor: Activation): void {
    if (actor.kind.activations.get(actor.key) !== actor) return;
    actor.kind.activations.delete(actor.key);
    this.#byShard.get(actor.shard)?.delete(actor);
    this.#count--;
  }

  /** Takes the shard out: its actors are to be removed one by one. */
  leave(shard: number): Iterable<Activation> {
    const actors = this.#byShard.get(shard);
    this.#byShard.delete(shard);
    return actors ?? [];
  }

  /** Whether an actor of these shards has messages that are not done. */
  hasWork(shards: Iterable<number>): boolean {
    for (const shard of shards) for (const actor of this.#byShard.get(shard) ?? []) if (actor.waiting > 0) return true;
    return false;
  }

  *all(): Iterable<Activation> {
    for (const kind of this.kinds.values()) yield* kind.activations.values();
  }
}
