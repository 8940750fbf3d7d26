/**
 * The limit of everything on sockets: nothing but the native server that a node stands on, speaking the frames that our
 * generators expect with as few instructions as that takes. It signs nobody in, checks nothing, keeps nothing; a fix is
 * acknowledged by copying its own bytes, and passed on as one published frame to whoever follows the driver's order.
 */
import * as uWS from "uWebSockets.js";
import { decode, encode } from "../../src/lib/msgpack.js";
import { OP, SUBPROTOCOL_MSGPACK } from "../../src/protocol/mod.js";
import { serveProgram } from "../harness/serve.js";

export interface SocketsOptions {
  /** Driver → the order that it carries. */
  readonly orderOf: Readonly<Record<string, string>>;
}

interface Client {
  /** Of a driver with an order: where its positions go. */
  topic: string | null;
}

const PING_MS = 25_000;
const TTL_MS = 30_000;
/** `[op, …]` with 3 entries, and the acknowledgement's op. */
const ACK_HEAD = Uint8Array.of(0x93, OP.gpsAck);
const FIXARRAY = 0xf0;

/** The length of a MessagePack text or unsigned number at `at`, its head included. */
function valueLength(bytes: Uint8Array, at: number): number {
  const head = bytes[at]!;
  if (head < 0x80) return 1;
  if (head >= 0xa0 && head <= 0xbf) return 1 + (head & 0x1f);
  switch (head) {
    case 0xcc:
      return 2;
    case 0xcd:
      return 3;
    case 0xce:
      return 5;
    case 0xcf:
    case 0xcb:
      return 9;
    case 0xd9:
      return 2 + bytes[at + 1]!;
    default:
      throw new Error(`The bare server does not expect the byte ${head}.`);
  }
}

/** `[6, bootId, seq, …]` → `[23, bootId, seq]`. */
function acknowledgement(bytes: Uint8Array): Uint8Array {
  const from = 2;
  const seqAt = from + valueLength(bytes, from);
  const to = seqAt + valueLength(bytes, seqAt);
  const ack = new Uint8Array(ACK_HEAD.length + to - from);
  ack.set(ACK_HEAD);
  ack.set(bytes.subarray(from, to), ACK_HEAD.length);
  return ack;
}

await serveProgram(async ({ orderOf }: SocketsOptions) => {
  const app = uWS.App();
  let version = 0;
  const answer = (ws: uWS.WebSocket<Client>, frame: readonly unknown[]): void => void ws.send(encode(frame), true);

  function hear(ws: uWS.WebSocket<Client>, frame: readonly unknown[]): void {
    switch (frame[0]) {
      case OP.hello:
        answer(ws, [OP.welcome, "bare", 0, PING_MS, 3_600_000, {}]);
        return;
      case OP.sub: {
        const channel = String(frame[2]);
        if (channel.startsWith("driver:")) {
          const orderId = orderOf[channel.slice("driver:".length)];
          ws.getUserData().topic = orderId === undefined ? null : `order:${orderId}`;
        } else ws.subscribe(channel);
        answer(ws, [OP.subbed, channel, 1, 0, true]);
        return;
      }
      case OP.cmd:
        answer(ws, [OP.reply, frame[1], {}]);
        return;
    }
  }

  function passOn(topic: string, bytes: Uint8Array): void {
    const [, , , baseTs, fixes] = decode<[number, string, number, number, [number, number, number][]]>(bytes);
    const [offset, lat, lng] = fixes.at(-1)!;
    const at = baseTs + offset;
    const body = { lat, lng, at };
    app.publish(topic, encode([OP.state, topic, "position", [1, ++version], at, TTL_MS, body]), true);
  }

  app.ws<Client>("/*", {
    maxPayloadLength: 16_384,
    idleTimeout: 120,
    upgrade(res, req, context) {
      res.upgrade<Client>(
        { topic: null },
        req.getHeader("sec-websocket-key"),
        SUBPROTOCOL_MSGPACK,
        req.getHeader("sec-websocket-extensions"),
        context,
      );
    },
    message(ws, message) {
      const bytes = new Uint8Array(message);
      if (bytes[1] !== OP.gps || (bytes[0]! & FIXARRAY) !== 0x90) {
        hear(ws, decode(Uint8Array.from(bytes)));
        return;
      }
      ws.send(acknowledgement(bytes), true);
      const { topic } = ws.getUserData();
      if (topic !== null) passOn(topic, bytes);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    app.listen("127.0.0.1", 0, (socket) => {
      if (socket) resolve(uWS.us_socket_local_port(socket));
      else reject(new Error("The bare server found no port to listen on."));
    });
  });
  return { address: { host: "127.0.0.1", port }, stop: async () => void app.close() };
});
