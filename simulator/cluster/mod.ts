/** A local cluster of real processes: the public door of this folder. */
export { startLocalCluster } from "./cluster.js";
export {
  CannotStartCluster,
  type FaultyProxy,
  type LocalCluster,
  type LocalClusterOptions,
  type LocalNode,
  type ManagedServer,
  type NodeState,
  SERVER_NAMES,
  type ServerName,
} from "./types.js";
export type { CutDirection, CutManner, ProxyStats } from "./warden/protocol.js";
