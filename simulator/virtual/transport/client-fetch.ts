/**
 * A device's `fetch`. Owns one request and its answer: the body in pieces, abort, and every way of failing that the
 * platform's own has. An answer is read by promises alone: no timer and no stream of the platform is between.
 */
import type { ByteStream, FetchLike, FetchResponse } from "../../../sdk/mod.js";
import type { Device } from "./device.js";
import type { Line } from "./line.js";
import type { Listener } from "./listener.js";
import { partsOf, type RequestHead, sizeOf } from "./request.js";
import type { AnswerEnd, VirtualResponse } from "./response.js";

/** A body is sent in pieces of this size, as packets arrive. */
const PIECE_BYTES = 4096;

type Init = Parameters<FetchLike>[1];

export function createFetch(device: Device): FetchLike {
  return (url, init) =>
    new Promise((resolve, reject) => {
      if (init.signal?.aborted === true) {
        reject(abortError());
        return;
      }
      if (device.lost) {
        reject(new TypeError("fetch failed: no signal"));
        return;
      }
      new Exchange(device, url, init, resolve, reject).start();
      if (!Object.hasOwn(init.headers, "idempotency-key")) return;
      const afterMs = device.repeatAfterMs();
      if (afterMs === null) return;
      // Nobody waits for the second answer.
      const unwanted = (): void => {};
      device.options.clock.after(afterMs, () => {
        const { signal: _, ...again } = init;
        if (!device.lost) new Exchange(device, url, again, unwanted, unwanted).start();
      });
    });
}

/** What the sdk reads of an answer, and what tests read besides. */
export interface VirtualAnswer extends FetchResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  text(): Promise<string>;
}

class Exchange implements AnswerEnd {
  readonly #device: Device;
  readonly #url: string;
  readonly #init: Init;
  readonly #resolve: (answer: VirtualAnswer) => void;
  readonly #reject: (error: Error) => void;
  #line: Line | null = null;
  #body: Body | null = null;
  #over = false;
  readonly #abort = (): void => this.#fail(abortError());

  constructor(
    device: Device,
    url: string,
    init: Init,
    resolve: (answer: VirtualAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#device = device;
    this.#url = url;
    this.#init = init;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    const { method, headers, body, signal } = this.#init;
    const { origin, path, query } = partsOf(this.#url);
    const bytes = body === undefined ? null : new Uint8Array(Buffer.from(body));
    const named = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    named.set("host", origin.slice(origin.indexOf("://") + 3));
    if (bytes !== null) named.set("content-length", String(bytes.length));
    const head: RequestHead = { method: method.toUpperCase(), path, query, headers: named };
    signal?.addEventListener("abort", this.#abort);
    this.#line = this.#device.open(
      origin,
      { gone: () => this.#fail(new TypeError(this.#body === null ? "fetch failed" : "terminated")) },
      (listener) => this.#ask(listener, head, bytes),
      () => this.#fail(new TypeError("fetch failed")),
    );
  }

  #ask(listener: Listener, head: RequestHead, body: Uint8Array | null): void {
    const line = this.#line;
    if (line === null || this.#over) return;
    const { told, name } = this.#device.options;
    const size = sizeOf(head);
    let response: VirtualResponse | null = null;
    line.up.send(size, () =>
      line.toServer(() => {
        told(name, "up", size, `${head.method} ${head.path}`);
        response = listener.request(line, head, this);
        // Nothing follows: the native side says so at once.
        if (body === null || body.length === 0) response.receive(new Uint8Array(0), true);
      }),
    );
    for (let from = 0; from < (body?.length ?? 0); from += PIECE_BYTES) {
      const piece = body!.subarray(from, from + PIECE_BYTES);
      const isLast = from + PIECE_BYTES >= body!.length;
      line.up.send(piece.length, () => line.toServer(() => response?.receive(piece, isLast)));
    }
  }

  head(status: number, headers: readonly (readonly [string, string])[]): void {
    if (this.#over) return;
    const body = new Body(() => this.#fail(abortError()));
    this.#body = body;
    this.#resolve({
      status,
      ok: status >= 200 && status < 300,
      headers: new Map(headers),
      body,
      text: () => body.text(),
      json: async () => JSON.parse(await body.text()) as unknown,
    });
  }

  body(piece: Uint8Array): void {
    if (this.#over) return;
    const { told, name } = this.#device.options;
    told(name, "down", piece.length, piece);
    this.#body?.give(piece);
  }

  end(): void {
    if (this.#over) return;
    this.#done();
    this.#line?.drop();
    this.#body?.end();
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#done();
    this.#line?.clientLeaves();
    if (this.#body === null) this.#reject(error);
    else this.#body.fail(error);
  }

  #done(): void {
    this.#over = true;
    this.#init.signal?.removeEventListener("abort", this.#abort);
  }
}

interface Read {
  readonly done: boolean;
  readonly value?: Uint8Array | undefined;
}

/** Pieces in order, then the end or a failure. One reader. */
class Body implements ByteStream {
  readonly #cancelled: () => void;
  #pieces: Uint8Array[] = [];
  #state: "open" | "ended" | Error = "open";
  #waiting: { resolve: (read: Read) => void; reject: (error: Error) => void } | null = null;

  constructor(cancelled: () => void) {
    this.#cancelled = cancelled;
  }

  getReader(): { read(): Promise<Read>; cancel(): Promise<void> } {
    return { read: () => this.#read(), cancel: () => this.#cancel() };
  }

  async text(): Promise<string> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const { done, value } = await this.#read();
      if (done) return Buffer.concat(pieces).toString();
      if (value !== undefined) pieces.push(value);
    }
  }

  give(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#settle();
  }

  end(): void {
    if (this.#state === "open") this.#state = "ended";
    this.#settle();
  }

  fail(error: Error): void {
    if (this.#state === "open") this.#state = error;
    this.#pieces = [];
    this.#settle();
  }

  #read(): Promise<Read> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#settle();
    });
  }

  #cancel(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "ended";
      this.#pieces = [];
      this.#cancelled();
      this.#settle();
    }
    return Promise.resolve();
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    const value = this.#pieces.shift();
    if (value === undefined && this.#state === "open") return;
    this.#waiting = null;
    if (value !== undefined) waiting.resolve({ done: false, value });
    else if (this.#state === "ended") waiting.resolve({ done: true });
    else waiting.reject(this.#state as Error);
  }
}

function abortError(): Error {
  const error = new Error("This operation was aborted");
  error.name = "AbortError";
  return error;
}
