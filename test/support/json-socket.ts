import WebSocket from "ws";
import { OP, SOCKET_PATH, SUBPROTOCOL_JSON } from "../../src/protocol/mod.js";

export interface OpenSocket {
  /** Resolves with the code that the node closes with. */
  readonly closed: Promise<number>;
  /** The next frame of one of these kinds. */
  next(...ops: readonly number[]): Promise<readonly unknown[]>;
  send(frame: readonly unknown[]): void;
  close(): void;
}

/** A socket that has been welcomed, in the codec that people can read. */
export async function openSocket(url: string, token: string, device: string): Promise<OpenSocket> {
  const socket = new WebSocket(url.replace("http", "ws") + SOCKET_PATH, SUBPROTOCOL_JSON);
  const frames: (readonly unknown[])[] = [];
  let wake: () => void = () => undefined;
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data)) as readonly unknown[];
    frames.push(...(frame[0] === OP.batch ? (frame.slice(1) as (readonly unknown[])[]) : [frame]));
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.once("close", (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  const open: OpenSocket = {
    closed,
    async next(...ops) {
      for (;;) {
        const found = frames.findIndex(([op]) => ops.includes(op as number));
        if (found >= 0) return frames.splice(found, 1)[0]!;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    send: (frame) => socket.send(JSON.stringify(frame)),
    close: () => socket.close(),
  };
  open.send([OP.hello, token, device, "1.0.0"]);
  await open.next(OP.welcome);
  return open;
}
