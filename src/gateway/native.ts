/**
 * What a gateway uses of the native server, and nothing more. uWebSockets.js fits it as it is; the deterministic
 * simulation has a twin that fits it too, proven by one set of exchanges with both. Whoever needs more of the native
 * server adds it here first, and then to the twin.
 */

export interface NativeRequest {
  getHeader(lowerCaseName: string): string;
  /** Every header line in its order, names in lower case: `getHeader` gives the first of a name. */
  forEach(hear: (lowerCaseName: string, value: string) => void): void;
  getParameter(index: number): string | undefined;
  getUrl(): string;
  /** In lower case. */
  getMethod(): string;
  /** Without the question mark; empty when there is none. */
  getQuery(): string;
}

export interface NativeResponse {
  /** May hold whole header lines after the status's own: see `headText`. Bytes are not turned into any first. */
  writeStatus(status: string | Uint8Array): NativeResponse;
  writeHeader(name: string, value: string): NativeResponse;
  /** False: the line has enough for now, `onWritable` says when it has room. */
  write(chunk: string): boolean;
  end(body?: Uint8Array | string, closeConnection?: boolean): unknown;
  /**
   * As much of the body as the line takes now; `totalBytes` are its length. False, false: it is full, `onWritable` says from
   * where to go on, and the answer is not over until the second is true. Whoever asks for more on that line meanwhile is cut off.
   */
  tryEnd(chunk: Uint8Array, totalBytes: number): readonly [isTaken: boolean, isOver: boolean];
  endWithoutBody(): unknown;
  onWritable(handler: (offset: number) => boolean): unknown;
  onAborted(handler: () => void): unknown;
  /** The chunk is taken back when the handler returns. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  getRemoteAddressAsText(): ArrayBuffer;
  /** What the line's beginning says by the PROXY protocol, version 2; empty when it says nothing. Anybody may say it. */
  getProxiedRemoteAddressAsText(): ArrayBuffer;
  cork(write: () => void): unknown;
  /** `context` is what the upgrade handler was given. */
  upgrade<UserData>(
    userData: UserData,
    secWebSocketKey: string,
    secWebSocketProtocol: string,
    secWebSocketExtensions: string,
    context: object,
  ): void;
}

export interface NativeSocket<UserData> {
  /** 0: waits behind others. 1: on its way. 2: not taken, because more than `maxBackpressure` waits. */
  send(message: Uint8Array | string, isBinary?: boolean): number;
  /** Bytes that wait because the line is full. */
  getBufferedAmount(): number;
  /** Says goodbye. The close handler runs within, with this code. */
  end(code?: number, reason?: string): void;
  cork(write: () => void): unknown;
  getUserData(): UserData;
}

export interface NativeSocketBehavior<UserData> {
  /** A longer message cuts the line, with the code 1006 for both sides. */
  readonly maxPayloadLength?: number;
  readonly maxBackpressure?: number;
  /** Seconds without a byte from the client after which the line is cut. */
  readonly idleTimeout?: number;
  readonly sendPingsAutomatically?: boolean;
  readonly upgrade?: (response: NativeResponse, request: NativeRequest, context: object) => void;
  readonly open?: (socket: NativeSocket<UserData>) => void;
  /** The message is taken back when the handler returns. */
  readonly message?: (socket: NativeSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => void;
  /** A ping of the client's own, which has been answered already. Browsers send none, nor do the twin's clients. */
  readonly ping?: (socket: NativeSocket<UserData>) => void;
  readonly drain?: (socket: NativeSocket<UserData>) => void;
  readonly close?: (socket: NativeSocket<UserData>, code: number, reason: ArrayBuffer) => void;
}

/**
 * A status with its headers as one text for `writeStatus`: for answers that are given often and whose head is always the
 * same. Each header written by itself is a call into the native server, which together cost more than sending the bytes.
 */
export function headText(status: string, headers: readonly (readonly [name: string, value: string])[]): string {
  return [status, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\r\n");
}

export type NativeHandler = (response: NativeResponse, request: NativeRequest) => void;

export interface NativeApp {
  ws<UserData>(pattern: string, behavior: NativeSocketBehavior<UserData>): unknown;
  get(pattern: string, handler: NativeHandler): unknown;
  head(pattern: string, handler: NativeHandler): unknown;
  post(pattern: string, handler: NativeHandler): unknown;
  put(pattern: string, handler: NativeHandler): unknown;
  /** DELETE. */
  del(pattern: string, handler: NativeHandler): unknown;
  options(pattern: string, handler: NativeHandler): unknown;
  any(pattern: string, handler: NativeHandler): unknown;
  /** Cuts every line and stops listening. */
  close(): unknown;
}
