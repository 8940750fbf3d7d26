/**
 * Who should own a shard: rendezvous hashing (Thaler and Ravishankar, 1998). Every node is drawn a number for the shard,
 * the greatest wins. So a node that joins takes its share from all alike, and one that leaves hands its shards to all
 * alike; nothing else moves.
 */

/** Null when there are no nodes. The order of `nodes` does not matter. */
export function desiredOwner(shard: number, nodes: Iterable<string>): string | null {
  let best: string | null = null;
  let bestWeight = -1;
  for (const node of nodes) {
    const weight = weightOf(node, shard);
    if (weight > bestWeight || (weight === bestWeight && best !== null && node < best)) {
      best = node;
      bestWeight = weight;
    }
  }
  return best;
}

/**
 * FNV-1a over the name and the shard, stirred with the finalizer of MurmurHash3, without which names that differ in their
 * last letter would draw alike. Nodes of all versions in a cluster must agree on it, or shards wander between them.
 */
function weightOf(node: string, shard: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < node.length; i++) hash = Math.imul(hash ^ node.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ shard, 0x01000193);
  hash = stir(hash);
  return stir(hash ^ Math.imul(shard + 1, 0x9e3779b1)) >>> 0;
}

function stir(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
