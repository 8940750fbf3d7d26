export { createMemoryAccounts, type MemoryAccounts } from "./accounts.js";
export { createMemoryActorStore, type MemoryActorStore } from "./actor-store.js";
export { createMemoryAnnouncementStore } from "./announcements.js";
export { createMemoryDeviceStore } from "./devices.js";
export { createMemoryMirror, type MemoryMirror } from "./mirror.js";
export { createMemoryNotices, type MemoryNotices } from "./notices.js";
export { createMemoryNotificationStore, type MemoryNotificationStore } from "./notifications.js";
export {
  createMemoryOwnership,
  type MemoryOwnership,
  type MemoryOwnershipOptions,
  type MemoryOwnershipStore,
} from "./ownership.js";
export { createMemoryMethods } from "./payment-methods.js";
export { createMemoryPromotions } from "./promotions.js";
export { createMemoryRatings } from "./ratings.js";
