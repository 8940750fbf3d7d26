/**
 * How many connections a node opens at its database when all its parts are busy at once. Each store has a few of its own,
 * so that none waits for another's; so their number goes with the threads.
 */
import type { Config } from "../../config/mod.js";
import type { Threads } from "./plan.js";

/** By what the server is told of them (`application_name`, without `swift-eats`). */
export type ConnectionCounts = Readonly<Record<string, number>>;

const PER_NODE: ConnectionCounts = {
  // The main thread's own store, beside its gateway's: housekeeping, and claiming shards.
  read: 2,
  accounts: 2,
  events: 1,
  // The session of a member, or the lock of a lone node.
  membership: 1,
  money: 1,
  notifications: 1,
  ratings: 1,
  search: 2,
};

const perGateway = ({ store }: Config): ConnectionCounts => ({
  read: store.poolSize + 1,
  accounts: 2,
  announcements: 1,
  // Of the accounts, and of the other services.
  audit: 2,
  conversation: 1,
  devices: 2,
  letters: 1,
  listens: 1,
  money: 2,
  notices: 1,
  notifications: 1,
  ratings: 1,
});

const perWorker = ({ engine }: Config): ConnectionCounts => ({
  flush: engine.commitLanes,
  read: engine.commitLanes + 1,
  money: 1,
  ratings: 1,
});

/** The most of each kind. */
export function connectionsOf(config: Config, { gatewayThreads, shardWorkers }: Threads): ConnectionCounts {
  const counts: Record<string, number> = {};
  const add = (more: ConnectionCounts, times: number): void => {
    for (const [name, count] of Object.entries(more)) counts[name] = (counts[name] ?? 0) + times * count;
  };
  add(PER_NODE, 1);
  add(perGateway(config), gatewayThreads + 1);
  add(perWorker(config), shardWorkers);
  return counts;
}

export const totalOf = (counts: ConnectionCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
