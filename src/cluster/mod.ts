/** Membership, placement and moves of shards, and the relay of events: the public door of this folder. */
export {
  type Coordinator,
  type CoordinatorOptions,
  type CoordinatorStatus,
  createCoordinator,
} from "./coordinator/coordinator.js";
export { ClockSkewTooGreat } from "./coordinator/lease.js";
export {
  type CoordinatorSettings,
  checkCoordinatorSettings,
  DEFAULT_COORDINATOR_SETTINGS,
} from "./coordinator/settings.js";
export { desiredOwner } from "./placement.js";
export * from "./ports.js";
export {
  createEventRelay,
  DEFAULT_EVENT_RELAY_SETTINGS,
  type EventRelay,
  type EventRelayOptions,
  type EventRelaySettings,
  type EventRelayStats,
} from "./relay.js";
