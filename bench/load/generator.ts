/** A generator process: holds thousands of raw sockets and measures. Started by `gps.ts`, told what to do over IPC. */
import { build, type Histogram } from "hdr-histogram-js";
import { systemClock } from "../../src/lib/clock.js";
import { msgpackCodec, OP, SOCKET_PATH, SUBPROTOCOL_MSGPACK } from "../../src/protocol/mod.js";
import type { CustomerPlan, DriverPlan, FromGenerator, Quantiles, ToGenerator } from "./messages.js";
import { openRawSocket, type RawSocket } from "./raw-socket.js";

const clock = systemClock();
const say = (message: FromGenerator): void => {
  process.send?.(message);
};
/** Connections opened per tick of 10 ms: a storm of handshakes is another scenario. */
const OPEN_PER_TICK = 12;
const TICK_MS = 5;
/** About 0.0002 degrees: some twenty metres, a plausible step in five seconds. */
const STEP_DEGREES = 0.0002;

const latency = newHistogram();
const lag = newHistogram();
const errors: Record<string, number> = {};
let closed = 0;
let picked = 0;
let connected = 0;
let measuring = false;

function newHistogram(): Histogram {
  // Microseconds, up to two minutes, three digits.
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: 3 });
}
function quantiles(histogram: Histogram): Quantiles {
  const at = (percent: number): number => histogram.getValueAtPercentile(percent) / 1000;
  return { count: histogram.totalCount, p50: at(50), p95: at(95), p99: at(99), max: histogram.maxValue / 1000 };
}
function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(1, Math.round(ms * 1000)));
}
function frames(payload: Uint8Array): readonly (readonly unknown[])[] {
  const decoded = msgpackCodec.decode(payload, { maxBytes: 1 << 20, maxDepth: 32, maxNodes: 100_000 });
  if (!decoded.ok) return [];
  const frame = decoded.value as readonly unknown[];
  return frame[0] === OP.batch ? (frame.slice(1) as (readonly unknown[])[]) : [frame];
}
const send = (socket: RawSocket, frame: readonly unknown[]): void =>
  socket.send(msgpackCodec.encode(frame) as Uint8Array);

/** Opens `count` sockets at a bounded rate. */
function openAll(count: number, open: (index: number) => void): void {
  let next = 0;
  const cancel = clock.every(10, () => {
    for (let i = 0; i < OPEN_PER_TICK && next < count; i++) open(next++);
    if (next >= count) cancel();
  });
}

function noteError(code: unknown): void {
  const name = String(code);
  errors[name] = (errors[name] ?? 0) + 1;
}

function runDrivers(plan: DriverPlan): void {
  const count = plan.ids.length;
  const sockets: (RawSocket | null)[] = new Array(count).fill(null);
  const sequence = new Float64Array(count);
  const sentAt = new Float64Array(count);
  let commandId = 1;
  const homeOf = (i: number): { lat: number; lng: number } => {
    const angle = i * 2.399963;
    const radius = 0.04 * Math.sqrt((i + 0.5) / count);
    return { lat: plan.center.lat + radius * Math.sin(angle), lng: plan.center.lng + radius * Math.cos(angle) };
  };
  openAll(count, (i) =>
    openRawSocket({
      host: plan.host,
      port: plan.port,
      path: SOCKET_PATH,
      subprotocol: SUBPROTOCOL_MSGPACK,
      onOpen: (socket) => {
        sockets[i] = socket;
        send(socket, [OP.hello, plan.tokens[i]!, `device-${i}`, "bench"]);
      },
      onMessage: (payload, socket) => {
        for (const frame of frames(payload)) {
          switch (frame[0]) {
            case OP.welcome:
              send(socket, [OP.sub, 1, `driver:${plan.ids[i]}`]);
              send(socket, [
                OP.cmd,
                2,
                `online-${plan.ids[i]}-1`,
                "driver.online",
                { name: `Driver ${i}`, vehicle: "motorcycle", ...homeOf(i) },
              ]);
              break;
            case OP.reply:
              if (frame[1] === 2) connected++;
              break;
            case OP.gpsAck:
              if (measuring && frame[2] === sequence[i]! - 1) record(latency, clock.monotonic() - sentAt[i]!);
              break;
            case OP.event: {
              const body = frame[5] as {
                offerId?: string;
                trip?: { stops: { kind: string; orderId: string; done: boolean }[] } | null;
              };
              if (frame[3] === "offer.made" && body.offerId !== undefined) {
                send(socket, [
                  OP.cmd,
                  10 + commandId++,
                  `accept-${body.offerId}`,
                  "driver.accept",
                  { offerId: body.offerId },
                ]);
              } else if (frame[3] === "trip.changed" && body.trip) {
                for (const stop of body.trip.stops) {
                  if (stop.kind !== "pickup") continue;
                  if (stop.done) picked++;
                  else
                    send(socket, [
                      OP.cmd,
                      10 + commandId++,
                      `pickup-${stop.orderId}`,
                      "driver.pickup",
                      { orderId: stop.orderId },
                    ]);
                }
              }
              break;
            }
            case OP.ping:
              send(socket, [OP.pong, frame[1]]);
              break;
            case OP.err:
              noteError(frame[2]);
              break;
          }
        }
      },
      onClose: () => {
        if (sockets[i] !== null) closed++;
        sockets[i] = null;
      },
    }),
  );
  const progress = clock.every(500, () => say({ t: "progress", connected, picked, closed }));
  // Open loop: driver i is due at start + i·spacing + k·fixEveryMs, whatever became of the answers before.
  let cursor = 0;
  const spacing = plan.fixEveryMs / count;
  const start = clock.monotonic() + 1000;
  const bootId = `boot-${Math.round(clock.now())}`;
  const pump = clock.every(TICK_MS, () => {
    const now = clock.monotonic();
    for (;;) {
      const due = start + cursor * spacing;
      if (due > now) return;
      const i = cursor % count;
      cursor++;
      const socket = sockets[i];
      if (!socket) continue;
      const seq = sequence[i]!;
      sequence[i] = seq + 1;
      sentAt[i] = due;
      const home = homeOf(i);
      const shift = (seq % 2) * STEP_DEGREES;
      // The fix carries the intended time, so that what a customer measures counts a late generator too.
      const at = Math.round(clock.now() - (now - due));
      send(socket, [OP.gps, bootId, seq, at, [[0, home.lat + shift, home.lng, 8, -1, -1]]]);
      if (measuring) record(lag, now - due);
    }
  });
  stopping = () => {
    progress();
    pump();
  };
}

function runCustomers(plan: CustomerPlan): void {
  openAll(plan.sockets.length, (i) => {
    const entry = plan.sockets[i]!;
    let open = false;
    openRawSocket({
      host: plan.host,
      port: plan.port,
      path: SOCKET_PATH,
      subprotocol: SUBPROTOCOL_MSGPACK,
      onOpen: (socket) => {
        open = true;
        send(socket, [OP.hello, entry.token, entry.device, "bench"]);
      },
      onMessage: (payload, socket) => {
        for (const frame of frames(payload)) {
          if (frame[0] === OP.welcome) send(socket, [OP.sub, 1, `order:${entry.orderId}`]);
          else if (frame[0] === OP.subbed) connected++;
          else if (frame[0] === OP.state && frame[2] === "position") {
            if (measuring) record(latency, clock.now() - (frame[6] as { at: number }).at);
          } else if (frame[0] === OP.ping) send(socket, [OP.pong, frame[1]]);
          else if (frame[0] === OP.err) noteError(frame[2]);
        }
      },
      onClose: () => {
        if (open) closed++;
        open = false;
      },
    });
  });
  stopping = clock.every(500, () => say({ t: "progress", connected, picked: 0, closed }));
}

let stopping: () => void = () => undefined;
process.on("message", (message: ToGenerator) => {
  switch (message.t) {
    case "plan":
      if (message.plan.role === "drivers") runDrivers(message.plan);
      else runCustomers(message.plan);
      return;
    case "measure":
      latency.reset();
      lag.reset();
      measuring = true;
      return;
    case "report":
      say({ t: "report", latencyMs: quantiles(latency), lagMs: quantiles(lag), closed, errors });
      return;
    case "stop":
      stopping();
      process.exit(0);
  }
});
process.on("disconnect", () => process.exit(0));
say({ t: "ready" });
