/** The settings of a cluster in which more happens in less time. */
import type { LocalClusterOptions } from "../cluster/mod.js";

/** Nodes renew their lease often enough to miss some, as with the usual lease. */
const BEATS_A_LEASE = 6;

export function hurried(leaseMs: number): Pick<LocalClusterOptions, "leaseMs" | "nodeArguments"> {
  return { leaseMs, nodeArguments: ["--cluster.heartbeatMs", String(Math.floor(leaseMs / BEATS_A_LEASE))] };
}
