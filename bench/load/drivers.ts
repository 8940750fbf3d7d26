/**
 * Driver sockets of a generator: on shift, taking what is offered, collecting it, driving to the customer and waiting at the
 * door, with one fix each every few seconds.
 */
import { systemClock } from "../../src/lib/clock.js";
import { OP, SOCKET_PATH, SUBPROTOCOL_MSGPACK } from "../../src/protocol/mod.js";
import { record } from "../lib/histogram.js";
import type { Gauges } from "./gauges.js";
import type { DriverPlan } from "./messages.js";
import { type Pacer, startPacer } from "./pacer.js";
import { openRawSocket, type RawSocket } from "./raw-socket.js";
import { type Frame, frames, openAll, send } from "./wire.js";

const clock = systemClock();
const OPEN_PER_SECOND = 1200;
/** About 0.0002 degrees: some twenty metres, a plausible step in five seconds. */
const STEP_DEGREES = 0.0002;

/**
 * What an order expects of a driver under way, as the crow flies (`domain.travel`, a motorcycle). Somebody who stands still with the food
 * would make each of them say every two minutes that it comes later: a city of traffic jams, and commits instead of fixes.
 */
const DRIVING_METERS_PER_SECOND = (6.5 * 1.155) / 1.35;
const METERS_PER_DEGREE = 111_195;

/** Between two fixes of one frame. */
const FIX_STEP_MS = 1_000;

export function runDrivers(plan: DriverPlan, gauges: Gauges): Pacer {
  const count = plan.ids.length;
  const sockets: (RawSocket | null)[] = new Array(count).fill(null);
  const sequence = new Float64Array(count);
  const sentAt = new Float64Array(count);
  /** Commands without an answer; what is refused for now is said again. */
  const asked = new Map<number, { readonly frame: Frame; readonly online: boolean }>();
  let lastCommandId = 10;
  /** Where each driver takes what was collected, and since when. */
  const rides: ({ readonly lat: number; readonly lng: number; readonly since: number } | null)[] = new Array(
    count,
  ).fill(null);
  const cities = plan.cities.length;
  const homeOf = (i: number): { lat: number; lng: number } => {
    const city = plan.cities[i % cities]!;
    const place = Math.floor(i / cities);
    const angle = place * 2.399963;
    const radius = 0.04 * Math.sqrt((place + 0.5) / Math.ceil(count / cities));
    return { lat: city.lat + radius * Math.sin(angle), lng: city.lng + radius * Math.cos(angle) };
  };
  const placeOf = (i: number): { lat: number; lng: number } => {
    const home = homeOf(i);
    const ride = rides[i];
    if (!ride) return home;
    const [north, east] = [ride.lat - home.lat, ride.lng - home.lng];
    const meters = METERS_PER_DEGREE * Math.hypot(north, east * Math.cos((home.lat * Math.PI) / 180));
    const driven = ((clock.monotonic() - ride.since) / 1000) * DRIVING_METERS_PER_SECOND;
    const share = meters === 0 ? 1 : Math.min(1, driven / meters);
    return { lat: home.lat + share * north, lng: home.lng + share * east };
  };
  function command(socket: RawSocket, key: string, type: string, body: unknown): void {
    const id = ++lastCommandId;
    const frame = [OP.cmd, id, key, type, body];
    asked.set(id, { frame, online: type === "driver.online" });
    send(socket, frame);
  }
  function refused(i: number, [, id, code, temporary, retryAfterMs]: Frame): void {
    gauges.noteError(code);
    const again = asked.get(Number(id));
    if (again === undefined) return;
    if (temporary !== true) asked.delete(Number(id));
    else
      clock.after(Number(retryAfterMs) || 200, () => {
        const socket = sockets[i];
        if (socket) send(socket, again.frame);
      });
  }
  function work(i: number, socket: RawSocket, frame: Frame): void {
    const body = frame[5] as {
      offerId?: string;
      trip?: { stops: { kind: string; orderId: string; lat: number; lng: number; done: boolean }[] } | null;
    };
    if (frame[3] === "offer.made" && body.offerId !== undefined) {
      command(socket, `accept-${body.offerId}`, "driver.accept", { offerId: body.offerId });
    } else if (frame[3] === "trip.changed" && body.trip) {
      for (const stop of body.trip.stops) {
        if (stop.kind !== "pickup") continue;
        if (stop.done) gauges.picked.add(stop.orderId);
        else command(socket, `pickup-${stop.orderId}`, "driver.pickup", { orderId: stop.orderId });
      }
      const door = body.trip.stops.at(-1);
      if (door !== undefined) rides[i] ??= { lat: door.lat, lng: door.lng, since: clock.monotonic() };
    }
  }
  function hear(i: number, frame: Frame, socket: RawSocket): void {
    switch (frame[0]) {
      case OP.welcome:
        send(socket, [OP.sub, 1, `driver:${plan.ids[i]}`]);
        command(socket, `online-${plan.ids[i]}-1`, "driver.online", {
          name: `Driver ${i}`,
          vehicle: "motorcycle",
          ...homeOf(i),
        });
        return;
      case OP.reply:
        if (asked.get(Number(frame[1]))?.online) gauges.connected++;
        asked.delete(Number(frame[1]));
        return;
      case OP.gpsAck:
        if (gauges.measuring && frame[2] === sequence[i]! - 1) record(gauges.latency, clock.monotonic() - sentAt[i]!);
        return;
      case OP.event:
        work(i, socket, frame);
        return;
      case OP.ping:
        send(socket, [OP.pong, frame[1]]);
        return;
      case OP.err:
        refused(i, frame);
        return;
    }
  }
  openAll(
    count,
    OPEN_PER_SECOND,
    () => gauges.connected + gauges.closed,
    (i) =>
      openRawSocket({
        ...plan.nodes[plan.nodeOf[i]!]!,
        path: SOCKET_PATH,
        subprotocol: SUBPROTOCOL_MSGPACK,
        onOpen: (socket) => {
          sockets[i] = socket;
          send(socket, [OP.hello, plan.tokens[i]!, `device-${i}`, "bench"]);
        },
        onMessage: (payload, socket) => {
          for (const frame of frames(payload)) hear(i, frame, socket);
        },
        onClose: () => {
          gauges.closed++;
          sockets[i] = null;
        },
      }),
  );
  const bootId = `boot-${Math.round(clock.now())}`;
  return startPacer(count, plan.setUpFixEveryMs, (i, due, now, fixCount) => {
    const socket = sockets[i];
    if (!socket) return false;
    const seq = sequence[i]!;
    sequence[i] = seq + fixCount;
    sentAt[i] = due;
    const place = placeOf(i);
    const fixes = Array.from({ length: fixCount }, (_, n) => [
      n * FIX_STEP_MS,
      place.lat + ((seq + n) % 2) * STEP_DEGREES,
      place.lng,
      8,
      -1,
      -1,
    ]);
    // The last fix carries the intended time, so that what a customer measures counts a late generator too.
    const at = Math.round(clock.now() - (now - due)) - (fixCount - 1) * FIX_STEP_MS;
    send(socket, [OP.gps, bootId, seq, at, fixes]);
    if (gauges.measuring) record(gauges.lag, now - due);
    return true;
  });
}
