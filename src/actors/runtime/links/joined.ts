/**
 * One link of a thread made of two: one to the threads of its own node and one to those of other nodes.
 *
 * Owns nothing but the choice between them. What a side says of an endpoint that is the other side's is ignored, so that
 * no endpoint is ever up twice and nobody on the network can pass for a thread of this node.
 */
import type { EndpointId, Link } from "../link.js";

/** `isLocal` decides by the name alone and never changes its mind. Closing the joined link closes both sides. */
export function joinLinks(local: Link, remote: Link, isLocal: (endpoint: EndpointId) => boolean): Link {
  if (local.self !== remote.self)
    throw new Error(`joined links: the sides have different names, ${local.self} and ${remote.self}`);
  const sides = [
    { link: local, has: isLocal },
    { link: remote, has: (endpoint: EndpointId): boolean => !isLocal(endpoint) },
  ] as const;
  const sideOf = (endpoint: EndpointId): Link => (isLocal(endpoint) ? local : remote);
  const joined: Link = {
    self: local.self,
    send: (to, message) => sideOf(to).send(to, message),
    receive(handler) {
      for (const { link, has } of sides)
        link.receive((from, messages) => {
          if (has(from)) handler(from, messages);
        });
    },
    peers(handler) {
      for (const { link, has } of sides)
        link.peers((peer, change) => {
          if (has(peer)) handler(peer, change);
        });
    },
    close() {
      local.close();
      remote.close();
    },
  };
  if (local.room === undefined && remote.room === undefined) return joined;
  // A side that does not say never refuses.
  return { ...joined, room: (to) => sideOf(to).room?.(to) ?? Number.MAX_SAFE_INTEGER };
}
