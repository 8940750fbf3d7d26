/** The simulator that drives a real node, for composition and for benchmarks. */

export { connect } from "./agents/context.js";
export type { Device } from "./agents/radio.js";
export { recorded } from "./agents/recorded.js";
export { bookingsOf, databaseOf, readBookings, readDatabase } from "./audit.js";
export { type CityRun, type CityRunOptions, DEMO_SCRIPT, DEMO_SEED, demoCity, startCityRun } from "./city-run.js";
export { CityTime, type CityTimeFacts } from "./city-time.js";
export { Crew, type CrewOptions } from "./crew.js";
export { Latency, type LatencySummary, latencyOf } from "./measure/histogram.js";
export type { MeterReading } from "./measure/meter.js";
export { CannotRun, NodeControl, type Principal } from "./node-control.js";
export { type NodeReady, OwnNode, readyOf } from "./node-process.js";
export { operatorSecretOption } from "./operator-secret.js";
export {
  noteOf,
  type PlannedDriver,
  type PlannedOrder,
  type PlannedRestaurant,
  type RunPlan,
  stockOf,
  type Words,
} from "./plan.js";
export { planDay } from "./replay/day-plan.js";
export { readDay } from "./replay/files.js";
export { planGenerated } from "./replay/generated-plan.js";
export { isGood, type RunReport, reportText } from "./report.js";
export { type RunningLoad, type RunOptions, type RunResult, run } from "./run.js";
