/** A generator process: holds thousands of raw sockets and measures. Started by `generators.ts`, told what to do over IPC. */
import { systemClock } from "../../src/lib/clock.js";
import { encoded, quantiles } from "../lib/histogram.js";
import type { PositionsAdapter } from "../peers/ports.js";
import { runAdaptedCustomers, runAdaptedDrivers } from "./adapted.js";
import { runCustomers } from "./customers.js";
import { runDrivers } from "./drivers.js";
import { createGauges } from "./gauges.js";
import type { FromGenerator, ToGenerator } from "./messages.js";
import type { Pacer } from "./pacer.js";

const PROGRESS_MS = 500;
const gauges = createGauges();
const say = (message: FromGenerator): void => {
  process.send?.(message);
};
let pace: Pacer["pace"] = () => undefined;
let stop = (): void => undefined;

function progress(): void {
  say({ t: "progress", connected: gauges.connected, picked: gauges.picked.size, closed: gauges.closed });
}

process.on("message", (message: ToGenerator) => {
  switch (message.t) {
    case "plan": {
      const { plan } = message;
      gauges.plannedAt = systemClock().monotonic();
      systemClock().every(PROGRESS_MS, progress);
      if (plan.adapter !== undefined) {
        void import(plan.adapter).then(({ positions }: { positions: PositionsAdapter }) => {
          if (plan.role === "drivers") ({ pace, stop } = runAdaptedDrivers(plan, positions, gauges));
          else stop = runAdaptedCustomers(plan, positions, gauges);
        });
      } else if (plan.role === "drivers") ({ pace, stop } = runDrivers(plan, gauges));
      else stop = runCustomers(plan, gauges);
      return;
    }
    case "pace":
      pace(message.everyMs, message.fixes);
      return;
    case "measure":
      gauges.latency.reset();
      gauges.lag.reset();
      // Refusals while everything was set up belong to no measurement: setting up waits for what it needs.
      gauges.forgetErrors();
      gauges.measuring = true;
      return;
    case "report":
      // What follows belongs to no measurement.
      gauges.measuring = false;
      say({
        t: "report",
        latencyMs: quantiles(gauges.latency),
        latency: encoded(gauges.latency),
        lagMs: quantiles(gauges.lag),
        lag: encoded(gauges.lag),
        closed: gauges.closed,
        connectingMs: gauges.connectedAt - gauges.plannedAt,
        errors: gauges.errors,
      });
      return;
    case "stop":
      stop();
      process.exit(0);
  }
});
process.on("disconnect", () => process.exit(0));
say({ t: "ready" });
