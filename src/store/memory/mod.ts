export { createMemoryActorStore, type MemoryActorStore } from "./actor-store.js";
export { createMemoryMirror, type MemoryMirror } from "./mirror.js";
export {
  createMemoryOwnership,
  type MemoryOwnership,
  type MemoryOwnershipOptions,
  type MemoryOwnershipStore,
} from "./ownership.js";
