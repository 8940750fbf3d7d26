/** What the client needs from its surroundings. Browsers have all of it; `node.ts` supplies what Node 20 lacks. */

/** The part of a WebSocket that the client uses: the browser's own class and the `ws` package's both fit. */
export interface SocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array | string): void;
  close(code?: number, reason?: string): void;
  /** Drops the connection without a closing handshake; only Node's sockets can. */
  terminate?(): void;
}

export interface SocketConstructor {
  new (url: string, protocols: string[]): SocketLike;
}

/** The part of `fetch` that the client uses. */
export type FetchLike = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly signal?: AbortSignal;
  },
) => Promise<FetchResponse>;

/** The part of a `Response` that the client uses. */
export interface FetchResponse {
  readonly ok: boolean;
  readonly body: ByteStream | null;
  json(): Promise<unknown>;
}

/** The part of a `ReadableStream` that the client uses. */
export interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/**
 * Keeps unanswered commands over a restart of the application, for example `localStorage`. One that several windows use,
 * and whose `getItem` does not see what another has just written, tells what it holds: `length` and `key`.
 */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  readonly length?: number;
  /** The name of one text, in any order that stays while nothing is changed. */
  key?(index: number): string | null;
}

/** Why a token is asked for. `refresh`: the present one is about to end, or was refused; do not hand out a cached one. */
export type TokenReason = "connect" | "refresh" | "http";
export type TokenProvider = (reason: TokenReason) => string | Promise<string>;
