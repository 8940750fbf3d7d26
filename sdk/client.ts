/** Puts the parts of a client together. What each part promises is written at its own head. */
import { type Clock, systemClock } from "../src/lib/clock.js";
import type { Json } from "../src/lib/json.js";
import { type Random, systemRandom, uuidV7 } from "../src/lib/random.js";
import type {
  CodecName,
  CommandBody,
  CommandReplies,
  CommandType,
  GpsPolicy,
  ServerFrame,
} from "../src/protocol/mod.js";
import { OP, SOCKET_PATH } from "../src/protocol/mod.js";
import { Addresses } from "./addresses.js";
import { Alarm } from "./alarm.js";
import { type ChannelHandlers, type ChannelSubscription, Channels, type SubscribeOptions } from "./channels.js";
import { CommandStore } from "./command-store.js";
import { type CommandOptions, CommandQueue, type PendingCommand, type RestoredOutcome } from "./commands.js";
import { Connection, type ConnectionState } from "./connection.js";
import { SwiftEatsError } from "./errors.js";
import { Gps } from "./gps.js";
import { Http } from "./http.js";
import type { FetchLike, SocketConstructor, StorageLike, TokenProvider } from "./ports.js";
import { wireCodec } from "./wire.js";

export interface ClientOptions {
  /**
   * Where the node is: `http://host:port` or `https://…`; or where the nodes of one cluster are. Of several one is
   * picked at random, and whatever fails there goes on at the next.
   */
  readonly url: string | readonly string[];
  /** A token that does not change. Give this or `tokenProvider`. */
  readonly token?: string;
  /** Asked before each connection and when a token is about to end. */
  readonly tokenProvider?: TokenProvider;
  /** Names this installation, 1–64 of `A–Z a–z 0–9 . _ : -`. Kept by the application; random by default. */
  readonly deviceId?: string;
  readonly appVersion?: string;
  /** `json` for debugging. */
  readonly codec?: CodecName;
  /** Path of the WebSocket endpoint. */
  readonly socketPath?: string;
  /** Upper bound of the first pause after a loss, and of any pause, in milliseconds. */
  readonly backoffBaseMs?: number;
  readonly backoffMaxMs?: number;
  /** From the start of an attempt to WELCOME. */
  readonly connectTimeoutMs?: number;
  /** How long an HTTP request may go without an answer before it counts as failed. */
  readonly answerTimeoutMs?: number;
  /** Unanswered commands kept, connected or not. */
  readonly maxQueuedCommands?: number;
  readonly maxCommandsInFlight?: number;
  /** How long a command without `notAfter` is tried. */
  readonly commandTtlMs?: number;
  /** Positions kept while the node does not acknowledge. */
  readonly maxKeptFixes?: number;
  /** Keeps unanswered commands over a restart of the application. One account per `storageKey`. */
  readonly storage?: StorageLike;
  readonly storageKey?: string;
  /**
   * Without a socket for this long, commands go by HTTP under the same keys, and positions under the same numbers: for
   * networks that let no socket through. Absent: they wait for the socket.
   */
  readonly commandsByHttpAfterMs?: number;
  /** Outcomes of commands that `storage` brought back; none comes before `createClient` has returned. */
  readonly onRestored?: (outcome: RestoredOutcome) => void;
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: FetchLike;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface Client {
  readonly deviceId: string;
  readonly state: ConnectionState;
  /** The address of the socket, or of the next attempt. */
  readonly address: string;
  /** Called with every state that is entered. Returns how to stop listening. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Resolves when live; rejects with the close code's reason when closed for good. Starts connecting if need be. */
  ready(): Promise<void>;
  connect(): void;
  /** Ends a pause, and a line that slept with the device: call it when the network or the page comes back. */
  wake(): void;
  /** Rejects what is unanswered with `closed` and ends. What `storage` keeps of it goes on with the next client. */
  close(): void;
  command<T extends CommandType>(type: T, body: CommandBody<T>, options?: CommandOptions): Promise<CommandReplies[T]>;
  subscribe(channel: string, handlers: ChannelHandlers, options?: SubscribeOptions): ChannelSubscription;
  readonly gps: Gps;
  readonly http: Http;
  /** Commands without an answer. */
  readonly pendingCommands: number;
  /** What they are, in the order in which they were given: a page shows them as done, but not yet sent. */
  pending(): readonly PendingCommand[];
  /** What becomes of one of them, as its `command` tells it; null when none of this key waits. */
  outcome(idempotencyKey: string): Promise<Json> | null;
  /** The node's wall clock, as far as this client knows it. */
  serverNow(): number;
}

/** Longer than a node takes to answer `timeout` by itself. */
const ANSWER_TIMEOUT_MS = 15_000;

export function createClient(options: ClientOptions): Client {
  const clock = options.clock ?? systemClock();
  const random = options.random ?? systemRandom();
  const alarm = new Alarm(clock);
  const token = tokenProviderOf(options);
  const deviceId = options.deviceId ?? uuidV7(clock.now(), random);
  const addresses = new Addresses(options.url, random);
  const listeners = new Set<(state: ConnectionState) => void>();
  let requests = 0;
  const nextId = (): number => {
    requests += 1;
    return requests;
  };

  const connection = new Connection(
    {
      addresses,
      path: options.socketPath ?? SOCKET_PATH,
      deviceId,
      appVersion: options.appVersion ?? "1.0.0",
      token,
      Socket: options.WebSocket ?? platformSocket(),
      codec: wireCodec(options.codec ?? "msgpack"),
      clock,
      random,
      alarm,
      backoff: { baseMs: options.backoffBaseMs ?? 1000, maxMs: options.backoffMaxMs ?? 30_000 },
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      stableAfterMs: 10_000,
    },
    {
      changed(state, before) {
        if (before.name === "live") {
          commands.lost();
          gps.lost();
        }
        if (state.name === "greeting") {
          // Subscriptions first, so that what a command causes is heard.
          channels.greeting();
        } else if (state.name === "live") {
          gps.live();
          commands.live();
        } else if (before.name === "live" || before.name === "greeting") {
          channels.lost();
        }
        if (state.name === "closed") {
          commands.closeAll();
          alarm.clearAll();
        }
        for (const listener of listeners) listener(state);
      },
      frame: (frame) => route(frame),
      drained: () => channels.drained(),
    },
  );
  const http = new Http({
    addresses: new Addresses(options.url, random),
    token,
    fetch: options.fetch ?? platformFetch,
    clock,
    random,
    answerTimeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  });
  const commands = new CommandQueue({
    connection,
    alarm,
    clock,
    random,
    nextId,
    maxQueued: options.maxQueuedCommands ?? 200,
    maxInFlight: options.maxCommandsInFlight ?? 32,
    defaultTtlMs: options.commandTtlMs ?? 120_000,
    store:
      options.storage === undefined
        ? null
        : new CommandStore(options.storage, options.storageKey ?? `swift-eats.commands.${deviceId}`),
    byHttp:
      options.commandsByHttpAfterMs === undefined
        ? null
        : {
            afterMs: options.commandsByHttpAfterMs,
            send: (type, body, sent) => http.command(type, body as CommandBody<typeof type>, sent) as Promise<Json>,
          },
  });
  const gps = new Gps({
    connection,
    clock,
    random,
    maxKept: options.maxKeptFixes ?? 240,
    byHttp:
      options.commandsByHttpAfterMs === undefined
        ? null
        : { afterMs: options.commandsByHttpAfterMs, send: (batch) => http.gps(batch) },
  });
  const channels = new Channels({ connection, alarm, clock, nextId }, (channel, type, body) => {
    if (!channel.startsWith("driver:")) return;
    if (type === "gps.policy") gps.apply(body as unknown as GpsPolicy);
    else if (type === "snapshot") {
      const policy = (body as unknown as { readonly gps?: GpsPolicy } | null)?.gps;
      if (policy !== undefined) gps.apply(policy);
    }
  });

  function route(frame: ServerFrame): void {
    switch (frame[0]) {
      case OP.reply:
        commands.replied(frame[1], frame[2]);
        return;
      case OP.err: {
        const [, id, code, temporary, retryAfterMs, detail] = frame;
        if (commands.refused(id, code, temporary, retryAfterMs, detail)) return;
        if (channels.refused(id, code, temporary, retryAfterMs, detail)) return;
        // Positions have no number of their own: the node answers them with 0.
        if (id === 0 && temporary) gps.refused();
        return;
      }
      case OP.event:
      case OP.state:
      case OP.subbed:
        channels.frame(frame);
        return;
      case OP.gpsAck:
        gps.acknowledged(frame[1], frame[2]);
        return;
      default:
    }
  }

  const client: Client = {
    deviceId,
    get state() {
      return connection.state;
    },
    get address() {
      return addresses.current;
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready() {
      return new Promise((resolve, reject) => {
        const settle = (state: ConnectionState): boolean => {
          if (state.name === "live") resolve();
          else if (state.name === "closed") {
            reject(
              new SwiftEatsError({ code: "closed", temporary: false, detail: { code: state.code } }, state.reason),
            );
          } else return false;
          return true;
        };
        connection.connect();
        if (settle(connection.state)) return;
        const stop = client.onState((state) => settle(state) && stop());
      });
    },
    connect: () => connection.connect(),
    wake: () => connection.wake(),
    close: () => connection.close(),
    command: (type, body, commandOptions) => commands.send(type, body, commandOptions),
    subscribe: (channel, handlers, subscribeOptions) => channels.subscribe(channel, handlers, subscribeOptions),
    gps,
    http,
    get pendingCommands() {
      return commands.size;
    },
    pending: () => commands.pending(),
    outcome: (idempotencyKey) => commands.outcome(idempotencyKey),
    serverNow: () => connection.serverNow(),
  };
  commands.restore((outcome) => options.onRestored?.(outcome));
  return client;
}

/** HTTP alone, for callers that need no socket. Without a token only what is open to anyone answers. */
export function createHttp(
  options: Pick<ClientOptions, "url" | "token" | "tokenProvider" | "fetch" | "clock" | "random" | "answerTimeoutMs">,
): Http {
  const random = options.random ?? systemRandom();
  return new Http({
    addresses: new Addresses(options.url, random),
    token: options.tokenProvider ?? (() => options.token ?? ""),
    fetch: options.fetch ?? platformFetch,
    clock: options.clock ?? systemClock(),
    random,
    answerTimeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  });
}

function tokenProviderOf(options: ClientOptions): TokenProvider {
  const { token, tokenProvider } = options;
  if (tokenProvider !== undefined) return tokenProvider;
  if (token !== undefined) return () => token;
  throw new TypeError("createClient: give a token or a tokenProvider");
}

function platformSocket(): SocketConstructor {
  const found = (globalThis as { WebSocket?: unknown }).WebSocket;
  if (found === undefined) throw new TypeError("createClient: no WebSocket here; import from sdk/node.js, or give one");
  return found as SocketConstructor;
}

const platformFetch: FetchLike = (url, init) => globalThis.fetch(url, init);
