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
  /** The payload is there during the call only: a copy is to be made of what is kept. */
  readonly onMessage: (payload: Uint8Array, socket: RawSocket) => void;
  /** `code` is the close code, or 0 when the connection just ended. */
  readonly onClose: (code: number) => void;
}

const END_OF_HEAD = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);
/** What all sockets of this process are read into, one after the other: thousands that hear little cost no memory each. */
const READ_INTO = Buffer.allocUnsafeSlow(65_536);

export function openRawSocket(options: RawSocketOptions): RawSocket {
  const tcp: Socket = connect({
    host: options.host,
    port: options.port,
    noDelay: true,
    onread: {
      buffer: READ_INTO,
      callback(count, buffer) {
        if (!isCut) read((buffer as Buffer).subarray(0, count));
        return true;
      },
    },
  });
  const asked = options.subprotocol === null ? "" : `Sec-WebSocket-Protocol: ${options.subprotocol}\r\n`;
  let upgraded = false;
  let isCut = false;
  /** The beginning of a frame whose end has not come yet: a copy. */
  let held: Buffer = NOTHING;
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
  tcp.on("error", () => undefined);
  tcp.on("close", () => {
    if (!isCut) options.onClose(closeCode);
  });
  /** `chunk` is overwritten by the next read, whatever socket that is of. */
  function read(chunk: Buffer): void {
    let rest = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = NOTHING;
    if (!upgraded) {
      const end = rest.indexOf(END_OF_HEAD);
      if (end < 0) {
        held = Buffer.from(rest);
        return;
      }
      if (!rest.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) {
        tcp.destroy();
        return;
      }
      upgraded = true;
      rest = rest.subarray(end + END_OF_HEAD.length);
      options.onOpen(socket);
    }
    while (!isCut) {
      const size = frameSize(rest);
      if (size === null || rest.length < size.head + size.payload) break;
      const payload = rest.subarray(size.head, size.head + size.payload);
      const opcode = rest[0]! & 0x0f;
      rest = rest.subarray(size.head + size.payload);
      if (opcode === 0x8) closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      else if (opcode === 0x9) tcp.write(frame(0xa, payload));
      else if (opcode === 0x1 || opcode === 0x2) options.onMessage(payload, socket);
    }
    if (rest.length > 0) held = Buffer.from(rest);
  }
  return socket;
}

/** Null: more is needed to know. */
function frameSize(bytes: Buffer): { readonly head: number; readonly payload: number } | null {
  if (bytes.length < 2) return null;
  const length = bytes[1]! & 0x7f;
  if (length < 126) return { head: 2, payload: length };
  const head = length === 126 ? 4 : 10;
  if (bytes.length < head) return null;
  return { head, payload: head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)) };
}

function frame(opcode: number, payload: Uint8Array): Buffer {
  const extended = payload.length < 126 ? 0 : 2;
  const bytes = Buffer.allocUnsafe(6 + extended + payload.length);
  bytes[0] = 0x80 | opcode;
  bytes[1] = 0x80 | (extended === 0 ? payload.length : 126);
  if (extended === 2) bytes.writeUInt16BE(payload.length, 2);
  bytes.fill(0, 2 + extended, 6 + extended);
  bytes.set(payload, 6 + extended);
  return bytes;
}
