/** The settings of a cluster in which more happens in less time. */
import type { LocalClusterOptions } from "../cluster/mod.js";

/** Nodes renew their lease often enough to miss some, as with the usual lease. */
const BEATS_A_LEASE = 6;
/** As usual: what else is timed by it stays in proportion. */
const SLOWEST_BEAT_MS = 1_000;

export function hurried(leaseMs: number): Pick<LocalClusterOptions, "leaseMs" | "nodeArguments"> {
  return {
    leaseMs,
    nodeArguments: ["--cluster.heartbeatMs", String(Math.min(SLOWEST_BEAT_MS, Math.floor(leaseMs / BEATS_A_LEASE)))],
  };
}
