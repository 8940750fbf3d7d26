/**
 * `npm run bench:menu`: menus read from one node over a whole catalogue, next to the bare server answering the same bytes.
 * Both are measured in turn in the same run, at the same rate, by the same clients; then each at its own saturation, and
 * the node at four fifths of it. Says CPU per request, latencies (open loop) and how far the generators lagged.
 */
import { type ChildProcess, fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { NodeControl } from "../../simulator/live/mod.js";
import { restaurantOf } from "../../simulator/seed/catalogue.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { together } from "../lib/histogram.js";
import { usageOf } from "../lib/process.js";
import { addressFor, type FromMenuBare, MENU_PATH, type ToMenuBare } from "./menu-messages.js";
import type { FromPoller, RoundFigures, ToPoller } from "./poll-messages.js";
import { startTarget } from "./target.js";

const clock = systemClock();
const note = (line: string): void => void process.stderr.write(`${line}\n`);
const WRITE_AT_ONCE = 1_000;

const program = new Command()
  .option("--restaurants <n>", "in the catalogue", Number, 20_000)
  .option("--items <n>", "on each menu", Number, 30)
  .option("--rate <n>", "requests a second, for the CPU of one", Number, 8_000)
  .option("--connections <n>", "keep-alive connections in all, each with an address of its own", Number, 512)
  .option("--generators <n>", "generator processes", Number, 1)
  .option("--seconds <n>", "how long each measurement takes", Number, 5)
  .option("--rounds <n>", "measurements of each kind", Number, 3)
  .option("--json <file>", "write the figures there")
  .parse();
const options = program.opts<{
  restaurants: number;
  items: number;
  rate: number;
  connections: number;
  generators: number;
  seconds: number;
  rounds: number;
  json?: string;
}>();

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const heard = <M extends { readonly t: string }>(child: ChildProcess, t: M["t"]): Promise<M> =>
  new Promise((resolve, reject) => {
    const listen = (message: M): void => {
      if (message.t !== t) return;
      child.off("message", listen);
      child.off("exit", ended);
      resolve(message);
    };
    const ended = (): void => reject(new Error("A process of the load ended before its time."));
    child.on("message", listen);
    child.once("exit", ended);
  });
const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

const target = await startTarget({ nodes: 1, onProgress: note });
const node = target.nodes[0]!;
const children: ChildProcess[] = [];
try {
  const catalogue = { seed: 1, restaurants: options.restaurants, items: options.items };
  const control = new NodeControl({ url: node.url, operatorSecret: node.operatorSecret, clock });
  const seedBegan = clock.monotonic();
  for (let from = 0; from < options.restaurants; from += WRITE_AT_ONCE) {
    const count = Math.min(WRITE_AT_ONCE, options.restaurants - from);
    await control.configure(Array.from({ length: count }, (_, i) => restaurantOf(catalogue, from + i)));
    note(`${from + count} of ${options.restaurants} restaurants written`);
  }
  const seedSeconds = (clock.monotonic() - seedBegan) / 1000;
  const ids = Array.from({ length: options.restaurants }, (_, number) => restaurantOf(catalogue, number).id);

  const bare = fork(script("./menu-bare.js"), [], { serialization: "advanced" });
  children.push(bare);
  await heard<FromMenuBare>(bare, "ready");
  bare.send({ url: node.url, ids } satisfies ToMenuBare);
  const { port, bytesOfBody } = (await heard<FromMenuBare>(bare, "listening")) as Extract<
    FromMenuBare,
    { t: "listening" }
  >;
  note("menus are at hand in both servers");

  // Every restaurant once, in an order without a pattern, over and over.
  const paths = ids.map((_, i) => `${MENU_PATH}${ids[(i * 7_919) % ids.length]!}/menu`);
  const targets = {
    bare: { host: "127.0.0.1", port, path: MENU_PATH },
    node: { ...target.addresses[0]!, path: MENU_PATH },
  };
  const pids = { bare: bare.pid!, node: node.pid };
  type Name = keyof typeof targets;
  const names = Object.keys(targets) as Name[];
  const pollers: ChildProcess[] = [];
  for (let i = 0; i < options.generators; i++) {
    const poller = fork(script("./poll-generator.js"), [], { serialization: "advanced" });
    children.push(poller);
    await heard<FromPoller>(poller, "ready");
    const connections = Math.ceil(options.connections / options.generators);
    poller.send({
      t: "plan",
      plan: {
        targets,
        orders: [],
        paths,
        headers: "Accept-Encoding: gzip, deflate, br\r\n",
        localAddresses: Array.from({ length: connections }, (_, n) => addressFor(i * connections + n)),
        connections,
        offset: Math.floor((i * paths.length) / options.generators),
      },
    } satisfies ToPoller);
    pollers.push(poller);
  }
  const tell = (message: ToPoller): void => {
    for (const poller of pollers) poller.send(message);
  };
  const all = (t: FromPoller["t"]): Promise<FromPoller[]> =>
    Promise.all(pollers.map((poller) => heard<FromPoller>(poller, t)));

  interface Measured {
    readonly figures: readonly RoundFigures[];
    readonly cpuSeconds: number;
    readonly seconds: number;
  }
  async function measure(name: Name, rate: number, seconds: number): Promise<Measured> {
    const opened = all("opened");
    tell({ t: "open", target: name });
    await opened;
    const before = usageOf(pids[name]).cpuSeconds;
    const began = clock.monotonic();
    const done = all("done");
    tell({ t: "go", perSecond: rate / pollers.length, seconds });
    const figures = (await done).flatMap((message) => (message.t === "done" ? [message.figures] : []));
    return {
      figures,
      cpuSeconds: usageOf(pids[name]).cpuSeconds - before,
      seconds: (clock.monotonic() - began) / 1000,
    };
  }
  const answeredIn = (rounds: readonly Measured[]): number =>
    rounds.flatMap(({ figures }) => figures).reduce((sum, { answered }) => sum + answered, 0);
  const costOf = (name: Name, rounds: readonly Measured[]): number => {
    const cpu = rounds.reduce((sum, { cpuSeconds, seconds }) => sum + cpuSeconds - idleShare[name] * seconds, 0);
    return rounded((cpu * 1e6) / Math.max(1, answeredIn(rounds)));
  };
  function summary(name: Name, rounds: readonly Measured[]) {
    const figures = rounds.flatMap((round) => round.figures);
    return {
      requestsPerSecond: Math.round(answeredIn(rounds) / rounds.reduce((sum, { seconds }) => sum + seconds, 0)),
      cpuMicrosPerRequest: costOf(name, rounds),
      cpuMicrosByRound: rounds.map((round) => costOf(name, [round])),
      latencyMs: together(figures.map(({ latency }) => latency)),
      generatorLagMs: together(figures.map(({ lag }) => lag)),
      refused: figures.reduce((sum, { refused }) => sum + refused, 0),
      unanswered: figures.reduce((sum, { unanswered }) => sum + unanswered, 0),
    };
  }

  for (const name of names) await measure(name, options.rate, 2);
  // What a node does without a request is not the requests' cost.
  const before = names.map((name) => usageOf(pids[name]).cpuSeconds);
  const idleBegan = clock.monotonic();
  await sleep(clock, options.seconds * 1000);
  const idleSeconds = (clock.monotonic() - idleBegan) / 1000;
  const idleShare = Object.fromEntries(
    names.map((name, i) => [name, (usageOf(pids[name]).cpuSeconds - before[i]!) / idleSeconds]),
  ) as Record<Name, number>;
  const measured: Record<Name, Measured[]> = { bare: [], node: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const name of names) measured[name].push(await measure(name, options.rate, options.seconds));
    note(`round ${round + 1} of ${options.rounds} measured`);
  }
  // Far more than either can answer: what comes back is what it can.
  const most: Record<Name, number> = { bare: 0, node: 0 };
  for (const name of names) most[name] = await saturationOf(name);
  note(`saturation: bare ${most.bare}, node ${most.node} a second`);
  const loaded: Record<Name, Measured[]> = { bare: [], node: [] };
  for (let round = 0; round < options.rounds; round++) {
    for (const name of names) loaded[name].push(await measure(name, most[name] * 0.8, options.seconds));
  }

  /** Requests a second with every connection always waiting for an answer. */
  async function saturationOf(name: Name): Promise<number> {
    let best = 0;
    for (let rate = options.rate; ; rate *= 1.3) {
      const { figures, seconds } = await measure(name, rate, Math.min(3, options.seconds));
      const answered = figures.reduce((sum, each) => sum + each.answered, 0) / seconds;
      if (answered < best * 1.05) return Math.round(best);
      best = Math.max(best, answered);
    }
  }

  const result = {
    restaurants: options.restaurants,
    items: options.items,
    seedSeconds: rounded(seedSeconds, 1),
    bytesOfBody,
    connections: options.connections,
    requestsAskedPerSecond: options.rate,
    idleCpuShare: { bare: rounded(idleShare.bare, 3), node: rounded(idleShare.node, 3) },
    atRate: { bare: summary("bare", measured.bare), node: summary("node", measured.node) },
    cpuBareToOurs: rounded(costOf("bare", measured.bare) / costOf("node", measured.node)),
    saturationPerSecond: most,
    atFourFifths: { bare: summary("bare", loaded.bare), node: summary("node", loaded.node) },
    machine: { cores: availableParallelism(), loadAverages: loadavg().map((load) => rounded(load)) },
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
} finally {
  for (const child of children) if (child.connected) child.disconnect();
  await target.stop();
}
