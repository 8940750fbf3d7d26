/** Customer sockets of a generator: each follows one order and notes how old a position is when it comes. */
import { type Cancel, systemClock } from "../../src/lib/clock.js";
import { OP, SOCKET_PATH, SUBPROTOCOL_MSGPACK } from "../../src/protocol/mod.js";
import { record } from "../lib/histogram.js";
import type { Gauges } from "./gauges.js";
import type { CustomerPlan } from "./messages.js";
import { openRawSocket } from "./raw-socket.js";
import { frames, openAll, send } from "./wire.js";

const clock = systemClock();
const TICK_MS = 20;

/** A loop that is late measures itself: what it reads late counts as the node's lateness. Returns how to stop. */
export function watchOwnLag(gauges: Gauges): Cancel {
  let due = clock.monotonic() + TICK_MS;
  return clock.every(TICK_MS, () => {
    const now = clock.monotonic();
    if (gauges.measuring) record(gauges.lag, Math.max(0, now - due));
    due = now + TICK_MS;
  });
}

/** Returns how to stop. */
export function runCustomers(plan: CustomerPlan, gauges: Gauges): Cancel {
  openAll(
    plan.sockets.length,
    plan.openPerSecond,
    () => gauges.connected + gauges.closed,
    (i) => {
      const entry = plan.sockets[i]!;
      const follow = [OP.sub, 1, `order:${entry.orderId}`];
      let following = false;
      const openedAt = clock.monotonic();
      openRawSocket({
        ...plan.nodes[entry.node]!,
        path: SOCKET_PATH,
        subprotocol: SUBPROTOCOL_MSGPACK,
        onOpen: (socket) => send(socket, [OP.hello, entry.token, entry.device, "bench"]),
        onMessage: (payload, socket) => {
          for (const frame of frames(payload)) {
            if (frame[0] === OP.welcome) {
              if (entry.orderId !== null) send(socket, follow);
              else {
                gauges.connected++;
                gauges.connectedAt = clock.monotonic();
                record(gauges.latency, gauges.connectedAt - openedAt);
              }
            } else if (frame[0] === OP.subbed) {
              if (!following) gauges.connected++;
              following = true;
            } else if (frame[0] === OP.state && frame[2] === "position") {
              if (gauges.measuring) record(gauges.latency, clock.now() - (frame[6] as { at: number }).at);
            } else if (frame[0] === OP.ping) send(socket, [OP.pong, frame[1]]);
            else if (frame[0] === OP.err) {
              gauges.noteError(frame[2]);
              if (frame[3] === true) clock.after(Number(frame[4]) || 200, () => send(socket, follow));
            }
          }
        },
        onClose: () => {
          gauges.closed++;
        },
      });
    },
  );
  return watchOwnLag(gauges);
}
