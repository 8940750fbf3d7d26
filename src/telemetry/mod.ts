/** Telemetry's one door. */
export { createLog, type LogOptions } from "./log.js";
export {
  createMetrics,
  METRICS_CONTENT_TYPE,
  type MetricsSnapshot,
  metricsText,
  type ThreadMetrics,
} from "./metrics.js";
export { redacted } from "./redact.js";
export { measureRuntime, type RuntimeMetricsOptions } from "./runtime.js";
