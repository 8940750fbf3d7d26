/** The lean socket of the load generators, as the client library wants one. */
import type { SocketConstructor, SocketLike } from "../../sdk/mod.js";
import { openRawSocket, type RawSocket } from "../load/raw-socket.js";

const LOST = 1006;

/** `opened` gets the socket underneath, so that whoever makes the line can break it. */
export function rawWebSocket(opened: (socket: RawSocket) => void): SocketConstructor {
  return class RawWebSocket implements SocketLike {
    binaryType = "arraybuffer";
    readonly protocol: string;
    readonly bufferedAmount = 0;
    onopen: SocketLike["onopen"] = null;
    onmessage: SocketLike["onmessage"] = null;
    onclose: SocketLike["onclose"] = null;
    onerror: SocketLike["onerror"] = null;
    readonly #socket: RawSocket;

    constructor(url: string, protocols: string[]) {
      const { hostname, port, pathname } = new URL(url);
      this.protocol = protocols[0] ?? "";
      this.#socket = openRawSocket({
        host: hostname,
        port: Number(port),
        path: pathname,
        subprotocol: this.protocol,
        onOpen: () => this.onopen?.(undefined as never),
        onMessage: (data) => this.onmessage?.({ data: new Uint8Array(data) }),
        onClose: (code) => this.onclose?.({ code: code === 0 ? LOST : code, reason: "" }),
      });
      opened(this.#socket);
    }

    send(data: Uint8Array | string): void {
      this.#socket.send(data);
    }

    close(): void {
      this.#socket.close();
    }

    terminate(): void {
      this.#socket.cut();
    }
  };
}
