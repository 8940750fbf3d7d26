/**
 * The leanest WebSocket client that a load generator can use: no timers, no events, one callback a frame. It speaks just
 * what a node of ours sends (unfragmented frames, no compression) and masks with a key of zeros, which the protocol
 * allows, so that sending copies nothing.
 */
import { connect, type Socket } from "node:net";

export interface RawSocket {
  /** Sends one message: text as text, bytes as binary. Before `onOpen` it goes nowhere. */
  send(payload: Uint8Array | string): void;
  close(): void;
  /** Lets the line break without a goodbye. Nothing is heard of it any more, not even `onClose`. */
  cut(): void;
}

export interface RawSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Null: none is asked for. */
  readonly subprotocol: string | null;
  readonly onOpen: (socket: RawSocket) => void;
  readonly onMessage: (payload: Uint8Array, socket: RawSocket) => void;
  /** `code` is the close code, or 0 when the connection just ended. */
  readonly onClose: (code: number) => void;
}

const END_OF_HEAD = Buffer.from("\r\n\r\n");

export function openRawSocket(options: RawSocketOptions): RawSocket {
  const tcp: Socket = connect({ host: options.host, port: options.port, noDelay: true });
  const asked = options.subprotocol === null ? "" : `Sec-WebSocket-Protocol: ${options.subprotocol}\r\n`;
  let upgraded = false;
  let isCut = false;
  let held: Buffer = Buffer.alloc(0);
  let closeCode = 0;
  const socket: RawSocket = {
    send(payload) {
      if (!upgraded || isCut) return;
      if (typeof payload === "string") tcp.write(frame(0x1, Buffer.from(payload)));
      else tcp.write(frame(0x2, payload));
    },
    close() {
      tcp.end();
    },
    cut() {
      isCut = true;
      tcp.destroy();
    },
  };
  tcp.on("connect", () => {
    tcp.write(
      `GET ${options.path} HTTP/1.1\r\nHost: ${options.host}:${options.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${asked}\r\n`,
    );
  });
  tcp.on("data", (chunk: Buffer) => {
    if (isCut) return;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    if (!upgraded) {
      const end = held.indexOf(END_OF_HEAD);
      if (end < 0) return;
      if (!held.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) {
        tcp.destroy();
        return;
      }
      upgraded = true;
      held = held.subarray(end + END_OF_HEAD.length);
      options.onOpen(socket);
    }
    while (!isCut) {
      if (held.length < 2) return;
      let length = held[1]! & 0x7f;
      let start = 2;
      if (length === 126) {
        if (held.length < 4) return;
        length = held.readUInt16BE(2);
        start = 4;
      } else if (length === 127) {
        if (held.length < 10) return;
        length = Number(held.readBigUInt64BE(2));
        start = 10;
      }
      if (held.length < start + length) return;
      const payload = held.subarray(start, start + length);
      const opcode = held[0]! & 0x0f;
      held = held.subarray(start + length);
      if (opcode === 0x8) closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      else if (opcode === 0x9) tcp.write(frame(0xa, payload));
      else if (opcode === 0x1 || opcode === 0x2) options.onMessage(payload, socket);
    }
  });
  tcp.on("error", () => undefined);
  tcp.on("close", () => {
    if (!isCut) options.onClose(closeCode);
  });
  return socket;
}

function frame(opcode: number, payload: Uint8Array): Buffer {
  const extended = payload.length < 126 ? 0 : 2;
  const head = Buffer.alloc(6 + extended);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (extended === 0 ? payload.length : 126);
  if (extended === 2) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
