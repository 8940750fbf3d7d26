/**
 * Drivers, customers and silent lines of Colyseus. A seat is reserved over HTTP first, as its client does; then the socket
 * says whose seat it takes, is told that it has joined, and says that it knows.
 */
import { Agent, request } from "node:http";
import { decode, encode } from "../../../src/lib/msgpack.js";
import type { Address } from "../../harness/program-messages.js";
import { openRawSocket, type RawSocket } from "../../load/raw-socket.js";
import { customerOf } from "../express-socketio/seed.js";
import { tokenOf } from "../express-socketio/tokens.js";
import type { Line, PositionsAdapter } from "../ports.js";
import { fleetRoom, type JoinOptions, MESSAGE } from "./messages.js";

/** Of Colyseus' own protocol. */
const PROTOCOL = { joinRoom: 10, error: 11, roomData: 13 } as const;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

interface Seat {
  readonly sessionId: string;
  readonly room: { readonly roomId: string; readonly processId: string };
}

/** `how`: the route behind `/matchmake/`. */
function reserve(address: Address, how: string, options: JoinOptions): Promise<Seat> {
  const text = JSON.stringify(options);
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...address,
        path: `/matchmake/${how}`,
        method: "POST",
        agent,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => {
          const seat = JSON.parse(Buffer.concat(parts).toString()) as Partial<Seat> & { readonly error?: string };
          if (seat.room === undefined || seat.sessionId === undefined) reject(new Error(seat.error ?? "no seat"));
          else resolve({ sessionId: seat.sessionId, room: seat.room });
        });
      },
    );
    asked.once("error", reject);
    asked.end(text);
  });
}

interface RoomLine extends Line {
  send(type: number, body: unknown): void;
}

function join(
  address: Address,
  seat: Promise<Seat>,
  heard: { ready(): void; message(type: number, body: unknown): void; closed(): void },
): RoomLine {
  let socket: RawSocket | null = null;
  let closed = false;
  const end = (): void => {
    if (closed) return;
    closed = true;
    heard.closed();
  };
  seat.then(({ sessionId, room }) => {
    if (closed) return;
    socket = openRawSocket({
      ...address,
      path: `/${room.processId}/${room.roomId}?sessionId=${sessionId}`,
      subprotocol: null,
      onOpen: () => undefined,
      onMessage(payload, raw) {
        switch (payload[0]) {
          case PROTOCOL.joinRoom:
            raw.send(Uint8Array.of(PROTOCOL.joinRoom));
            heard.ready();
            return;
          case PROTOCOL.roomData:
            heard.message(payload[1]!, decode(payload.subarray(2)));
            return;
          case PROTOCOL.error:
            raw.close();
            end();
            return;
          default:
        }
      },
      onClose: end,
    });
  }, end);
  return {
    send: (type, body) => socket?.send(Buffer.concat([Uint8Array.of(PROTOCOL.roomData, type), encode(body)])),
    close() {
      closed = true;
      socket?.close();
    },
  };
}

const seatIn = (address: Address, roomId: string, token: string): Promise<Seat> =>
  reserve(address, `joinById/${roomId}`, { token });

export const positions: PositionsAdapter = {
  driver(address, { index, driverId }, heard) {
    const token = tokenOf({ id: driverId, role: "driver" });
    // The room of the order that the driver carries, or else one of the fleet's.
    const seat = reserve(address, "join/order", { token, driverId }).catch(() =>
      seatIn(address, fleetRoom(index), token),
    );
    const line = join(address, seat, {
      ready: heard.ready,
      message(type, body) {
        if (type === MESSAGE.taken) heard.acknowledged(Number(body));
      },
      closed: heard.closed,
    });
    return {
      fix: (sequence, at, lat, lng) => line.send(MESSAGE.fix, { sequence, at, lat, lng }),
      close: () => line.close(),
    };
  },
  customer(address, { orderId }, heard) {
    const token = tokenOf({ id: customerOf(orderId), role: "customer" });
    return join(address, seatIn(address, orderId, token), {
      ready: heard.ready,
      message(type, body) {
        if (type === MESSAGE.position) heard.position((body as { readonly at: number }).at);
      },
      closed: heard.closed,
    });
  },
  idle(address, { index }, heard) {
    const token = tokenOf({ id: `customer-${index}`, role: "customer" });
    return join(address, seatIn(address, fleetRoom(index), token), {
      ready: heard.ready,
      message: () => undefined,
      closed: heard.closed,
    });
  },
};
