/**
 * What the link between nodes costs over bare NATS: asks and replies a second and their round trip, with 1 and with 64
 * in flight, over the link and over NATS' own request and reply with a payload of the same size, in turns in one run.
 * The other end is a process of its own. Ratios carry to other machines, absolutes do not.
 *
 *   node dist/bench/micro/link.js --seconds 3 --rounds 3 --payload 200
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { build, type Histogram } from "hdr-histogram-js";
import { connect } from "nats";
import type { LinkMessage } from "../../src/actors/runtime/mod.js";
import { type NatsLink, openNatsLink } from "../../src/cluster/nats/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { silentLog } from "../../src/lib/log.js";
import { systemRandom } from "../../src/lib/random.js";
import { startNats } from "../../test/support/servers.js";

const clock = systemClock();
const BARE = "bench.bare";
const CLUSTER = "bench";

const program = new Command()
  .option("--url <url>", "a NATS server; default: one of its own")
  .option("--seconds <n>", "how long each measurement takes", Number, 3)
  .option("--rounds <n>", "measurements of each kind; the median is shown", Number, 3)
  .option("--payload <n>", "bytes of text in a request and in its reply", Number, 200)
  .option("--echo <url>", "be the other end (for the program itself)")
  .parse();
const options = program.opts<{ url?: string; seconds: number; rounds: number; payload: number; echo?: string }>();

const openLink = (url: string, self: string): NatsLink =>
  openNatsLink({ url, cluster: CLUSTER, self, clock, random: systemRandom(), log: silentLog });

/** Answers with what it was sent. */
async function echo(url: string): Promise<void> {
  const link = openLink(url, "echo/shards-0");
  link.receive((from, messages) => {
    for (const message of messages)
      if (message.t === "ask") link.send(from, { t: "reply", id: message.id, value: message.input });
  });
  const bare = await connect({ servers: new URL(url).host });
  bare.subscribe(BARE, { callback: (_, message) => void message.respond(message.data) });
  await bare.flush();
  process.send?.("ready");
  process.once("disconnect", () => process.exit(0));
}

interface Figure {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Keeps `inFlight` requests going; `request` resolves with its reply. */
async function measure(inFlight: number, seconds: number, request: () => Promise<unknown>): Promise<Figure> {
  const micros: Histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
  const began = clock.monotonic();
  const until = began + seconds * 1_000;
  let count = 0;
  const one = async (): Promise<void> => {
    for (let at = clock.monotonic(); at < until; ) {
      await request();
      const now = clock.monotonic();
      micros.recordValue(Math.max(1, Math.round((now - at) * 1_000)));
      count += 1;
      at = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  const perSecond = (count * 1_000) / (clock.monotonic() - began);
  return { perSecond, p50: micros.getValueAtPercentile(50) / 1_000, p99: micros.getValueAtPercentile(99) / 1_000 };
}

function median(figures: readonly Figure[]): Figure {
  return [...figures].sort((one, other) => one.perSecond - other.perSecond)[Math.floor(figures.length / 2)]!;
}

async function run(): Promise<void> {
  const server = options.url === undefined ? await startNats() : null;
  const url = options.url ?? server!.url;
  const other: ChildProcess = fork(fileURLToPath(import.meta.url), ["--echo", url]);
  await new Promise((resolve) => other.once("message", resolve));

  const link = openLink(url, "asker/gateway-0");
  const waiting = new Map<number, () => void>();
  let lastId = 0;
  link.receive((_, messages) => {
    for (const message of messages) {
      if (message.t !== "reply") continue;
      waiting.get(message.id)?.();
      waiting.delete(message.id);
    }
  });
  await new Promise<void>((resolve) => link.peers((_, change) => change === "up" && resolve()));
  const text = "x".repeat(options.payload);
  const overLink = (): Promise<void> =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      const ask: LinkMessage = {
        t: "ask",
        id,
        to: { kind: "order", key: "018f3c2a-0000-7000-8000-000000000000" },
        name: "read",
        input: text,
        commandId: "0123456789abcdef01234567",
        bodyHash: "0123456789abcdef",
        caller: { id: "customer-1", role: "customer" },
        notAfter: null,
      };
      link.send("echo/shards-0", ask);
    });
  const bare = await connect({ servers: new URL(url).host });
  const bytes = new TextEncoder().encode(text);
  const overBare = (): Promise<unknown> => bare.request(BARE, bytes, { timeout: 60_000 });

  const rows: string[][] = [];
  for (const inFlight of [1, 64]) {
    const [bareFigures, linkFigures]: [Figure[], Figure[]] = [[], []];
    await measure(inFlight, 0.5, overBare);
    await measure(inFlight, 0.5, overLink);
    for (let round = 0; round < options.rounds; round++) {
      bareFigures.push(await measure(inFlight, options.seconds, overBare));
      linkFigures.push(await measure(inFlight, options.seconds, overLink));
    }
    const [b, l] = [median(bareFigures), median(linkFigures)];
    const row = (name: string, { perSecond, p50, p99 }: Figure, ratio: string): string[] => [
      String(inFlight),
      name,
      Math.round(perSecond).toString(),
      p50.toFixed(3),
      p99.toFixed(3),
      ratio,
    ];
    rows.push(row("bare NATS", b, "1.00"), row("link", l, (l.perSecond / b.perSecond).toFixed(2)));
  }
  print([["in flight", "over", "replies/s", "p50 ms", "p99 ms", "ratio"], ...rows]);

  other.disconnect();
  await link.shutdown();
  await bare.close();
  await sleep(clock, 50);
  await server?.stop();
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    process.stdout.write(`${row.map((cell, column) => cell.padStart(widths[column]!)).join("  ")}\n`);
}

if (options.echo === undefined) await run();
else await echo(options.echo);
