/** What runs over NATS: the link between nodes and the hints of ownership. The one place that knows the `nats` library. */
export {
  type EventConsumer,
  type EventConsumerOptions,
  type EventConsumerStats,
  type EventGap,
  openEventConsumer,
} from "./consumer.js";
// The link without a connection, for whoever carries its bytes in another way: the deterministic simulation does.
export { createLinkCore, type LinkCore, type LinkCoreOptions, type NatsLinkStats } from "./core.js";
export { EVENT_FAMILIES, type EventEnvelope, type EventFamily } from "./envelope.js";
export { type NatsHints, type NatsHintsOptions, openNatsHints } from "./hints.js";
export { type NatsLink, type NatsLinkOptions, openNatsLink } from "./link.js";
export type { PairStats } from "./pair-host.js";
export { DEFAULT_NATS_LINK_SETTINGS, type NatsLinkSettings } from "./settings.js";
export {
  DEFAULT_EVENT_STREAM_LIMITS,
  type EventStreamLimits,
  type EventStreamOptions,
  type NatsEventStream,
  openEventStream,
  StreamUnavailable,
} from "./stream.js";
export { type ClusterSubjects, clusterSubjects } from "./subjects.js";
