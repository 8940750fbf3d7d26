/** The cluster's twins in memory: the public door of this folder. */
export { createMemoryHints, type MemoryHints, type MemoryHintsOptions } from "./hints.js";
