/**
 * The connection: one state machine, one socket.
 *
 * Owns: opening and closing the socket, HELLO and WELCOME, the token's renewal, the heartbeat, back-off, GOAWAY, going to
 * another node of the cluster, joining outgoing frames. Does not own: what commands, channels and positions mean (`commands.ts`, `channels.ts`, `gps.ts`).
 *
 * Invariants: there is never more than one socket that this machine listens to or writes to; frames are handed up only
 * in `live`; once `closed`, nothing happens until `connect` is called again; no event of an abandoned socket or of a
 * token asked for in an earlier attempt has any effect.
 */
import type { Clock } from "../src/lib/clock.js";
import type { Random } from "../src/lib/random.js";
import { CLOSE, type ClientFrame, type Limits, mayReconnect, OP, type ServerFrame } from "../src/protocol/mod.js";
import type { Addresses } from "./addresses.js";
import type { Alarm } from "./alarm.js";
import { type BackoffOptions, goawayDelayMs, pauseMs } from "./backoff.js";
import { Outgoing } from "./outgoing.js";
import type { SocketConstructor, SocketLike, TokenProvider, TokenReason } from "./ports.js";
import type { Codec } from "./wire.js";

export type ConnectionState =
  | { readonly name: "idle" }
  /** Getting a token, then opening the socket. `attempt` counts from 0 since the last stable connection. */
  | { readonly name: "connecting"; readonly attempt: number }
  /** HELLO is sent; WELCOME has not come. */
  | { readonly name: "greeting"; readonly attempt: number }
  | { readonly name: "live"; readonly connectionId: string; readonly limits: Limits }
  /** No socket. The next attempt starts by itself in `retryInMs` (measured when the state was entered). */
  | { readonly name: "waiting"; readonly attempt: number; readonly retryInMs: number; readonly code: number }
  /** At rest until `connect()`. `code` is the node's close code, or 1000 when the application closed. */
  | { readonly name: "closed"; readonly code: number; readonly reason: string };

export interface ConnectionOptions {
  readonly addresses: Addresses;
  /** Of the WebSocket endpoint. */
  readonly path: string;
  readonly deviceId: string;
  readonly appVersion: string;
  readonly token: TokenProvider;
  readonly Socket: SocketConstructor;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly alarm: Alarm;
  readonly backoff: BackoffOptions;
  /** From the start of an attempt to WELCOME. */
  readonly connectTimeoutMs: number;
  /** A connection that lived this long counts as good: the next pause starts small again. */
  readonly stableAfterMs: number;
}

export interface ConnectionListener {
  changed(state: ConnectionState, before: ConnectionState): void;
  frame(frame: ServerFrame): void;
  /** All frames of one message have been handed up. */
  drained(): void;
}

/** Request numbers of REFRESH never meet those of commands and subscriptions, which count up from 1. */
const REFRESH_ID = 0;
const NORMAL_CLOSURE = 1000;
/** Before WELCOME says what a node takes: every node takes as much. */
const GREETING_BYTES = 16 * 1024;
const ABNORMAL_CLOSURE = 1006;
/** So much more on the wall clock than on the monotonic one: the device has slept. */
const SLEPT_MS = 10_000;

/** Closed because of what this client did or asked: another node would say the same. Anything else is the node's or the line's. */
const OURS: ReadonlySet<number> = new Set([CLOSE.slow, CLOSE.rate, CLOSE.tokenExpired, CLOSE.resumeImpossible]);

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  #state: ConnectionState = { name: "idle" };
  #socket: SocketLike | null = null;
  /** Rises with every attempt and every loss, so that late tokens are recognised. */
  #attemptNumber = 0;
  #attempt = 0;
  #liveSinceMs = 0;
  /** When the node's last word came, monotonic, and how far the wall clock was ahead of that. */
  #heardAtMs = 0;
  #heardWallAheadMs = 0;
  readonly #outgoing: Outgoing;
  #helloAtMs = 0;
  /** The node's wall clock minus our monotonic one; null before the first WELCOME. */
  #serverMinusMonotonicMs: number | null = null;
  /** When the node asked to go away: the moment (monotonic) chosen for coming back. */
  #returnAtMs: number | null = null;
  #refuseCachedToken = false;
  /** A HELLO of ours was given up before its WELCOME: a stalled line may bring it yet, after that of the next socket. */
  #helloUnderWay = false;
  /** The address that the present or the last socket was opened to; null before the first and while there is no token. */
  #origin: string | null = null;

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#outgoing = new Outgoing(options.codec);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /**
   * The node's wall clock in milliseconds: what WELCOME told, carried on by the monotonic clock, so that a device whose own
   * clock is set meanwhile does not notice; the local one before the first WELCOME.
   */
  serverNow(): number {
    const { clock } = this.#options;
    return this.#serverMinusMonotonicMs === null ? clock.now() : clock.monotonic() + this.#serverMinusMonotonicMs;
  }

  /** Whether `serverNow` is the node's clock yet. */
  get knowsServerTime(): boolean {
    return this.#serverMinusMonotonicMs !== null;
  }

  /** Bytes that the socket has accepted but not sent. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Starts from `idle` or `closed`; anywhere else it changes nothing. */
  connect(): void {
    if (this.#state.name !== "idle" && this.#state.name !== "closed") return;
    this.#attempt = 0;
    this.#open();
  }

  /**
   * The network is back or the page is visible again: a pause in progress ends now. A line on which nothing came since the
   * device slept is most likely dead, and would be found so only by the heartbeat: another takes its place.
   */
  wake(): void {
    if (this.#state.name === "waiting") this.#open();
    if (this.#state.name !== "live" || this.#wallAheadMs() - this.#heardWallAheadMs < SLEPT_MS) return;
    this.#abandon(ABNORMAL_CLOSURE);
    this.#attempt = 0;
    this.#open();
  }

  #wallAheadMs(): number {
    return this.#options.clock.now() - this.#options.clock.monotonic();
  }

  /** Ends for good, until `connect()`. */
  close(reason = "closed by the application"): void {
    if (this.#state.name === "closed") return;
    this.#outgoing.flush();
    this.#abandon(NORMAL_CLOSURE);
    this.#enter({ name: "closed", code: NORMAL_CLOSURE, reason });
  }

  /** A frame's bytes, and whether the node would take them. */
  encode(frame: ClientFrame): { readonly data: Uint8Array | string; readonly fits: boolean } {
    const data = this.#options.codec.encode(frame);
    return { data, fits: this.#outgoing.fits(data) };
  }

  /** Queues a frame, in order; frames of one turn of the event loop leave together. Ignored before HELLO and after the end. */
  send(frame: ClientFrame): void {
    this.sendEncoded(this.#options.codec.encode(frame));
  }

  sendEncoded(data: Uint8Array | string): void {
    if (this.#state.name === "live" || this.#state.name === "greeting") this.#outgoing.push(data);
  }

  #enter(state: ConnectionState): void {
    const before = this.#state;
    this.#state = state;
    this.#listener.changed(state, before);
  }

  #open(): void {
    const attemptNumber = ++this.#attemptNumber;
    this.#returnAtMs = null;
    this.#origin = null;
    this.#options.alarm.in("connection", this.#options.connectTimeoutMs, () =>
      this.#lost(ABNORMAL_CLOSURE, "no WELCOME in time"),
    );
    this.#enter({ name: "connecting", attempt: this.#attempt });
    if (attemptNumber !== this.#attemptNumber) return;
    this.#withToken(
      this.#refuseCachedToken ? "refresh" : "connect",
      attemptNumber,
      (token) => this.#openSocket(token),
      () => this.#lost(ABNORMAL_CLOSURE, "no token"),
    );
  }

  /** Calls `use` at once when the provider answers at once, so that connecting costs no extra turn. */
  #withToken(reason: TokenReason, attemptNumber: number, use: (token: string) => void, failed: () => void): void {
    const stillWanted = (): boolean => attemptNumber === this.#attemptNumber;
    let answer: string | Promise<string>;
    try {
      answer = this.#options.token(reason);
    } catch {
      if (stillWanted()) failed();
      return;
    }
    if (typeof answer === "string") {
      if (stillWanted()) use(answer);
      return;
    }
    answer.then(
      (token) => stillWanted() && use(token),
      () => stillWanted() && failed(),
    );
  }

  #openSocket(token: string): void {
    const { Socket, addresses, path, codec, deviceId, appVersion } = this.#options;
    let socket: SocketLike;
    this.#origin = addresses.current;
    try {
      socket = new Socket(this.#origin.replace(/^http/, "ws") + path, [codec.subprotocol]);
    } catch {
      this.#lost(ABNORMAL_CLOSURE, "the socket could not be opened");
      return;
    }
    // Browsers default to blobs, which can only be read asynchronously and would arrive out of order.
    if (socket.binaryType === "blob") socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#refuseCachedToken = false;
      this.#helloAtMs = this.#options.clock.monotonic();
      this.#outgoing.open(socket, GREETING_BYTES);
      this.#outgoing.push(codec.encode([OP.hello, token, deviceId, appVersion]));
      // Whoever hears of this may have something to ask together with it.
      this.#enter({ name: "greeting", attempt: this.#attempt });
      this.#outgoing.flush();
    };
    socket.onmessage = (event) => this.#message(event.data);
    socket.onerror = () => {};
    socket.onclose = (event) => this.#lost(event.code, event.reason);
  }

  #message(data: unknown): void {
    this.#heardAtMs = this.#options.clock.monotonic();
    this.#heardWallAheadMs = this.#wallAheadMs();
    let frames: readonly ServerFrame[];
    try {
      frames = this.#options.codec.decode(data);
    } catch {
      this.#lost(CLOSE.protocol, "the node sent bytes that are no frame");
      return;
    }
    const socket = this.#socket;
    for (const frame of frames) {
      this.#frame(frame);
      // A handler may have closed the client; what follows belongs to a socket that is gone.
      if (this.#socket !== socket) return;
    }
    if (this.#state.name === "live") this.#listener.drained();
  }

  #frame(frame: ServerFrame): void {
    switch (frame[0]) {
      case OP.welcome: {
        if (this.#state.name !== "greeting") return;
        const [, connectionId, serverTs, pingMs, , limits] = frame;
        this.#readServerClock(serverTs);
        if (this.#socket !== null) this.#outgoing.open(this.#socket, limits.maxFrameBytes);
        this.#liveSinceMs = this.#options.clock.monotonic();
        this.#watchHeartbeat(pingMs);
        this.#enter({ name: "live", connectionId, limits });
        return;
      }
      case OP.ping:
        this.#heardServerClock(frame[1]);
        this.send([OP.pong, frame[1]]);
        return;
      case OP.goaway:
        this.#goAway(frame[2], frame[3]);
        return;
      case OP.tokenExpiring:
        this.#refresh();
        return;
      default:
        if (this.#state.name !== "live") return;
        if (frame[0] === OP.event) this.#heardServerClock(frame[4]);
        this.#listener.frame(frame);
    }
  }

  /** It was written at some moment between our HELLO and now: in the middle, for all we know (Cristian, 1989). */
  #readServerClock(serverTs: number): void {
    const nowMs = this.#options.clock.monotonic();
    this.#serverMinusMonotonicMs = serverTs - (this.#helloAtMs + nowMs) / 2;
  }

  /**
   * What was written at `at` is heard later, so the node's clock is not behind it. Our monotonic clock may be: it stands
   * still on a phone that dozes in a pocket, while the socket lives for hours.
   */
  #heardServerClock(at: number): void {
    const leastMs = at - this.#options.clock.monotonic();
    if (this.#serverMinusMonotonicMs === null || leastMs <= this.#serverMinusMonotonicMs) return;
    this.#serverMinusMonotonicMs = leastMs;
  }

  /**
   * A node pings every `pingMs`; silence for half as long again, and a second, since its last word means that the line is
   * dead: a machine that lost its power says no goodbye.
   */
  #watchHeartbeat(pingMs: number): void {
    const mostMs = pingMs * 1.5 + 1000;
    const check = (): void => {
      const leftMs = this.#heardAtMs + mostMs - this.#options.clock.monotonic();
      if (leftMs <= 0) this.#lost(ABNORMAL_CLOSURE, "the node fell silent");
      else this.#options.alarm.in("connection", leftMs, check);
    };
    this.#options.alarm.in("connection", mostMs, check);
  }

  /** The node is leaving: stay until a moment inside its window, then close and come back at once. */
  #goAway(minMs: number, maxMs: number): void {
    const delayMs = goawayDelayMs(minMs, maxMs, this.#options.random);
    this.#returnAtMs = this.#options.clock.monotonic() + delayMs;
    this.#options.alarm.in("goaway", delayMs, () => {
      this.#outgoing.flush();
      this.#abandon(NORMAL_CLOSURE);
      this.#attempt = 0;
      this.#moveOn();
      this.#open();
    });
  }

  /** The next attempt goes to another node of the cluster, if there is one. Nothing was wrong with a node never tried. */
  #moveOn(): void {
    if (this.#origin !== null) this.#options.addresses.leave(this.#origin);
  }

  #refresh(): void {
    this.#withToken(
      "refresh",
      this.#attemptNumber,
      (token) => this.send([OP.refresh, REFRESH_ID, token]),
      // Without a new token the node closes with 4005 in its time, and the next attempt asks again.
      () => {},
    );
  }

  #lost(code: number, reason: string): void {
    const wasLive = this.#state.name === "live";
    const now = this.#options.clock.monotonic();
    if (wasLive && now - this.#liveSinceMs >= this.#options.stableAfterMs) this.#attempt = 0;
    const returnAtMs = this.#returnAtMs;
    const byOurself = code === CLOSE.replaced && this.#mayHaveReplacedItself(now);
    this.#abandon(code);
    // A client that says nothing is told to stay away. This one has said HELLO, or tried: it was the line that was too slow.
    if (!mayReconnect(code) && code !== CLOSE.helloTimeout && !byOurself) {
      this.#enter({ name: "closed", code, reason });
      return;
    }
    if (!OURS.has(code)) this.#moveOn();
    if (code === CLOSE.tokenExpired) this.#refuseCachedToken = true;
    const retryInMs =
      returnAtMs !== null && wasLive
        ? Math.max(0, returnAtMs - now)
        : pauseMs(this.#options.backoff, this.#attempt, code, this.#options.random);
    this.#attempt += 1;
    this.#options.alarm.in("connection", retryInMs, () => this.#open());
    this.#enter({ name: "waiting", attempt: this.#attempt, retryInMs, code });
  }

  /** One late HELLO explains one such word, and soon: a node does not wait long for a HELLO. */
  #mayHaveReplacedItself(now: number): boolean {
    const itMay = this.#helloUnderWay && now - this.#liveSinceMs < this.#options.stableAfterMs;
    this.#helloUnderWay = false;
    return itMay;
  }

  /** Lets go of the socket: after this no event of it is heard, and it is on its way to being closed. */
  #abandon(code: number): void {
    this.#attemptNumber += 1;
    if (this.#state.name === "greeting" && code < CLOSE.drain) this.#helloUnderWay = true;
    this.#outgoing.close();
    this.#returnAtMs = null;
    this.#options.alarm.clear("connection");
    this.#options.alarm.clear("goaway");
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    // `ws` throws errors that nobody listens to.
    socket.onerror = () => {};
    try {
      // A line that fell silent will not answer a closing handshake either.
      if (code === ABNORMAL_CLOSURE && socket.terminate !== undefined) socket.terminate();
      else socket.close(code === CLOSE.protocol ? code : NORMAL_CLOSURE);
    } catch {
      // A browser refuses to close a socket that is still connecting in some versions; it is abandoned all the same.
    }
  }
}
