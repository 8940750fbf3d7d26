import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connect as connectNats, headers } from "nats";
import t, { type Test } from "tap";
import { missing, type RunningServer, startNats } from "../../../test/support/servers.js";
import { recordingLog, silentLog } from "../../lib/log.js";
import { natsConnectOptions } from "./connection.js";
import { decodeEnvelope, type EventEnvelope, familyNames } from "./envelope.js";
import { isComplete, madeEvent, offsetsOf } from "./fixtures/events.js";
import { clock, startProxy, until } from "./fixtures/links.js";
import {
  type EventConsumer,
  type EventConsumerOptions,
  type EventGap,
  type NatsEventStream,
  openEventConsumer,
  openEventStream,
} from "./mod.js";
import { OffsetMemory } from "./offsets.js";

const skip = missing("nats");

async function serve(t: Test): Promise<RunningServer> {
  const server = await startNats();
  t.teardown(() => server.stop());
  return server;
}

async function streamOn(t: Test, url: string): Promise<NatsEventStream> {
  const stream = openEventStream({ url, cluster: "shop", clock, log: silentLog });
  t.teardown(() => stream.close());
  await until("the streams are ready", () => stream.available);
  return stream;
}

interface Consumed {
  readonly consumer: EventConsumer;
  readonly events: EventEnvelope[];
  readonly gaps: EventGap[];
}

function consume(t: Test, url: string, options: Partial<EventConsumerOptions> = {}): Consumed {
  const events: EventEnvelope[] = [];
  const gaps: EventGap[] = [];
  const consumer = openEventConsumer({
    url,
    cluster: "shop",
    family: "orders",
    durable: "test",
    fromStart: true,
    handle: (event) => void events.push(event),
    onGap: (gap) => gaps.push(gap),
    clock,
    log: silentLog,
    ...options,
  });
  t.teardown(() => consumer.stop());
  return { consumer, events, gaps };
}

/** Publishes as the relay does: the actors side by side, each in order. */
async function publish(stream: NatsEventStream, keys: readonly string[], from: number, to: number): Promise<void> {
  for (let offset = from; offset <= to; offset++) {
    await Promise.all(keys.map((key) => stream.publish(madeEvent({ key, offset }))));
  }
}

const idsOf = (events: readonly EventEnvelope[]): string[] => events.map(({ id }) => id);

t.test(
  "R-CLU-3: a consumer sees every event once, in order per actor, and goes on where it was",
  { skip },
  async (t) => {
    const server = await serve(t);
    const stream = await streamOn(t, server.url);
    const keys = ["a", "b", "c", "d"];
    await publish(stream, keys, 1, 10);
    const first = consume(t, server.url);
    await until("what was there", () => first.consumer.stats().handled === 40);
    await publish(stream, keys, 11, 15);
    await until("what came later", () => first.consumer.stats().handled === 60);
    isComplete(t, first.events, 4, 15);
    await first.consumer.stop();
    await first.consumer.stop();
    t.equal(first.consumer.stats().attached, true);

    await publish(stream, keys, 16, 20);
    const second = consume(t, server.url);
    await until("what came meanwhile", () => second.events.length >= 20);
    // The last one may come again: its acknowledgement may have been on its way when the first one ended.
    isComplete(t, [...first.events, ...second.events.filter(({ offset }) => offset > 15)], 4, 20);
    t.ok(second.events.length <= 21);
  },
);

t.test("R-CLU-3: a new name begins with the next event unless it asks for all", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url);
  await publish(stream, ["a"], 1, 3);
  const late = consume(t, server.url, { durable: "late", fromStart: false });
  await until("it is attached", () => late.consumer.stats().attached);
  await publish(stream, ["a"], 4, 5);
  await until("the next events", () => late.events.length === 2);
  t.strictSame(idsOf(late.events), ["order/a:4", "order/a:5"]);
  t.strictSame(late.gaps, [], "what was before the beginning is no gap");
});

t.test("RULE 11: repeats are dropped by offset, gaps are told, strange messages passed over", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url);
  const nats = await connectNats(natsConnectOptions(server.url));
  t.teardown(() => nats.close());
  const { subjects } = familyNames("shop", "orders");
  const subject = (type: string): string => subjects.replace(">", type);
  await publish(stream, ["a"], 1, 2);
  // Again under another message id: as if the stream's window had passed.
  const again = {
    v: 1,
    id: "order/a:1",
    kind: "order",
    key: "a",
    offset: 1,
    type: "order.accepted",
    at: 1,
    data: null,
  };
  await nats.jetstream().publish(subject("accepted.a"), JSON.stringify(again), { headers: headers() });
  await nats.jetstream().publish(subject("odd.a"), "not json");
  await nats.jetstream().publish(subject("odd.b"), JSON.stringify({ ...again, v: 99 }));
  await publish(stream, ["a"], 5, 6);
  const log = recordingLog();
  const { consumer, events, gaps } = consume(t, server.url, { log });
  await until("all are handled", () => consumer.stats().handled === 4);
  t.strictSame(idsOf(events), ["order/a:1", "order/a:2", "order/a:5", "order/a:6"]);
  t.strictSame(gaps, [{ kind: "order", key: "a", from: 3, to: 4 }]);
  t.match(consumer.stats(), { handled: 4, duplicates: 1, gaps: 1, malformed: 2 });
  t.equal(log.lines.filter(({ message }) => /no known event/.test(message)).length, 1);
});

t.test("RULE 11: an event that could not be handled comes again before the next one", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url);
  await publish(stream, ["a"], 1, 4);
  const handled: number[] = [];
  let failures = 0;
  const { consumer } = consume(t, server.url, {
    handle: async ({ offset }) => {
      if (offset === 2 && ++failures <= 2) throw new Error("the consumer's own database is away");
      handled.push(offset);
    },
  });
  await until("all are handled", () => consumer.stats().handled === 4);
  t.strictSame(handled, [1, 2, 3, 4]);
  t.equal(failures, 3);
});

t.test(
  "R-CLU-5: a consumer outlives its connection, and waits for a stream that is not there yet",
  { skip },
  async (t) => {
    const server = await serve(t);
    const proxy = await startProxy(server.port);
    t.teardown(() => proxy.close());
    const log = recordingLog();
    const { consumer, events, gaps } = consume(t, proxy.url, { log, ackWaitMs: 500 });
    await until("it is said that there is no stream", () => log.lines.length > 0);
    t.equal(consumer.stats().attached, false);
    const stream = await streamOn(t, server.url);
    await publish(stream, ["a", "b"], 1, 20);
    await until("some are handled", () => consumer.stats().handled >= 5);
    proxy.cut();
    await until("the loss is noticed", () => !consumer.stats().attached);
    await publish(stream, ["a", "b"], 21, 25);
    proxy.open();
    await until("all are handled", () => consumer.stats().handled === 50);
    isComplete(t, events, 2, 25);
    t.strictSame(gaps, []);
  },
);

t.test("options that make no sense are refused", (t) => {
  const options = { url: "nats://127.0.0.1:1", cluster: "shop", family: "orders", fromStart: true } as const;
  const rest = { handle: () => {}, clock, log: silentLog };
  t.throws(() => openEventConsumer({ ...options, ...rest, durable: "a.b" }), /"a\.b" must have 1 to 60 letters/);
  t.throws(() => openEventConsumer({ ...options, ...rest, durable: "a", url: "http://x" }), TypeError);
  t.throws(() => openEventConsumer({ ...options, ...rest, durable: "a", maxActors: 0 }), RangeError);
  t.end();
});

t.test("RULE 11 R-CLU-6: what takes a number again after a restore is stored, and handed over", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url);
  const takenBack: EventGap[] = [];
  const { consumer, events } = consume(t, server.url, { onTakenBack: (gap) => takenBack.push(gap) });
  await publish(stream, ["a"], 1, 3);
  // The database that came back knew of the first alone. What it had sent and not noted comes again.
  await stream.publish(madeEvent({ key: "a", offset: 1 }));
  for (const offset of [2, 3])
    await stream.publish(madeEvent({ key: "a", offset, type: "order.cancelled", at: 2_000 }));
  await until("all", () => consumer.stats().handled === 5);
  t.same(
    events.map(({ offset, type }) => `${offset} ${type}`),
    ["1 order.accepted", "2 order.accepted", "3 order.accepted", "2 order.cancelled", "3 order.cancelled"],
  );
  t.same(takenBack, [{ kind: "order", key: "a", from: 2, to: 3 }]);
});

t.test("RULE 16: offsets are remembered of a bounded number of actors", (t) => {
  const memory = new OffsetMemory(2);
  memory.remember("order", "a", { offset: 1, at: 1 });
  memory.remember("order", "b", { offset: 1, at: 1 });
  memory.remember("order", "a", { offset: 2, at: 1 });
  memory.remember("driver", "a", { offset: 9, at: 1 });
  t.equal(memory.lastOf("order", "a")?.offset, 2);
  t.equal(memory.lastOf("order", "b"), null, "the one that was quiet longest is forgotten");
  t.equal(memory.lastOf("driver", "a")?.offset, 9);
  t.end();
});

t.test("what is no envelope is told from one", (t) => {
  const sound = { v: 1, id: "order/a:1", kind: "order", key: "a", offset: 1, type: "x", at: 1, data: { n: 1 } };
  const decode = (value: unknown) => decodeEnvelope(new TextEncoder().encode(JSON.stringify(value)));
  t.strictSame(decode({ ...sound, later: "field" }), sound);
  t.match(decode({ ...sound, data: undefined }), { data: null });
  for (const bad of [null, 1, [], { ...sound, v: 2 }, { ...sound, offset: 0 }, { ...sound, offset: 1.5 }])
    t.equal(decode(bad), null);
  for (const field of ["id", "kind", "key", "type", "at", "offset"]) t.equal(decode({ ...sound, [field]: null }), null);
  t.equal(decodeEnvelope(new Uint8Array([0xff, 0xfe])), null);
  t.end();
});

/** The program as people start it, with what it has said so far. */
function runProgram(t: Test, words: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, "..", "..", "events.js"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const said = { out: "", err: "" };
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, said, ended, lines: () => said.out.split("\n").filter((line) => line !== "") };
}

t.test("R-CLU-3: `npm run events` prints each event as a line of JSON and ends on SIGINT", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url);
  await publish(stream, ["a", "b"], 1, 5);
  const words = ["--nats", server.url, "--cluster", "shop", "--durable", "printer", "--from-start"];
  const first = runProgram(t, words);
  await until("ten lines", () => first.lines().length === 10);
  first.child.kill("SIGINT");
  t.equal(await first.ended, 0);
  const events = first.lines().map((line) => JSON.parse(line) as EventEnvelope);
  isComplete(t, events, 2, 5);
  t.match(events[0], { v: 1, kind: "order", type: "order.accepted", data: { orderId: "o1" } });
  t.match(first.said.err, /"handled":10/);

  await publish(stream, ["a"], 6, 6);
  const second = runProgram(t, words);
  await until("the next line", () => second.said.out.includes('"order/a:6"'));
  t.ok(second.lines().length <= 2, "it goes on from there");
  second.child.kill("SIGTERM");
  t.equal(await second.ended, 0);
});

t.test("RULE 11: a consumer killed at any time loses nothing and keeps the order", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url);
  await publish(stream, ["a", "b", "c"], 1, 100);
  const words = ["--nats", server.url, "--cluster", "shop", "--durable", "killed", "--from-start"];
  const first = runProgram(t, words);
  await until("some lines", () => first.lines().length >= 20);
  first.child.kill("SIGKILL");
  await first.ended;
  const whole = first.said.out.slice(0, first.said.out.lastIndexOf("\n"));
  const seen = whole.split("\n").map((line) => JSON.parse(line) as EventEnvelope);
  const second = runProgram(t, words);
  await until("the last event of each", () =>
    ["a", "b", "c"].every((key) => second.said.out.includes(`"order/${key}:100"`)),
  );
  const rest = second.lines().map((line) => JSON.parse(line) as EventEnvelope);
  const repeated = rest.filter(({ id }) => seen.some((event) => event.id === id));
  t.ok(repeated.length <= 1, "at most the last one is repeated");
  isComplete(t, [...seen, ...rest.slice(repeated.length)], 3, 100);
  t.equal(offsetsOf(rest).size, 3);
});

t.test("R-CLU-3: the program says what is wrong when NATS cannot be reached or an option is wrong", async (t) => {
  const away = runProgram(t, ["--nats", "nats://127.0.0.1:1"]);
  await until("it is said", () => away.said.err.includes("NATS cannot be reached"));
  away.child.kill("SIGINT");
  t.equal(await away.ended, 0);

  for (const [words, message] of [
    [[], /--nats/],
    [["--nats", "http://x"], /nats:\/\/ or tls:\/\/.*--nats/],
    [["--nats", "nats://127.0.0.1:1", "--family", "pizzas"], /orders, drivers, restaurants, zones, others/],
    [["--nats", "nats://127.0.0.1:1", "--durable", "a b"], /letters, digits/],
  ] as const) {
    const wrong = runProgram(t, words);
    t.equal(await wrong.ended, 1);
    t.match(wrong.said.err, message);
  }
});
