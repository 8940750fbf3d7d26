/**
 * The polling load: what an order's poll costs over the bare native server that a node stands on.
 *   node dist/bench/load/poll.js --rate 17000 --orders 1500 --seconds 5 --rounds 3
 * 50,000 people who poll every three or four seconds make up to 17,000 requests a second. They are put in turns, in one
 * run, on
 *   bare      the native server answering the same bytes out of a map
 *   redis     the same, answering out of Redis by one pipelined GET a request
 *   owner     the node on which the orders and their drivers live: it answers from its own copy
 *   other     the other node of the cluster: it answers from Redis and from what it remembers of it
 * All orders are on their way and their drivers send positions; what the nodes do without polls is measured in each
 * round (`idle`) and taken off. Ratios carry to other machines, absolutes do not. Latencies count from the intended time.
 */
import { type ChildProcess, fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { together } from "../lib/histogram.js";
import { usageOf } from "../lib/process.js";
import { nearlyAll, note, startGenerator, until } from "./generators.js";
import { issueTokens } from "./node-process.js";
import { citiesOf, placeOrders } from "./orders.js";
import type { ToBare, ToPoller } from "./poll-messages.js";
import {
  type FromBare,
  type FromPoller,
  ORDER_PATH,
  type Polled,
  REDIS_PATH,
  type RoundFigures,
} from "./poll-messages.js";
import { startTarget } from "./target.js";

const clock = systemClock();
const FIX_EVERY_MS = 10_000;
const READ_AT_ONCE = 32;
const DRIVERS_PER_CITY = 2_500;
/** A driver for every order, and some to choose from. */
const DRIVERS_PER_ORDER = 1.2;

const program = new Command()
  .option("--rate <n>", "requests a second", Number, 17_000)
  .option("--orders <n>", "orders that are polled, each by its customer", Number, 1_500)
  .option("--connections <n>", "keep-alive connections in all", Number, 1_000)
  .option("--generators <n>", "generator processes", Number, 2)
  .option("--seconds <n>", "how long each measurement takes", Number, 5)
  .option("--rounds <n>", "measurements of each kind", Number, 3)
  .option("--json <file>", "write the figures there")
  .parse();
const options = program.opts<{
  rate: number;
  orders: number;
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

const target = await startTarget({ nodes: 2, onProgress: note });
const [owner, other] = [target.nodes[0]!, target.nodes[1]!];
const children: ChildProcess[] = [];
try {
  // About one order in two is given an id of the first node's; the other half only has to have a driver too.
  const placed = Math.ceil(options.orders * 2.2) + 20;
  const cities = citiesOf(Math.ceil((placed * DRIVERS_PER_ORDER) / DRIVERS_PER_CITY));
  const driverIds: string[] = [];
  for (let i = 0; driverIds.length < placed * DRIVERS_PER_ORDER; i++)
    if (target.ownerOf("driver", `bench-driver-${i}`) === 0) driverIds.push(`bench-driver-${i}`);
  const drivers = await startGenerator({
    role: "drivers",
    nodes: target.addresses,
    nodeOf: driverIds.map(() => 0),
    tokens: await issueTokens(
      owner,
      driverIds.map((id) => ({ id, role: "driver" })),
    ),
    ids: driverIds,
    cities,
    setUpFixEveryMs: FIX_EVERY_MS,
    fixEveryMs: FIX_EVERY_MS,
  });
  children.push(drivers.child);
  await until(
    "drivers on shift",
    600,
    () => drivers.progress.connected >= driverIds.length,
    () => `${drivers.progress.connected} of ${driverIds.length}`,
  );
  const tokens = await issueTokens(
    owner,
    Array.from({ length: placed }, (_, i) => ({ id: `bench-customer-${i}`, role: "customer" })),
  );
  const orderIds = await placeOrders(target.nodes, tokens, cities, (count) => {
    if (count % 500 === 0) note(`orders ready: ${count} of ${placed}, picked up: ${drivers.progress.picked}`);
  });
  await until(
    "orders picked up",
    900,
    nearlyAll(drivers, orderIds.length),
    () => `${drivers.progress.picked} of ${orderIds.length}`,
  );
  // Every driver has sent a position since.
  await sleep(clock, FIX_EVERY_MS + 1_000);

  const chosen = orderIds
    .flatMap((orderId, i) => (target.ownerOf("order", orderId) === 0 ? [{ orderId, token: tokens[i]! }] : []))
    .slice(0, options.orders);
  const read = async (url: string, { orderId, token }: Omit<Polled, "body">): Promise<string> => {
    const answer = await fetch(`${url}${ORDER_PATH}${orderId}/track`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`A poll answered ${answer.status}: ${text}`);
    return text;
  };
  const orders: Polled[] = [];
  const withPosition = { owner: 0, other: 0 };
  for (let from = 0; from < chosen.length; from += READ_AT_ONCE) {
    await Promise.all(
      chosen.slice(from, from + READ_AT_ONCE).map(async (each) => {
        const body = await read(owner.url, each);
        if (!body.includes('"position"')) return;
        withPosition.owner++;
        if ((await read(other.url, each)).includes('"position"')) withPosition.other++;
        orders.push({ ...each, body });
      }),
    );
  }

  const bare = fork(script("./poll-bare.js"), [], { serialization: "advanced" });
  children.push(bare);
  await heard<FromBare>(bare, "ready");
  bare.send({ orders, redisUrl: target.redisUrl } satisfies ToBare);
  const { port } = (await heard<FromBare>(bare, "listening")) as Extract<FromBare, { t: "listening" }>;
  const here = { host: "127.0.0.1", port };
  const targets = {
    bare: { ...here, path: ORDER_PATH },
    redis: { ...here, path: REDIS_PATH },
    owner: { ...target.addresses[0]!, path: ORDER_PATH },
    other: { ...target.addresses[1]!, path: ORDER_PATH },
  };
  const pids = { bare: bare.pid!, redis: bare.pid!, owner: owner.pid, other: other.pid };
  type Name = keyof typeof targets;
  const names = Object.keys(targets) as Name[];

  const pollers: ChildProcess[] = [];
  for (let i = 0; i < options.generators; i++) {
    const poller = fork(script("./poll-generator.js"), [], { serialization: "advanced" });
    children.push(poller);
    await heard<FromPoller>(poller, "ready");
    const connections = Math.ceil(options.connections / options.generators);
    const offset = Math.floor((i * orders.length) / options.generators);
    poller.send({ t: "plan", plan: { targets, orders, connections, offset } } satisfies ToPoller);
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
  async function measure(name: Name, seconds: number): Promise<Measured> {
    const opened = all("opened");
    tell({ t: "open", target: name });
    await opened;
    const before = usageOf(pids[name]).cpuSeconds;
    const began = clock.monotonic();
    const done = all("done");
    tell({ t: "go", perSecond: options.rate / pollers.length, seconds });
    const figures = (await done).flatMap((message) => (message.t === "done" ? [message.figures] : []));
    return {
      figures,
      cpuSeconds: usageOf(pids[name]).cpuSeconds - before,
      seconds: (clock.monotonic() - began) / 1000,
    };
  }
  /** CPU seconds a second, without a poll. */
  async function idle(): Promise<Record<Name, number>> {
    const before = names.map((name) => usageOf(pids[name]).cpuSeconds);
    const began = clock.monotonic();
    await sleep(clock, options.seconds * 1000);
    const seconds = (clock.monotonic() - began) / 1000;
    return Object.fromEntries(
      names.map((name, i) => [name, (usageOf(pids[name]).cpuSeconds - before[i]!) / seconds]),
    ) as Record<Name, number>;
  }

  for (const name of names) await measure(name, 2);
  const measured: Record<Name, (Measured & { readonly idleShare: number })[]> = {
    bare: [],
    redis: [],
    owner: [],
    other: [],
  };
  for (let round = 0; round < options.rounds; round++) {
    const shares = await idle();
    for (const name of names)
      measured[name].push({ ...(await measure(name, options.seconds)), idleShare: shares[name] });
    note(`round ${round + 1} of ${options.rounds} measured`);
  }

  const rows = names.map((name) => {
    const rounds = measured[name];
    const figures = rounds.flatMap((round) => round.figures);
    const answered = figures.reduce((sum, each) => sum + each.answered, 0);
    const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
    const cpuSeconds = rounds.reduce((sum, round) => sum + round.cpuSeconds - round.idleShare * round.seconds, 0);
    return {
      name,
      requestsPerSecond: Math.round(answered / seconds),
      cpuMicrosPerRequest: rounded((cpuSeconds * 1e6) / Math.max(1, answered)),
      cpuMicrosByRound: rounds.map((round) =>
        rounded(
          ((round.cpuSeconds - round.idleShare * round.seconds) * 1e6) /
            Math.max(
              1,
              round.figures.reduce((sum, each) => sum + each.answered, 0),
            ),
        ),
      ),
      idleCpuShare: rounded(rounds.reduce((sum, round) => sum + round.idleShare, 0) / rounds.length, 3),
      latencyMs: together(figures.map(({ latency }) => latency)),
      generatorLagMs: together(figures.map(({ lag }) => lag)),
      refused: figures.reduce((sum, each) => sum + each.refused, 0),
      unanswered: figures.reduce((sum, each) => sum + each.unanswered, 0),
    };
  });
  const cost = (name: Name): number => rows.find((row) => row.name === name)!.cpuMicrosPerRequest;
  const result = {
    requestsAskedPerSecond: options.rate,
    orders: orders.length,
    connections: options.connections,
    seconds: options.seconds,
    rounds: options.rounds,
    withPosition,
    bytesOfBody: orders[0]?.body.length ?? 0,
    targets: rows,
    cpuBareToOurs: {
      "bare/owner": rounded(cost("bare") / cost("owner")),
      "bare/other": rounded(cost("bare") / cost("other")),
      "redis/other": rounded(cost("redis") / cost("other")),
      "redis/owner": rounded(cost("redis") / cost("owner")),
    },
    machine: { cores: availableParallelism(), loadAverages: loadavg().map((load) => rounded(load)) },
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
} finally {
  for (const child of children) if (child.connected) child.disconnect();
  await target.stop();
}
