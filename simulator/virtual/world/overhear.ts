/**
 * Listens to what the hosts of a node say: words about an actor whose shard is another's by the database must not leave a
 * node, however late it notices (rule 4: what it computed is nobody's word any more). A word is what an actor says of its
 * own accord, and what is answered in its name.
 *
 * Changes nothing on the way. Does not own what follows from it (the judge's). Invariant: at most `MOST_OPEN` questions
 * are remembered, the newest.
 */
import type { ActorAddress, EndpointId, Link, LinkMessage } from "../../../src/actors/runtime/mod.js";
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

/** More than a host has under way; questions that a host never answers are forgotten in time. */
const MOST_OPEN = 4_096;

export function overhear(link: Link, { process, now, ownerOf, note }: OverhearOptions): Link {
  /** Who was asked, by the asker and its number. */
  const asked = new Map<string, ActorAddress>();

  function hear(from: EndpointId, message: LinkMessage): void {
    if (message.t !== "ask" && message.t !== "subscribe") return;
    if (asked.size >= MOST_OPEN) asked.delete(asked.keys().next().value as string);
    asked.set(`${from} ${message.id}`, message.to);
  }

  /** In whose name it is said; null: in nobody's. */
  function speakerOf(to: EndpointId, message: LinkMessage): ActorAddress | null {
    switch (message.t) {
      case "event":
      case "slot":
        return message.of;
      case "tell":
      case "cast":
        return message.from;
      case "reply":
      case "subscribed":
        return asked.get(`${to} ${message.id}`) ?? null;
      default:
        return null;
    }
  }

  return {
    self: link.self,
    send(to, message) {
      const of = speakerOf(to, message);
      const owner = of === null ? undefined : ownerOf(shardOf(of));
      if (of !== null && owner !== undefined && owner.node !== process.node) {
        note({ at: now(), life: process.life, of: `${of.kind}/${of.key}`, what: message.t, to, owner: owner.node });
      }
      if (message.t === "reply" || message.t === "error") asked.delete(`${to} ${message.id}`);
      link.send(to, message);
    },
    receive: (handler) =>
      link.receive((from, messages) => {
        for (const message of messages) hear(from, message);
        handler(from, messages);
      }),
    peers: (handler) => link.peers(handler),
    close: () => link.close(),
    ...(link.room === undefined ? {} : { room: (to: string) => link.room?.(to) ?? 0 }),
  };
}
