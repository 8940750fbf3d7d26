/**
 * Every setting of a node: shape, unit, bounds, names, and what to do when it is wrong. Each module receives its slice as
 * an argument. Defaults are in `defaults.ts`, what must hold between two settings in `checks.ts`.
 */
import { type Static, Type } from "../src/lib/json-type.js";
import { count, duration, section } from "./building.js";
import { domainSection } from "./schema-domain.js";
import { gatewaySection } from "./schema-gateway.js";
import { ADDRESS, boolean, integer, number, oneOf, optionalText, SIGNING_KEY, settingsOf, text } from "./setting.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const ID_PATTERN = "^[A-Za-z0-9._-]+$";

const node = section("The process itself.", {
  id: text(
    40,
    {
      description: "The node's name, the same over restarts and unlike any other node's.",
      env: ["NODE_ID"],
      flags: ["node-id"],
      advice: "Use letters, digits, dots, dashes and underscores, for example node-1.",
    },
    ID_PATTERN,
  ),
  dataDir: text(400, {
    description: "Where a node without servers of its own keeps its data: embedded Postgres, sandbox ledger, keys.",
    env: ["DATA_DIR"],
    flags: ["data-dir"],
    advice: "Name a directory that the node may create and write.",
  }),
  timeScale: number(0.1, 1000, {
    description:
      "How many times faster than the clock a day passes: divides kitchen, offer and deadline durations. GPS keeps its cadence.",
    env: ["TIME_SCALE"],
    flags: ["time-scale"],
    advice: "Leave it at 1 for a real city; give for example 60 to replay a day in 24 minutes.",
  }),
  shardWorkers: integer(0, 64, {
    description:
      "Threads that run actors. 0: by the number of cores that the process may use; a limit of its container counts.",
    env: ["SHARD_WORKERS"],
    advice: "Leave it at 0 unless you have measured that another number does better.",
  }),
  gatewayThreads: integer(0, 64, {
    description: "Threads that serve sockets beside the main thread. 0: by the number of cores, as above.",
    env: ["GATEWAY_THREADS"],
    advice: "Leave it at 0 unless you have measured that another number does better.",
  }),
  drainMs: integer(0, 600_000, {
    description: "The window over which clients are told to reconnect elsewhere when the node stops, in milliseconds.",
    env: ["DRAIN_MS"],
    advice: "Keep it under the grace period of whatever stops the process.",
  }),
  logLevel: oneOf(LOG_LEVELS, {
    description: "The least important lines that are written.",
    env: ["LOG_LEVEL"],
    flags: ["log-level"],
    advice: "Use info in operation and debug while looking for a fault.",
  }),
});

const http = section("The one port of the node.", {
  host: text(255, {
    description: "The address to listen on.",
    env: ["HOST"],
    flags: ["host"],
    advice: "Use 127.0.0.1 for this machine only, 0.0.0.0 for every address of it.",
  }),
  port: integer(0, 65_535, {
    description: "The port for WebSocket, SSE and HTTP alike. 0: any free one.",
    env: ["PORT"],
    flags: ["port"],
    advice: "Choose a free port, or 0 to be given one.",
  }),
});

const store = section("Where the truth is kept.", {
  databaseUrl: optionalText(
    2000,
    {
      description: "A PostgreSQL server, version 15 or newer. Not set: an embedded one in the data directory.",
      env: ["DATABASE_URL"],
      secret: "url",
      advice: "Give postgres://user:password@host:port/database, or leave it out.",
    },
    { pattern: "^postgres(ql)?://", format: ADDRESS },
  ),
  poolSize: integer(1, 100, {
    description: "Connections for the reads of one gateway thread.",
    advice: "Stay under the server's max_connections, together with the workers' commitLanes.",
  }),
});

const redis = section("Where polls are answered from when several nodes share the work.", {
  url: optionalText(
    2000,
    {
      description: "A Redis server, version 6 or newer. Not set: the node's own memory.",
      env: ["REDIS_URL"],
      secret: "url",
      advice: "Give redis://user:password@host:port/0, or leave it out.",
    },
    { pattern: "^rediss?://", format: ADDRESS },
  ),
});

const cluster = section("How nodes work together: with natsUrl set, this node is one of several.", {
  natsUrl: optionalText(
    2000,
    {
      description:
        "A NATS server that all nodes reach; several of one NATS cluster have commas between them. Not set: the node works alone on its database.",
      env: ["NATS_URL"],
      secret: "url",
      advice: "Give nats://user:password@host:port, or leave it out.",
    },
    { pattern: "^(nats|tls)://", format: ADDRESS },
  ),
  name: text(
    40,
    {
      description: "Keeps the messages of clusters apart that share a NATS server.",
      env: ["CLUSTER_NAME"],
      advice: "Use letters, digits, - and _.",
    },
    "^[A-Za-z0-9_-]+$",
  ),
  url: optionalText(
    2000,
    {
      description: "Where clients reach this node, for other nodes and people to see. Not set: made of host and port.",
      env: ["NODE_URL"],
      advice: "Give http://host:port or https://host.",
    },
    { pattern: "^https?://", format: ADDRESS },
  ),
  leaseMs: integer(1_000, 50_000, {
    description: "How long a node that cannot reach the database keeps its shards.",
    env: ["CLUSTER_LEASE_MS"],
    advice: "Give milliseconds, a few heartbeats and more; a vanished node's session may end after a minute.",
  }),
  heartbeatMs: duration("How often a node renews its lease and looks at the others.", 60_000, 50),
  sessionGraceMs: duration(
    "How long a node must have been without its session at the database before others take its shards.",
    60_000,
    100,
  ),
  sessionLossMs: duration(
    "How long after its last heartbeat a node that has lost its session still speaks without the word of all others that they have lost theirs.",
    60_000,
  ),
  movesAtOnce: count("Shards that a node hands over at a time.", 512),
  maxClockSkewMs: duration("The most that a node's clock may differ from the database's when it joins.", 60_000, 1),
});

const payment = section("Who takes the money.", {
  url: optionalText(
    2000,
    {
      description:
        "The payment provider's address. Not set: a sandbox is started beside the node, with a ledger of its own.",
      env: ["PAYMENT_URL"],
      secret: "url",
      advice: "Give http://host:port or https://host, or leave it out for the sandbox.",
    },
    { pattern: "^https?://", format: ADDRESS },
  ),
  webhookSecret: optionalText(
    200,
    {
      description:
        "What the provider signs its webhooks with. Not set: with the sandbox one is derived, with another provider none is believed.",
      env: ["PAYMENT_WEBHOOK_SECRET"],
      secret: "value",
      advice: "Give the secret that the provider shows for this endpoint, the same on every node.",
    },
    { minLength: 16 },
  ),
  graceMs: duration("A movement that only one side has counts as a difference when it is older than this."),
});

const NOTIFIED_BY = (what: string, env: string) =>
  optionalText(
    2000,
    {
      description: `Where ${what} are handed on, as signed POSTs. Not set: the sandbox, which writes them to the data directory.`,
      env: [env],
      secret: "url",
      advice: "Give http://host:port/path or https://host/path, or leave it out for the sandbox.",
    },
    { pattern: "^https?://", format: ADDRESS },
  );
const notifications = section("How people are told outside the apps.", {
  pushUrl: NOTIFIED_BY("push notifications", "NOTIFY_PUSH_URL"),
  smsUrl: NOTIFIED_BY("text messages", "NOTIFY_SMS_URL"),
  emailUrl: NOTIFIED_BY("e-mails", "NOTIFY_EMAIL_URL"),
  callUrl: NOTIFIED_BY("telephone calls", "NOTIFY_CALL_URL"),
  secret: optionalText(
    200,
    {
      description: "What the POSTs are signed with. Not set: one that is derived from the node's own secrets.",
      env: ["NOTIFY_SECRET"],
      secret: "value",
      advice: "Give what the receiving side checks signatures by, the same on every node.",
    },
    { minLength: 16 },
  ),
  timeoutMs: duration("How long a provider may take to answer one message.", 25_000, 100),
  retryMs: duration("The pause after the first failed try; it doubles each time, up to five minutes.", 300_000, 100),
  maxAttempts: integer(1, 50, {
    description: "Tries before a message is given up and stays in the list of the dead.",
    advice: "8 tries take about four minutes.",
  }),
});

const search = section("Finding restaurants and dishes: a thread that holds the catalogue in memory.", {
  enabled: boolean({
    description: "Whether this node answers searches. Without it, it needs less memory.",
    env: ["SEARCH"],
    advice: "Leave it on unless other nodes answer the searches.",
  }),
  changesMs: duration("How often the database is asked what has changed: how old a search's answer may be.", 2_000, 20),
  reconcileMs: duration("How often everything in memory is compared with the database.", 300_000, 1_000),
  listMegabytes: integer(1, 4_096, {
    description: "Memory for ranked lists, which answer a search again from the same place.",
    advice: "Raise it while `swift_search_list_evicted_count` rises quickly.",
  }),
  memoryMegabytes: integer(128, 65_536, {
    description: "The most memory the thread may take; beyond it, it is started anew and nothing else suffers.",
    advice: "Allow about 10 MB for a thousand restaurants, and 300 MB beside.",
  }),
  synonymsFile: optionalText(1_000, {
    description:
      "A file with words that mean the same, in the shape of `config/search-synonyms.json`. Not set: that one.",
    advice: "Name a JSON file that the node can read.",
  }),
});

const geocoding = section("Who says where an address lies.", {
  nominatimUrl: optionalText(
    2000,
    {
      description:
        "A server with Nominatim's HTTP API. Not set, or while it does not answer: the built-in gazetteer of the demo city.",
      env: ["NOMINATIM_URL"],
      secret: "url",
      advice: "Give http://host:port, and the path before /search where there is one.",
    },
    { pattern: "^https?://", format: ADDRESS },
  ),
  timeoutMs: duration("Of one request to that server.", 60_000, 10),
});

const contact = section("Who gives the numbers by which customer and driver call each other without seeing any.", {
  url: optionalText(
    2000,
    {
      description: "A provider of masked numbers. Not set: a sandbox in the node gives numbers that ring nowhere.",
      env: ["CONTACT_URL"],
      secret: "url",
      advice: "Give http://host:port or https://host/path, or leave it out for the sandbox.",
    },
    { pattern: "^https?://", format: ADDRESS },
  ),
  token: optionalText(
    400,
    {
      description: "Sent to that provider as a bearer token.",
      env: ["CONTACT_TOKEN"],
      secret: "value",
      advice: "Give what the provider gave you.",
    },
    { minLength: 1 },
  ),
  timeoutMs: duration("Of one request to that provider.", 60_000, 10),
});

const routing = section("Who says how long a way is, for quotes and for new orders.", {
  osrmUrl: optionalText(
    2000,
    {
      description:
        "A server with OSRM's HTTP API. Not set, or while it does not answer: distance × street factor ÷ speed.",
      env: ["OSRM_URL"],
      secret: "url",
      advice: "Give http://host:port, without a path.",
    },
    { pattern: "^https?://", format: ADDRESS },
  ),
  profile: text(
    40,
    {
      description: "The profile in the server's addresses.",
      advice: "driving, or what the server was built with.",
    },
    "^[A-Za-z0-9_-]+$",
  ),
  timeoutMs: duration("How long one request may take; then the built-in router answers.", 10_000, 5),
});

const auth = section("Who may come in.", {
  operatorSecret: optionalText(
    200,
    {
      description:
        "With it the operator's tools ask for tokens of any role. Not set: one is made and kept in the data directory.",
      env: ["OPERATOR_SECRET"],
      secret: "value",
      advice: "Give characters that nobody can guess, for example from `openssl rand -hex 32`.",
    },
    { minLength: 16 },
  ),
  privateKey: optionalText(
    4000,
    {
      description:
        "The Ed25519 key that signs tokens, as PEM. Not set: one is made and kept in the data directory; nodes of a cluster must share one.",
      env: ["AUTH_PRIVATE_KEY"],
      secret: "value",
      advice: "Make one with `openssl genpkey -algorithm ed25519` and give the file with AUTH_PRIVATE_KEY_FILE.",
    },
    { format: SIGNING_KEY },
  ),
  orderIdSecret: optionalText(
    200,
    {
      description:
        "Keys the hash that derives an order's id from customer and idempotency key. Not set: one is made and kept in the data directory; nodes of a cluster must share one, and it never changes.",
      env: ["ORDER_ID_SECRET"],
      secret: "value",
      advice: "Give characters that nobody can guess, for example from `openssl rand -hex 32`.",
    },
    { minLength: 16 },
  ),
  masterKey: optionalText(
    200,
    {
      description:
        "Encrypts what is personal, and the keys that nodes share. Not set: it is derived from the secret of the order ids. Nodes of a cluster must share one.",
      env: ["MASTER_KEY"],
      secret: "value",
      advice: "Give characters that nobody can guess, for example from `openssl rand -hex 32`.",
    },
    { minLength: 16 },
  ),
  previousMasterKey: optionalText(
    2_000,
    {
      description:
        "The master keys before the present one, and one that all nodes shall know before the first of them uses it, newest first, separated by commas. While one is set, what was encrypted with it can be read, and accounts are encrypted anew, some hundred a minute. Orders and payment methods are not: keep each for as long as those of its time are to be read.",
      env: ["PREVIOUS_MASTER_KEY"],
      secret: "value",
      advice: "OPERATIONS.md says how to see which are still needed.",
    },
    { minLength: 16 },
  ),
  accessTokenMs: integer(60_000, 24 * 3_600_000, {
    description: "How long an access token lasts. Ending a session ends it sooner, within seconds.",
    advice: "Minutes: apps refresh it by themselves.",
  }),
  refreshTokenMs: integer(3_600_000, 365 * 24 * 3_600_000, {
    description: "How long a session lasts that nobody refreshes.",
    advice: "Weeks, or people sign in again and again.",
  }),
  passwordThreads: integer(1, 16, {
    description: "Threads of each gateway thread that hash passwords; they start with the first sign-in.",
    advice: "One serves some twenty sign-ins a second.",
  }),
});

const engine = section("The actor engine.", {
  mailboxMessages: integer(1, 100_000, {
    description: "Messages waiting for one actor; one more is refused with overloaded.",
    advice: "A few hundred; an actor that needs more is too slow, not too small.",
  }),
  asksInFlight: integer(1, 1_000_000, {
    description: "Requests of one gateway thread that wait for an answer; one more is refused with overloaded.",
    advice: "Latency in seconds times requests per second, doubled.",
  }),
  maxActors: integer(100, 10_000_000, {
    description: "Actors of one shard worker in memory; beyond it the least recently used leaves.",
    advice: "Plan 5 to 20 KB for each.",
  }),
  flushActors: integer(1, 1024, {
    description: "Changed actors that are committed together at the most.",
    advice: "64 is where a larger batch stops helping.",
  }),
  flushMs: integer(0, 1000, {
    description: "How long a change waits for company before it is committed, in milliseconds.",
    advice: "Every order waits for it a few times: keep it small.",
  }),
  commitLanes: integer(1, 16, {
    description: "Connections on which one shard worker commits at once.",
    advice: "One or two for each core of the database.",
  }),
});

export const ConfigSchema = Type.Object(
  {
    node,
    http,
    store,
    redis,
    cluster,
    payment,
    notifications,
    search,
    geocoding,
    routing,
    contact,
    auth,
    gateway: gatewaySection,
    engine,
    domain: domainSection,
  },
  { additionalProperties: false },
);

type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

export type Config = Frozen<Static<typeof ConfigSchema>>;

/** Every setting there is, in the order of the document. */
export const SETTINGS = settingsOf(ConfigSchema);
