/**
 * The channels of a client that somebody listens to. Filed under the actor's key alone, which came as it is with the
 * message: nearly always one channel of one kind has it, and to join a text for each message costs more than to look.
 */
import type { ActorAddress } from "../ports.js";
import { shardOf } from "../shard.js";
import type { Hub } from "./subscription.js";

export class Hubs {
  readonly #byKey = new Map<string, Hub[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find({ kind, key }: ActorAddress, channel: string): Hub | undefined {
    const hubs = this.#byKey.get(key);
    if (hubs !== undefined)
      for (const hub of hubs) if (hub.channel === channel && hub.address.kind === kind) return hub;
    return undefined;
  }

  /** The one there is, or a new one. */
  open({ kind, key }: ActorAddress, channel: string): Hub {
    const address = { kind, key };
    const known = this.find(address, channel);
    if (known !== undefined) return known;
    const hub: Hub = { address, channel, shard: shardOf(address), subscribers: new Set() };
    const others = this.#byKey.get(key);
    if (others === undefined) this.#byKey.set(key, [hub]);
    else others.push(hub);
    this.#size++;
    return hub;
  }

  remove(hub: Hub): void {
    const hubs = this.#byKey.get(hub.address.key);
    const at = hubs?.indexOf(hub) ?? -1;
    if (hubs === undefined || at < 0) return;
    if (hubs.length === 1) this.#byKey.delete(hub.address.key);
    else hubs.splice(at, 1);
    this.#size--;
  }

  *all(): Iterable<Hub> {
    for (const hubs of this.#byKey.values()) yield* hubs;
  }
}
