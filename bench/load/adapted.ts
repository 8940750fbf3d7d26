/** The same drivers and customers, speaking a peer's protocol through its adapter. */
import { type Cancel, systemClock } from "../../src/lib/clock.js";
import { record } from "../lib/histogram.js";
import type { DriverLine, Line, PositionsAdapter } from "../peers/ports.js";
import { watchOwnLag } from "./customers.js";
import type { Gauges } from "./gauges.js";
import type { CustomerPlan, DriverPlan } from "./messages.js";
import { type Pacer, startPacer } from "./pacer.js";
import { openAll } from "./wire.js";

const clock = systemClock();
const OPEN_PER_SECOND = 1_000;
const CENTER = { lat: 48.2, lng: 16.37 };
const STEP_DEGREES = 0.0002;
const SPREAD_DEGREES = 0.04;

export function runAdaptedDrivers(plan: DriverPlan, adapter: PositionsAdapter, gauges: Gauges): Pacer {
  const count = plan.ids.length;
  const lines: (DriverLine | null)[] = new Array(count).fill(null);
  const sequence = new Float64Array(count);
  const sentAt = new Float64Array(count);
  openAll(
    count,
    OPEN_PER_SECOND,
    () => gauges.connected + gauges.closed,
    (index) => {
      const line = adapter.driver(
        plan.nodes[0]!,
        { index, driverId: plan.ids[index]! },
        {
          ready() {
            gauges.connected++;
            lines[index] = line;
          },
          acknowledged(number) {
            if (gauges.measuring && number === sequence[index]! - 1)
              record(gauges.latency, clock.monotonic() - sentAt[index]!);
          },
          closed() {
            gauges.closed++;
            lines[index] = null;
          },
        },
      );
    },
  );
  return startPacer(count, plan.setUpFixEveryMs, (i, due, now) => {
    const line = lines[i];
    if (!line) return false;
    const number = sequence[i]!;
    sequence[i] = number + 1;
    sentAt[i] = due;
    const at = Math.round(clock.now() - (now - due));
    const lat = CENTER.lat + ((i % 100) / 100) * SPREAD_DEGREES + (number % 2) * STEP_DEGREES;
    line.fix(number, at, lat, CENTER.lng + (Math.floor(i / 100) / 100) * SPREAD_DEGREES);
    if (gauges.measuring) record(gauges.lag, now - due);
    return true;
  });
}

/** Returns how to stop. */
export function runAdaptedCustomers(plan: CustomerPlan, adapter: PositionsAdapter, gauges: Gauges): Cancel {
  const lines: Line[] = [];
  openAll(
    plan.sockets.length,
    plan.openPerSecond,
    () => gauges.connected + gauges.closed,
    (index) => {
      const { orderId } = plan.sockets[index]!;
      const openedAt = clock.monotonic();
      const closed = (): void => {
        gauges.closed++;
      };
      const line =
        orderId === null
          ? adapter.idle(
              plan.nodes[0]!,
              { index },
              {
                ready() {
                  gauges.connected++;
                  gauges.connectedAt = clock.monotonic();
                  record(gauges.latency, gauges.connectedAt - openedAt);
                },
                closed,
              },
            )
          : adapter.customer(
              plan.nodes[0]!,
              { index, orderId },
              {
                ready() {
                  gauges.connected++;
                },
                position(at) {
                  if (gauges.measuring) record(gauges.latency, clock.now() - at);
                },
                closed,
              },
            );
      lines.push(line);
    },
  );
  return watchOwnLag(gauges);
}
