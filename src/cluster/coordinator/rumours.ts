/**
 * What hints say of shards that this node holds itself. While it has a session the database will tell, and nothing is
 * believed. Without one nobody else can tell it: it has fallen silent by then, and its gateways would go on asking its own
 * workers, who may not answer, for as long as it is cut off. So it lets go of what another is said to have.
 *
 * Owns: which rumours have not been looked into yet. Does not own what is held (`holdings.ts`) or who has a session.
 *
 * Invariant: nothing is granted here. A hint that lies costs a silent node shards that it serves nobody with; those that
 * are still its own it takes again, under new epochs, once it sees the database.
 */
import type { OwnershipHint } from "../ports.js";
import type { Directory } from "./directory.js";
import type { Holdings } from "./holdings.js";
import type { Sequence } from "./sequence.js";

export interface Rumours {
  /** Returns whether it tells of a newer owner of something that is held: a reason to look at the database. */
  hear(hint: OwnershipHint): boolean;
  /** There is no session to ask: what was heard, and not looked into since, counts. Returns how many shards were lost. */
  believe(): number;
  /** The database was asked at `asked` and has answered. */
  lookedInto(asked: number): void;
}

interface Rumour {
  readonly node: string;
  readonly workers: number;
  readonly epoch: number;
  readonly heard: number;
}

export function createRumours(holdings: Holdings, directory: Directory, sequence: Sequence): Rumours {
  const heard = new Map<number, Rumour>();
  const isNews = (shard: number, epoch: number): boolean => epoch > (holdings.get(shard)?.epoch ?? epoch);
  return {
    hear({ node, workers, shards }) {
      let news = false;
      for (const { shard, epoch } of shards) {
        if (!isNews(shard, epoch)) continue;
        news = true;
        if (epoch > (heard.get(shard)?.epoch ?? 0)) heard.set(shard, { node, workers, epoch, heard: sequence.next() });
      }
      return news;
    },
    believe() {
      const lost = [...heard].filter(([shard, { epoch }]) => isNews(shard, epoch));
      heard.clear();
      holdings.lose(lost.map(([shard]) => shard));
      for (const [shard, { node, workers, epoch }] of lost)
        directory.hint({ node, workers, shards: [{ shard, epoch }] });
      return lost.length;
    },
    lookedInto(asked) {
      for (const [shard, rumour] of heard) if (rumour.heard < asked) heard.delete(shard);
    },
  };
}
