/** The test kit of the actor engine. */
export { FaultyStore, type StoreCall, type StoreFault, type StoreOperation } from "./faulty-store.js";
export { createTestKit, type KitAsk, type LinkFault, type LogLine, TestKit, type TestKitOptions } from "./kit.js";
export { createProcessClock, type ProcessClock } from "./process-clock.js";
export { type Recorder, record } from "./recorder.js";
export { betweenMilliseconds, mortalClock, VirtualClock } from "./virtual-clock.js";
