/** The wire contract's one door. Runs in a browser. */
export * from "./commands.js";
export * from "./errors.js";
export * from "./frames.js";
export * from "./ids.js";
export * from "./orders.js";
export * from "./schemas.js";
