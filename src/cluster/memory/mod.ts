/** The cluster's twins in memory: the public door of this folder. */
export { createMemoryEventStream, type MemoryEventStream } from "./event-stream.js";
export { createMemoryHints, type MemoryHints, type MemoryHintsOptions } from "./hints.js";
