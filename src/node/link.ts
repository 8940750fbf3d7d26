/** A thread's way to every other thread: ports within the node, NATS between nodes. */
import type { Config } from "../../config/mod.js";
import { joinLinks, type Link, type MessagePortLink } from "../actors/runtime/mod.js";
import { openNatsLink } from "../cluster/nats/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Random } from "../lib/random.js";

export interface NodeLink {
  readonly link: Link;
  /** Whether anything of other nodes can arrive. Alone there are none. */
  readonly isConnected: () => boolean;
  /** Of the part between nodes; the ports are the mesh's. */
  close(): Promise<void>;
}

export function openNodeLink(options: {
  readonly local: MessagePortLink;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}): NodeLink {
  const { local, config, clock, random, log } = options;
  const { natsUrl, name } = config.cluster;
  if (natsUrl === null) return { link: local, isConnected: () => true, close: async () => undefined };
  const remote = openNatsLink({ url: natsUrl, cluster: name, self: local.self, clock, random, log });
  const prefix = `${config.node.id}/`;
  return {
    link: joinLinks(local, remote, (endpoint) => endpoint.startsWith(prefix)),
    isConnected: () => remote.stats().connected,
    close: () => remote.shutdown(),
  };
}
