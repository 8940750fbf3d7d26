/**
 * A device's WebSocket, as the sdk uses one.
 *
 * Owns: opening, the four states, the closing handshake, telling the application. Invariants, as of the platform's own:
 * nothing is told within a call of the application; `onclose` comes once and is the last.
 */
import type { SocketConstructor, SocketLike } from "../../../sdk/mod.js";
import { OP } from "../../../src/protocol/mod.js";
import type { Device } from "./device.js";
import type { Line } from "./line.js";
import type { AskedSocket, Listener, UpgradeEnd } from "./listener.js";
import { partsOf, type RequestHead, sizeOf } from "./request.js";

const ABNORMAL = 1006;
const FRAME_BYTES = 8;
const CLOSE_FRAME_BYTES = 8;
const SWITCHING = 101;
const CLOSE_TIMEOUT_MS = 30_000;
/** Programs send these again by mistake; the rest of the protocol says hello once. */
const REPEATABLE: ReadonlySet<number> = new Set([OP.cmd, OP.gps, OP.ack]);

/** The class whose sockets are this device's. */
export function socketClassOf(device: Device): SocketConstructor {
  return class extends ClientSocket {
    constructor(url: string, protocols: string[]) {
      super(device, url, protocols);
    }
  };
}

export class ClientSocket implements SocketLike, UpgradeEnd {
  binaryType = "arraybuffer";
  protocol = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly #device: Device;
  readonly #line: Line;
  #state: "connecting" | "open" | "closing" | "closed" = "connecting";
  /** The other side, once it has one. */
  #server: AskedSocket | null = null;

  constructor(device: Device, url: string, protocols: readonly string[]) {
    // Thrown before anything is opened, as a platform without a network does; the sdk waits and tries again.
    if (device.lost) throw new Error("no signal");
    this.#device = device;
    const { origin, path, query } = partsOf(url.replace(/^ws/, "http"));
    const head: RequestHead = {
      method: "GET",
      path,
      query,
      headers: new Map([
        ["upgrade", "websocket"],
        ["sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="],
        ["sec-websocket-version", "13"],
        ["sec-websocket-protocol", protocols.join(", ")],
      ]),
    };
    this.#line = device.open(
      origin,
      { gone: () => this.#close(ABNORMAL, "") },
      (listener) => this.#ask(listener, head),
      () => this.#close(ABNORMAL, ""),
    );
  }

  get bufferedAmount(): number {
    return this.#line.up.waitingBytes;
  }

  send(data: Uint8Array | string): void {
    if (this.#state === "connecting") throw new Error("a socket that is still connecting cannot send");
    if (this.#state !== "open") return;
    // The caller may use its memory again.
    const own = typeof data === "string" ? data : new Uint8Array(data);
    this.#send(own);
    if (!REPEATABLE.has(opOf(own))) return;
    const afterMs = this.#device.repeatAfterMs();
    if (afterMs === null) return;
    this.#device.options.clock.after(afterMs, () => {
      if (this.#state === "open") this.#send(own);
    });
  }

  #send(own: Uint8Array | string): void {
    const bytes = typeof own === "string" ? Buffer.byteLength(own) : own.length;
    const line = this.#line;
    const { told, name } = this.#device.options;
    line.up.send(bytes + FRAME_BYTES, () =>
      line.toServer(() => {
        told(name, "up", bytes, own);
        this.#server?.receive(own);
      }),
    );
  }

  close(code?: number, reason = ""): void {
    if (this.#state === "connecting") {
      this.terminate();
      return;
    }
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#device.socketClosed(this.#line);
    const line = this.#line;
    line.up.send(CLOSE_FRAME_BYTES + reason.length, () =>
      line.toServer(() => this.#server?.receiveClose(code ?? null, reason)),
    );
    // A line that fell silent does not answer the goodbye either.
    this.#device.options.clock.after(CLOSE_TIMEOUT_MS, () => this.terminate());
  }

  terminate(): void {
    if (this.#state === "closed") return;
    this.#line.clientLeaves();
    // Told in a turn of its own.
    this.#device.options.clock.after(0, () => this.#close(ABNORMAL, ""));
  }

  #ask(listener: Listener, head: RequestHead): void {
    const line = this.#line;
    line.up.send(sizeOf(head), () =>
      line.toServer(() => {
        this.#server = listener.upgrade(line, head, this);
      }),
    );
  }

  // What arrives from the node

  switched(protocol: string): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    this.protocol = protocol;
    this.#device.socketOpened(this.#line);
    this.onopen?.(undefined as never);
  }

  message(data: Uint8Array | string): void {
    if (this.#state === "open" || this.#state === "closing") this.onmessage?.({ data });
  }

  /** The node's goodbye, or its answer to ours: the line is done with. */
  closed(code: number, reason: string): void {
    this.#line.clientLeaves();
    this.#close(code, reason);
  }

  /** An answer that is no upgrade. */
  head(status: number): void {
    if (status !== SWITCHING) this.onerror?.(undefined as never);
  }

  body(): void {}

  end(): void {
    this.#line.drop();
    this.#close(ABNORMAL, "");
  }

  #close(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#device.socketClosed(this.#line);
    const { told, name } = this.#device.options;
    told(name, "down", code, `socket closed: ${code} ${reason}`);
    this.onclose?.({ code, reason });
  }
}

/** The operation of a single frame; of several at once -1. */
function opOf(data: Uint8Array | string): number {
  if (typeof data === "string") return Number.parseInt(data.slice(1), 10) || -1;
  // MessagePack: an array of up to fifteen elements, then the operation as a small number.
  return data.length > 1 && data[0]! >> 4 === 9 && data[1]! > 0 && data[1]! < 128 ? data[1]! : -1;
}
