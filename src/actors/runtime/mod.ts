/** The engine's one door. It knows no food. */
export * from "./again.js";
export * from "./client.js";
export * from "./client-impl/client.js";
export { type ActorClientSettings, DEFAULT_CLIENT_SETTINGS } from "./client-impl/settings.js";
export * from "./definition.js";
export { createShardHost } from "./host/host.js";
export type { ShardHost, ShardHostOptions } from "./host/options.js";
export {
  defaultHostSettings,
  type HostHooks,
  type HostLog,
  type HostSettings,
  type HostStats,
} from "./host/settings.js";
export * from "./link.js";
export * from "./links/bounds.js";
export * from "./links/joined.js";
export * from "./links/memory.js";
export * from "./links/message-port.js";
export * from "./ports.js";
export * from "./shard.js";
export * from "./threads/join.js";
export * from "./threads/mesh.js";
export * from "./threads/ownership.js";
export { DEFAULT_MESH_SETTINGS, type MeshSettings } from "./threads/settings.js";
export * from "./threads/shard-map.js";
