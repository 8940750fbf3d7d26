/**
 * Listens to what the hosts of a node say: words about an actor whose shard is another's by the database must not leave a
 * node, however late it notices (rule 4: what it computed is nobody's word any more).
 *
 * Changes nothing on the way. Does not own what follows from it (the judge's).
 */
import type { Link, LinkMessage } from "../../../src/actors/runtime/mod.js";
import { shardOf } from "../../../src/actors/runtime/shard.js";
import type { LateWord, ProcessView } from "../ports.js";

export interface OverhearOptions {
  readonly process: ProcessView;
  /** The world's time. */
  readonly now: () => number;
  /** By the database. */
  readonly ownerOf: (shard: number) => { readonly node: string; readonly epoch: number } | undefined;
  readonly note: (word: LateWord) => void;
}

export function overhear(link: Link, { process, now, ownerOf, note }: OverhearOptions): Link {
  return {
    self: link.self,
    send(to, message) {
      const of = speakerOf(message);
      const owner = of === null ? undefined : ownerOf(shardOf(of));
      if (of !== null && owner !== undefined && owner.node !== process.node) {
        note({ at: now(), life: process.life, of: `${of.kind}/${of.key}`, what: message.t, to, owner: owner.node });
      }
      link.send(to, message);
    },
    receive: (handler) => link.receive(handler),
    peers: (handler) => link.peers(handler),
    close: () => link.close(),
    ...(link.room === undefined ? {} : { room: (to: string) => link.room?.(to) ?? 0 }),
  };
}

/** In whose name it is said; null: in nobody's. */
function speakerOf(message: LinkMessage): { readonly kind: string; readonly key: string } | null {
  switch (message.t) {
    case "event":
    case "slot":
      return message.of;
    case "tell":
      return message.from;
    default:
      return null;
  }
}
