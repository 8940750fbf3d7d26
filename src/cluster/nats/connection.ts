/**
 * A connection to NATS that is made anew for ever.
 *
 * Owns: connecting, noticing the loss, and trying again with growing pauses. The client's own reconnecting is not used:
 * it keeps what was written during the outage and sends it afterwards, when nobody wants it any more. Here every
 * connection starts empty, with fresh subscriptions.
 * Does not own: what is said. `onUp` subscribes; `onDown` is told once for every `onUp` that went before.
 */
import type { ConnectionOptions, NatsConnection } from "nats";
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Random } from "../../lib/random.js";

/** The client library: read when a connection is made. Every thread of a node imports this folder, and a lone one has no NATS. */
export type NatsLibrary = typeof import("nats");

export interface NatsOptions {
  /**
   * `nats://` or `tls://`, with user and password, or a token in the user's place, when there are any. Several servers
   * of one NATS cluster are separated by commas.
   */
  readonly url: string;
  /** Shown by NATS' own tools. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  onUp(connection: NatsConnection, library: NatsLibrary): void;
  onDown?(): void;
}

export interface SteadyConnection {
  /** The open connection, or null while there is none. */
  readonly current: NatsConnection | null;
  /** How many connections there have been. */
  readonly connects: number;
  /** Closes for ever, after what was published has left. Never rejects. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 2_000;
const PING_MS = 2_000;
const MAX_PINGS_OUT = 2;
const PAUSE_MS = { first: 50, most: 2_000 };
const CLOSE_PATIENCE_MS = 500;

/** How the `nats` client is told what a URL of the configuration says. Throws TypeError for what is no such URL. */
export function natsConnectOptions(url: string): ConnectionOptions {
  const urls = url
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const parsed = new URL(text);
      if (parsed.protocol !== "nats:" && parsed.protocol !== "tls:")
        throw new TypeError(`NATS: "${parsed.protocol}//" is not nats:// or tls://`);
      return parsed;
    });
  const [first] = urls;
  if (first === undefined) throw new TypeError("NATS: the URL is empty; write nats://host:4222");
  const [user, pass] = [decodeURIComponent(first.username), decodeURIComponent(first.password)];
  const secret = user === "" ? {} : pass === "" ? { token: user } : { user, pass };
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === "" ? "4222" : port}`),
    ...secret,
    ...(first.protocol === "tls:" ? { tls: {} } : {}),
  };
}

/** Starts connecting. Throws only for a URL that cannot be understood; a server that is away is waited for. */
export function openSteadyConnection(options: NatsOptions): SteadyConnection {
  const { clock, random, name, log } = options;
  const connectOptions: ConnectionOptions = {
    ...natsConnectOptions(options.url),
    name,
    reconnect: false,
    noEcho: true,
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_MS,
    maxPingOut: MAX_PINGS_OUT,
  };
  let current: NatsConnection | null = null;
  let connects = 0;
  let failures = 0;
  let said = false;
  let closed = false;
  let wake: Cancel | null = null;

  async function attempt(): Promise<void> {
    wake = null;
    let connection: NatsConnection;
    let library: NatsLibrary;
    try {
      library = await import("nats");
      connection = await library.connect(connectOptions);
    } catch (error) {
      if (!closed) pause((error as Error).message);
      return;
    }
    if (closed) {
      await connection.close().catch(() => {});
      return;
    }
    current = connection;
    connects += 1;
    failures = 0;
    if (said) log.info({ connects }, "NATS is back.");
    said = false;
    // Before `onUp`, so that a connection that dies in it is noticed.
    void connection.closed().then((error) => lost(connection, error instanceof Error ? error.message : "closed"));
    options.onUp(connection, library);
  }

  function lost(connection: NatsConnection, reason: string): void {
    if (current !== connection) return;
    current = null;
    if (closed) return;
    options.onDown?.();
    pause(reason);
  }

  function pause(reason: string): void {
    if (!said) log.warn({ reason }, "NATS cannot be reached: other nodes are not heard until it is back.");
    said = true;
    const most = Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(failures, 10));
    failures += 1;
    // Apart from each other, so that a cluster does not come back in one instant.
    wake = clock.after(most * (0.5 + random.next() / 2), () => void attempt());
  }

  void attempt();

  return {
    get current() {
      return current;
    },
    get connects() {
      return connects;
    },
    async close() {
      if (closed) return;
      closed = true;
      wake?.();
      const last = current;
      if (last === null) return;
      const patience = new Promise<void>((resolve) => clock.after(CLOSE_PATIENCE_MS, resolve));
      await Promise.race([last.flush().catch(() => {}), patience]);
      current = null;
      await last.close().catch(() => {});
    },
  };
}
