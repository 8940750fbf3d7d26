/** The engine's one door. It knows no food. */
export * from "./client.js";
export * from "./definition.js";
export * from "./link.js";
export * from "./links/memory.js";
export * from "./ports.js";
export * from "./shard.js";
