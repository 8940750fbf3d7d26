export { createMemoryActorStore, type MemoryActorStore } from "./actor-store.js";
export { createMemoryMirror, type MemoryMirror } from "./mirror.js";
