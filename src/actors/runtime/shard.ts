import { type ActorAddress, SHARD_COUNT } from "./ports.js";

/**
 * The shard of an actor: FNV-1a (32 bit) over `kind/key` as UTF-16 code units, folded to `SHARD_COUNT`. Every node of
 * every version must agree on it for ever: changing it orphans every stored actor.
 */
export function shardOf(address: ActorAddress): number {
  // Piece by piece: several times per message, and to join the texts first costs more than to hash them.
  const hash = hashed(hashed(hashed(0x811c9dc5, address.kind), "/"), address.key);
  return ((hash ^ (hash >>> 16)) >>> 0) % SHARD_COUNT;
}

function hashed(before: number, text: string): number {
  let hash = before;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash;
}

/** One string per actor, for maps. Kinds never contain a slash. */
export function addressText(address: ActorAddress): string {
  return `${address.kind}/${address.key}`;
}

export function isSame(one: ActorAddress, other: ActorAddress): boolean {
  return one.key === other.key && one.kind === other.kind;
}
