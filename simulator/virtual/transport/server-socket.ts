/**
 * The native side of one WebSocket.
 *
 * Owns: handing up messages and the end, what waits for a slow line, silence, and the native server's strictness: the
 * close handler runs once, within `end` too, and whoever touches a socket after it throws, as natively.
 */
import type { NativeSocket, NativeSocketBehavior } from "../../../src/gateway/mod.js";
import type { Line } from "./line.js";

/** What arrives at the client, in order. */
export interface SocketEnd {
  message(data: Uint8Array | string): void;
  /** The closing handshake. */
  closed(code: number, reason: string): void;
}

const ON_ITS_WAY = 1;
const WAITS = 0;
const DROPPED = 2;
const ABNORMAL = 1006;
/** The code that stands for a goodbye without one. */
const NO_CODE = 1005;
const FRAME_BYTES = 4;
const CLOSE_FRAME_BYTES = 4;
const DEFAULT_MAX_PAYLOAD = 16 * 1024;
const DEFAULT_MAX_BACKPRESSURE = 64 * 1024;

export class ServerSocket<UserData> implements NativeSocket<UserData> {
  readonly #line: Line;
  readonly #behavior: NativeSocketBehavior<UserData>;
  readonly #client: SocketEnd;
  readonly #userData: UserData;
  readonly #tell: (bytes: number, message: Uint8Array | string) => void;
  readonly #waits: (bytes: number, message: number) => void;
  /** `closing`: the close handler runs. */
  #phase: "open" | "closing" | "closed" = "open";
  #heardAt: number;

  constructor(
    line: Line,
    behavior: NativeSocketBehavior<UserData>,
    client: SocketEnd,
    userData: UserData,
    tell: (bytes: number, message: Uint8Array | string) => void,
    /** After each message: how much waits, and how long the message is. */
    waits: (bytes: number, message: number) => void,
  ) {
    this.#line = line;
    this.#behavior = behavior;
    this.#client = client;
    this.#userData = userData;
    this.#tell = tell;
    this.#waits = waits;
    this.#heardAt = this.#now();
    line.server = { gone: () => this.#closed(ABNORMAL, "") };
    line.onRoom = () => {
      if (this.#phase === "open") behavior.drain?.(this);
    };
    behavior.open?.(this);
    this.#watchSilence();
  }

  get isOpen(): boolean {
    return this.#phase === "open";
  }

  /** A message has come. */
  receive(data: Uint8Array | string): void {
    if (this.#phase !== "open") return;
    this.#heardAt = this.#now();
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    if (bytes.length > (this.#behavior.maxPayloadLength ?? DEFAULT_MAX_PAYLOAD)) {
      this.hangUp();
      return;
    }
    const message = new Uint8Array(bytes).buffer;
    this.#behavior.message?.(this, message, typeof data !== "string");
    // The native side takes its memory back.
    new Uint8Array(message).fill(0xdd);
  }

  /** The client says goodbye; it is answered with the same. */
  receiveClose(code: number | null, reason: string): void {
    if (this.#phase === "open") this.#goodbye(code ?? NO_CODE, reason);
  }

  send(message: Uint8Array | string, isBinary = false): number {
    this.#check();
    if (this.#phase !== "open") return DROPPED;
    const { down } = this.#line;
    if (down.waitingBytes > (this.#behavior.maxBackpressure ?? DEFAULT_MAX_BACKPRESSURE)) return DROPPED;
    const data = framed(message, isBinary);
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    down.send(bytes + FRAME_BYTES, () => {
      this.#tell(bytes, data);
      this.#client.message(data);
    });
    this.#waits(down.waitingBytes, bytes + FRAME_BYTES);
    return down.waitingBytes > 0 ? WAITS : ON_ITS_WAY;
  }

  getBufferedAmount(): number {
    this.#check();
    return this.#line.down.waitingBytes;
  }

  end(code = 1000, reason = ""): void {
    this.#check();
    if (this.#phase === "open") this.#goodbye(code, reason);
  }

  cork(write: () => void): unknown {
    this.#check();
    write();
    return this;
  }

  getUserData(): UserData {
    this.#check();
    return this.#userData;
  }

  /** The native side cuts the line, without a goodbye. */
  hangUp(): void {
    if (this.#phase !== "open") return;
    this.#line.serverLeaves();
    this.#closed(ABNORMAL, "");
  }

  #goodbye(code: number, reason: string): void {
    this.#line.down.send(CLOSE_FRAME_BYTES + reason.length, () => this.#client.closed(code, reason));
    this.#closed(code, reason);
  }

  #closed(code: number, reason: string): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#line.onRoom = null;
    this.#behavior.close?.(this, code, new Uint8Array(Buffer.from(reason)).buffer);
    this.#phase = "closed";
  }

  #check(): void {
    if (this.#phase === "closed") throw new Error("a socket must not be touched after its close handler has run");
  }

  /** A line that says nothing is cut, also while its goodbye waits to be read. */
  #watchSilence(): void {
    const { idleTimeout } = this.#behavior;
    const clock = this.#line.process?.clock;
    if (idleTimeout === undefined || idleTimeout === 0 || clock === undefined) return;
    const look = (): void => {
      if (this.#line.over) return;
      const leftMs = this.#heardAt + idleTimeout * 1000 - this.#now();
      if (leftMs > 0) clock.after(leftMs, look);
      else if (this.#phase === "open") this.hangUp();
      else this.#line.serverLeaves();
    };
    clock.after(idleTimeout * 1000, look);
  }

  #now(): number {
    return this.#line.process?.clock.monotonic() ?? 0;
  }
}

/** The bytes are the native side's from now on; whoever sent them may use their memory again. */
function framed(message: Uint8Array | string, isBinary: boolean): Uint8Array | string {
  if (isBinary) return typeof message === "string" ? new Uint8Array(Buffer.from(message)) : new Uint8Array(message);
  return typeof message === "string" ? message : Buffer.from(message).toString();
}
