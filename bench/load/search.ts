/**
 * `npm run bench:search`: searches of a whole catalogue at one node, open loop. Four in five come from places and with texts
 * that were searched before (`seen`), the others from places where nobody has searched (`fresh`): each kind has its own
 * generator, in the same seconds. Says latencies, how far the generators lagged, CPU per search, the hit ratio, how long a
 * closed restaurant stays in the results, and how long a node takes to read the catalogue when it starts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { NodeControl } from "../../simulator/live/mod.js";
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { pick, type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import { newHistogram, quantiles, record, together } from "../lib/histogram.js";
import { usageOf } from "../lib/process.js";
import { addressFor } from "./menu-messages.js";
import { issueTokens, type RunningNode, startNodeProcess } from "./node-process.js";
import type { FromPoller, RoundFigures, ToPoller } from "./poll-messages.js";

const clock = systemClock();
const note = (line: string): void => void process.stderr.write(`${line}\n`);
const WRITE_AT_ONCE = 1_000;
const SEEN_SHARE = 0.8;
const SEEN_PLACES = 300;
const TEXTS_PER_PLACE = 8;
const CLOSINGS = 20;
const PATH = "/v1/search";

const program = new Command()
  .option("--restaurants <n>", "in the catalogue", Number, 20_000)
  .option("--items <n>", "on each menu", Number, 30)
  .option("--rate <n>", "searches a second", Number, 500)
  .option("--connections <n>", "keep-alive connections, each with an address of its own", Number, 128)
  .option("--seconds <n>", "how long each measurement takes", Number, 20)
  .option("--rounds <n>", "measurements", Number, 3)
  .option("--json <file>", "write the figures there")
  .parse();
const options = program.opts<{
  restaurants: number;
  items: number;
  rate: number;
  connections: number;
  seconds: number;
  rounds: number;
  json?: string;
}>();

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));
const heard = <M extends { readonly t: string }>(child: ChildProcess, t: M["t"]): Promise<M> =>
  new Promise((resolve, reject) => {
    const listen = (message: M): void => {
      if (message.t !== t) return;
      child.off("message", listen);
      child.off("exit", ended);
      resolve(message);
    };
    const ended = (): void => reject(new Error("A generator ended before its time."));
    child.on("message", listen);
    child.once("exit", ended);
  });

/** The values of all searching metrics without labels. */
async function measuredBy({ url }: RunningNode): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^swift_search_(\w+)\{thread="[^"]*"\} (\S+)$/gm);
  return Object.fromEntries([...lines].map((line) => [line[1]!, Number(line[2])]));
}

async function untilRead(node: RunningNode): Promise<Readonly<Record<string, number>>> {
  for (;;) {
    const metrics = await measuredBy(node);
    if ((metrics.restaurants_count ?? 0) >= options.restaurants) return metrics;
    await sleep(clock, 200);
  }
}

const catalogue = { seed: 1, restaurants: options.restaurants, items: options.items, alwaysOpen: true };
const random = seededRandom(7);

/** People live where the restaurants are: some hundred metres from one. */
function somewhere(): { readonly lat: string; readonly lng: string } {
  const { lat, lng } = restaurantOf(catalogue, randomInteger(random, options.restaurants)).profile;
  const near = (degrees: number): string => (degrees + (random.next() - 0.5) / 50).toFixed(6);
  return { lat: near(lat), lng: near(lng) };
}

/** A dish, a cuisine, a few of its letters, one of them wrong, two words; and very often nothing. */
function somethingToEat(from: Random): string {
  const { profile } = restaurantOf(catalogue, randomInteger(from, options.restaurants));
  const dish = pick(from, profile.items).name.split(" ").slice(0, 2).join(" ");
  switch (randomInteger(from, 10)) {
    case 0:
    case 1:
    case 2:
      return "";
    case 3:
      return profile.cuisines?.[0] ?? "";
    case 4:
      return dish.slice(0, 5);
    case 5:
      return `${dish.slice(0, 2)}${dish.slice(3)}`;
    case 6:
      return profile.name;
    default:
      return dish;
  }
}

/** Now and then with a filter, which needs no list of its own. */
function pathOf({ lat, lng }: ReturnType<typeof somewhere>, text: string): string {
  const q = text === "" ? "" : `&q=${encodeURIComponent(text)}`;
  const filters = ["", "", "", "", "&price=1,2", "&minRating=0", "&diet=vegetarian"];
  return `${PATH}?lat=${lat}&lng=${lng}${q}${pick(random, filters)}`;
}

async function startPoller(node: RunningNode, paths: readonly string[], first: number): Promise<ChildProcess> {
  const poller = fork(fileURLToPath(new URL("./poll-generator.js", import.meta.url)), [], {
    serialization: "advanced",
  });
  await heard<FromPoller>(poller, "ready");
  const connections = Math.ceil(options.connections / 2);
  const { hostname: host, port } = new URL(node.url);
  poller.send({
    t: "plan",
    plan: {
      targets: { node: { host, port: Number(port), path: PATH } },
      orders: [],
      paths,
      localAddresses: Array.from({ length: connections }, (_, n) => addressFor(first + n)),
      connections,
      offset: 0,
    },
  } satisfies ToPoller);
  return poller;
}

const dataDir = mkdtempSync(join(tmpdir(), "swift-eats-bench-search-"));
let node = await startNodeProcess({ dataDir });
const children: ChildProcess[] = [];
try {
  const control = new NodeControl({ url: node.url, operatorSecret: node.operatorSecret, clock });
  for (let from = 0; from < options.restaurants; from += WRITE_AT_ONCE) {
    const count = Math.min(WRITE_AT_ONCE, options.restaurants - from);
    await control.configure(Array.from({ length: count }, (_, i) => restaurantOf(catalogue, from + i)));
    note(`${from + count} of ${options.restaurants} restaurants written`);
  }
  await untilRead(node);
  // As a node does that comes up with a catalogue.
  await node.stop();
  node = await startNodeProcess({ dataDir });
  const built = await untilRead(node);
  note(`the catalogue was read in ${Math.round(built.build_ms!)} ms`);

  const places = Array.from({ length: SEEN_PLACES }, somewhere);
  const seen = places.flatMap((place) =>
    Array.from({ length: TEXTS_PER_PLACE }, () => pathOf(place, somethingToEat(random))),
  );
  const mixed = seen.map((_, i) => seen[(i * 7_919) % seen.length]!);
  const freshCount = Math.ceil(options.rate * (1 - SEEN_SHARE) * (options.seconds + 2) * (options.rounds + 1));
  const fresh = Array.from({ length: freshCount }, () => pathOf(somewhere(), somethingToEat(random)));
  const pollers = [
    await startPoller(node, mixed, 0),
    await startPoller(node, fresh, Math.ceil(options.connections / 2)),
  ];
  children.push(...pollers);
  const rates = [options.rate * SEEN_SHARE, options.rate * (1 - SEEN_SHARE)];

  async function measure(seconds: number): Promise<readonly RoundFigures[]> {
    const opened = Promise.all(pollers.map((poller) => heard<FromPoller>(poller, "opened")));
    for (const poller of pollers) poller.send({ t: "open", target: "node" } satisfies ToPoller);
    await opened;
    const done = Promise.all(pollers.map((poller) => heard<FromPoller>(poller, "done")));
    for (const [i, poller] of pollers.entries()) {
      poller.send({ t: "go", perSecond: rates[i]!, seconds } satisfies ToPoller);
    }
    return (await done).flatMap((message) => (message.t === "done" ? [message.figures] : []));
  }

  // Until every place has been searched from.
  await measure(Math.max(2, seen.length / rates[0]!));
  const before = await measuredBy(node);
  const cpuBefore = usageOf(node.pid).cpuSeconds;
  const began = clock.monotonic();
  const rounds: (readonly RoundFigures[])[] = [];
  for (let round = 0; round < options.rounds; round++) {
    rounds.push(await measure(options.seconds));
    note(`round ${round + 1} of ${options.rounds} measured`);
  }
  const seconds = (clock.monotonic() - began) / 1000;
  const cpuSeconds = usageOf(node.pid).cpuSeconds - cpuBefore;
  const after = await measuredBy(node);

  const gone = newHistogram();
  for (let n = 0; n < CLOSINGS; n++) record(gone, await closing(randomInteger(random, options.restaurants)));

  /** Closes a restaurant; how long it is still found at its own door, in milliseconds. */
  async function closing(number: number): Promise<number> {
    const { id, profile } = restaurantOf(catalogue, number);
    const [token] = await issueTokens(node, [{ id, role: "restaurant" }]);
    const query = `lat=${profile.lat}&lng=${profile.lng}&q=${encodeURIComponent(profile.name)}&limit=50&sort=distance`;
    const headers = { authorization: `Bearer ${token}` };
    const isFound = async (): Promise<boolean> =>
      (await (await fetch(`${node.url}${PATH}?${query}`, { headers })).text()).includes(`"${id}"`);
    if (!(await isFound())) return 0;
    const answer = await fetch(`${node.url}/v1/restaurants/me/open`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", "idempotency-key": `close-${number}` },
      body: '{"open":false}',
    });
    if (!answer.ok) throw new Error(`closing answered ${answer.status}: ${await answer.text()}`);
    const closedAt = clock.monotonic();
    while (await isFound()) await sleep(clock, 5);
    return clock.monotonic() - closedAt;
  }

  const summary = (kind: number) => {
    const figures = rounds.map((round) => round[kind]!);
    const sum = (of: (each: RoundFigures) => number): number => figures.reduce((total, each) => total + of(each), 0);
    return {
      searchesPerSecond: rates[kind],
      latencyMs: together(figures.map(({ latency }) => latency)),
      p99ByRoundMs: figures.map(({ latencyMs }) => latencyMs.p99),
      generatorLagMs: together(figures.map(({ lag }) => lag)),
      answered: sum(({ answered }) => answered),
      refused: sum(({ refused }) => refused),
      unanswered: sum(({ unanswered }) => unanswered),
    };
  };
  const all = rounds.flat();
  const answered = all.reduce((total, each) => total + each.answered, 0);
  const gained = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  const result = {
    catalogue: {
      restaurants: after.restaurants_count,
      dishes: after.dishes_count,
      words: after.words_count,
      readMs: Math.round(built.build_ms ?? 0),
      residentMegabytes: Math.round(usageOf(node.pid).residentBytes / 1e6),
    },
    searchesAskedPerSecond: options.rate,
    together: { latencyMs: together(all.map(({ latency }) => latency)), seconds: rounded(seconds, 1) },
    seen: summary(0),
    fresh: summary(1),
    cpuMicrosPerSearch: Math.round((cpuSeconds * 1e6) / Math.max(1, answered)),
    lists: {
      hitRatio: rounded(gained("list_hits_count") / (gained("list_hits_count") + gained("list_misses_count")), 3),
      inMemory: after.lists_count,
      megabytes: rounded((after.lists_bytes ?? 0) / 1e6, 1),
      evicted: gained("list_evicted_count"),
    },
    closedToGoneMs: quantiles(gone),
    machine: { cores: availableParallelism(), loadAverages: loadavg().map((load) => rounded(load)) },
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
} finally {
  for (const child of children) if (child.connected) child.disconnect();
  await node.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
