/**
 * The native side of one answer by HTTP.
 *
 * Owns: writing the head once, pieces of the body, the end, backpressure, the abort, and the native server's strictness:
 * using an answer that is over throws, and a handler that returns without an answer and without `onAborted` is a bug that
 * would end a real process. Does not own what happens at the client.
 */
import type { NativeResponse } from "../../../src/gateway/mod.js";
import type { Line } from "./line.js";
import type { RequestHead } from "./request.js";

/** What arrives at the client, in order. */
export interface AnswerEnd {
  head(status: number, headers: readonly (readonly [string, string])[]): void;
  body(piece: Uint8Array): void;
  end(): void;
}

/** A line that has not moved for this long after a write that did not fit is cut. */
const WRITE_TIMEOUT_MS = 10_000;
const HEAD_BYTES = 64;
const CHUNK_BYTES = 8;
const OVER = "a response must not be used after it was answered or aborted";

export class VirtualResponse implements NativeResponse {
  readonly #line: Line;
  readonly #answer: AnswerEnd;
  readonly #headOnly: boolean;
  readonly #switchProtocols: ((userData: unknown, protocol: string) => void) | null;
  #status = "200 OK";
  readonly #headers: [string, string][] = [];
  #headBytes = HEAD_BYTES;
  #phase: "head" | "body" | "over" = "head";
  #onAborted: (() => void) | null = null;
  #onData: ((chunk: ArrayBuffer, isLast: boolean) => void) | null = null;
  #onWritable: ((offset: number) => boolean) | null = null;
  #written = 0;
  /** Rises with each piece that found room: a line that stands still is recognised by it. */
  #moved = 0;
  #bodyOver = false;

  /** `switchProtocols` is there when the client asked for a socket at an address that has them. */
  constructor(
    line: Line,
    head: RequestHead,
    answer: AnswerEnd,
    switchProtocols: ((userData: unknown, protocol: string) => void) | null,
  ) {
    this.#line = line;
    this.#answer = answer;
    this.#headOnly = head.method === "HEAD";
    this.#switchProtocols = switchProtocols;
    line.server = { gone: () => this.#abort() };
    line.onRoom = () => this.#room();
  }

  /** Called when the handler has returned. */
  returned(): void {
    if (this.#phase !== "over" && this.#onAborted === null) {
      throw new Error("a handler returned without an answer and without `onAborted`");
    }
  }

  /** A piece of the request's body has come. */
  receive(piece: Uint8Array, isLast: boolean): void {
    if (this.#bodyOver) return;
    this.#bodyOver = isLast;
    if (this.#onData === null) return;
    const chunk = new Uint8Array(piece).buffer;
    this.#onData(chunk, isLast);
    // The native side takes its memory back.
    new Uint8Array(chunk).fill(0xdd);
  }

  writeStatus(status: string | Uint8Array): NativeResponse {
    this.#check();
    const text = typeof status === "string" ? status : Buffer.from(status).toString("latin1");
    const [line = "", ...headers] = text.split("\r\n");
    this.#status = line;
    for (const header of headers) {
      const colon = header.indexOf(": ");
      this.writeHeader(header.slice(0, colon), header.slice(colon + 2));
    }
    return this;
  }

  writeHeader(name: string, value: string): NativeResponse {
    this.#check();
    this.#headers.push([name.toLowerCase(), value]);
    this.#headBytes += name.length + value.length + 4;
    return this;
  }

  write(chunk: string): boolean {
    this.#check();
    this.#writeHead();
    if (chunk === "") return true;
    this.#send(Buffer.from(chunk));
    if (this.#line.down.waitingBytes === 0) return true;
    this.#watch();
    return false;
  }

  end(body: Uint8Array | string = "", closeConnection = false): unknown {
    this.#check();
    const bytes = typeof body === "string" ? Buffer.from(body) : new Uint8Array(body);
    if (this.#phase === "head") this.writeHeader("content-length", String(bytes.length));
    this.#writeHead();
    if (bytes.length > 0) this.#send(bytes);
    this.#over(closeConnection);
    return this;
  }

  tryEnd(chunk: Uint8Array, totalBytes: number): readonly [boolean, boolean] {
    this.#check();
    if (this.#phase === "head") this.writeHeader("content-length", String(totalBytes));
    this.#writeHead();
    const { down } = this.#line;
    if (down.waitingBytes === 0) {
      if (chunk.length > 0) this.#send(new Uint8Array(chunk));
      if (this.#written >= totalBytes) {
        this.#over(false);
        return [true, true];
      }
      if (down.waitingBytes === 0) return [true, false];
    }
    this.#watch();
    return [false, false];
  }

  endWithoutBody(): unknown {
    this.#check();
    this.#writeHead();
    this.#over(false);
    return this;
  }

  onWritable(handler: (offset: number) => boolean): unknown {
    this.#check();
    this.#onWritable = handler;
    return this;
  }

  onAborted(handler: () => void): unknown {
    this.#check();
    this.#onAborted = handler;
    return this;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown {
    this.#check();
    this.#onData = handler;
    return this;
  }

  getRemoteAddressAsText(): ArrayBuffer {
    this.#check();
    return new Uint8Array(Buffer.from(this.#line.traits.address, "latin1")).buffer;
  }

  /** Nobody stands in between. */
  getProxiedRemoteAddressAsText(): ArrayBuffer {
    this.#check();
    return new ArrayBuffer(0);
  }

  cork(write: () => void): unknown {
    this.#check();
    write();
    return this;
  }

  upgrade<UserData>(userData: UserData, _key: string, secWebSocketProtocol: string): void {
    this.#check();
    if (this.#switchProtocols === null) throw new Error("an upgrade of a request that is none");
    this.#phase = "over";
    this.#line.onRoom = null;
    this.#switchProtocols(userData, secWebSocketProtocol);
  }

  #check(): void {
    if (this.#phase === "over") throw new Error(OVER);
  }

  #writeHead(): void {
    if (this.#phase !== "head") return;
    this.#phase = "body";
    const status = Number.parseInt(this.#status, 10);
    const headers = this.#headers;
    this.#line.down.send(this.#headBytes, () => this.#answer.head(status, headers));
  }

  #send(bytes: Uint8Array): void {
    this.#written += bytes.length;
    if (this.#headOnly) return;
    this.#line.down.send(bytes.length + CHUNK_BYTES, () => this.#answer.body(bytes));
  }

  #over(closeConnection: boolean): void {
    this.#phase = "over";
    this.#bodyOver = true;
    this.#line.server = null;
    this.#line.onRoom = null;
    this.#line.down.send(0, () => this.#answer.end());
    if (closeConnection) this.#line.up.cut();
  }

  #abort(): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#bodyOver = true;
    this.#onAborted?.();
  }

  #room(): void {
    this.#moved++;
    if (this.#phase === "over" || this.#line.down.waitingBytes > 0) return;
    this.#onWritable?.(this.#written);
  }

  #watch(): void {
    const before = this.#moved;
    this.#line.process?.clock.after(WRITE_TIMEOUT_MS, () => {
      if (this.#phase === "over" || this.#moved !== before || this.#line.down.waitingBytes === 0) return;
      this.hangUp();
    });
  }

  /** The native side cuts the line. */
  hangUp(): void {
    if (this.#phase === "over") return;
    this.#line.serverLeaves();
    this.#abort();
  }
}
