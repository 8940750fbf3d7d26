import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectNats } from "nats";
import t, { type Test } from "tap";
import { missing, type RunningServer, startNats } from "../../../test/support/servers.js";
import { recordingLog, silentLog } from "../../lib/log.js";
import { bytes } from "../../store/contract/batches.js";
import { EventRefused } from "../ports.js";
import { natsConnectOptions } from "./connection.js";
import { familyNames } from "./envelope.js";
import { isComplete, madeEvent, openSource, readStream, startRelay } from "./fixtures/events.js";
import { clock, startProxy, until } from "./fixtures/links.js";
import { type NatsEventStream, openEventStream, StreamUnavailable } from "./mod.js";

const skip = missing("nats");

async function serve(t: Test): Promise<RunningServer> {
  const server = await startNats();
  t.teardown(() => server.stop());
  return server;
}

async function streamOn(
  t: Test,
  url: string,
  cluster: string,
  options: Partial<Parameters<typeof openEventStream>[0]> = {},
): Promise<NatsEventStream> {
  const stream = openEventStream({ url, cluster, clock, log: silentLog, ...options });
  t.teardown(() => stream.close());
  await until("the streams are ready", () => stream.available);
  return stream;
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

/** Waits until no event is left in the database. */
async function untilDrained(waiting: () => Promise<number>): Promise<void> {
  let left = 1;
  let asking = false;
  await until("the outbox is empty", () => {
    if (!asking) {
      asking = true;
      void waiting().then((count) => {
        left = count;
        asking = false;
      });
    }
    return left === 0;
  });
}

t.test("R-CLU-3: 10,000 events of 500 actors are stored once each, in order per actor", { skip }, async (t) => {
  const server = await serve(t);
  const source = await openSource(t);
  await source.add(names("o", 500), 12);
  await source.add(names("o", 500), 8);
  const stream = await streamOn(t, server.url, "drain");
  const relay = startRelay(t, { outbox: source.outbox, stream });
  await untilDrained(source.waiting);
  const stored = await readStream(server.url, "drain", "orders");
  t.equal(stored.length, 10_000);
  isComplete(
    t,
    stored.map(({ event }) => event!),
    500,
    20,
  );
  t.match(relay.stats(), { published: 10_000, failed: 0 });
  await until("the lag is measured", () => relay.stats().lag?.waiting === 0);
});

t.test(
  "R-CLU-3: an event is an envelope under its family's subject, with its id as message id",
  { skip },
  async (t) => {
    const server = await serve(t);
    const stream = await streamOn(t, server.url, "shop one");
    await stream.publish(madeEvent({ offset: 3 }));
    await stream.publish(madeEvent({ kind: "driver", key: "dané.*>\r\n", type: "driver.online", body: bytes(null) }));
    await stream.publish(madeEvent({ kind: "dispatch-zone", key: "8a", type: "zone.split" }));
    await stream.publish(madeEvent({ kind: "voucher", key: "", type: "voucher.used.up" }));
    await stream.publish(madeEvent({ key: "k".repeat(1000), type: "settled" }));
    t.strictSame(await readStream(server.url, "shop one", "orders"), [
      {
        subject: "swift-eats.shop=20one.events.orders.accepted.o1",
        messageId: "order/o1:3@1000",
        event: {
          v: 1,
          id: "order/o1:3",
          kind: "order",
          key: "o1",
          offset: 3,
          type: "order.accepted",
          at: 1_000,
          data: { orderId: "o1" },
        },
      },
      {
        subject: `swift-eats.shop=20one.events.orders.settled.${"k".repeat(1000)}`,
        messageId: `order/${"k".repeat(1000)}:1@1000`,
        event: {
          v: 1,
          id: `order/${"k".repeat(1000)}:1`,
          kind: "order",
          key: "k".repeat(1000),
          offset: 1,
          type: "settled",
          at: 1_000,
          data: { orderId: "o1" },
        },
      },
    ]);
    const [driver] = await readStream(server.url, "shop one", "drivers");
    t.match(driver, {
      subject: "swift-eats.shop=20one.events.drivers.online.dan=c3=a9=2e=2a=3e=0d=0a",
      messageId: "driver/dan=c3=a9=2e=2a=3e=0d=0a:1@1000",
      event: { id: "driver/dané.*>\r\n:1", key: "dané.*>\r\n", data: null },
    });
    t.match(await readStream(server.url, "shop one", "zones"), [
      { subject: "swift-eats.shop=20one.events.zones.split.8a" },
    ]);
    t.match(await readStream(server.url, "shop one", "others"), [
      { subject: "swift-eats.shop=20one.events.others.voucher=2eused=2eup.=" },
    ]);
    await stream.publish(madeEvent({ offset: 3 }));
    t.match(stream.stats(), { stored: 6, duplicates: 1, connected: true });
    t.equal((await readStream(server.url, "shop one", "orders")).length, 2, "an id is stored once");
  },
);

t.test("R-CLU-3: streams keep clusters apart, take new limits and leave the copies alone", { skip }, async (t) => {
  const server = await serve(t);
  const first = await streamOn(t, server.url, "a");
  const other = await streamOn(t, server.url, "b");
  await first.publish(madeEvent());
  await other.publish(madeEvent({ offset: 7 }));
  t.match(await readStream(server.url, "a", "orders"), [{ event: { offset: 1 } }]);
  t.match(await readStream(server.url, "b", "orders"), [{ event: { offset: 7 } }]);
  await first.close();
  t.equal(first.available, false);
  await t.rejects(first.publish(madeEvent()), StreamUnavailable);

  await streamOn(t, server.url, "a", { limits: { maxAgeMs: 60_000, maxBytes: 1_000_000, replicas: 3 } });
  const nats = await connectNats(natsConnectOptions(server.url));
  t.teardown(() => nats.close());
  const manager = await nats.jetstreamManager();
  const { config, state } = await manager.streams.info(familyNames("a", "orders").stream);
  t.match(config, {
    name: "SWIFT_a_orders",
    storage: "file",
    retention: "limits",
    discard: "old",
    max_age: 60_000 * 1e6,
    max_bytes: 1_000_000,
    duplicate_window: 60_000 * 1e6,
    num_replicas: 1,
  });
  t.equal(state.messages, 1, "what was stored stays");
  t.equal((await manager.streams.info(familyNames("b", "orders").stream)).config.max_bytes, 1024 ** 3);
});

t.test("R-CLU-3: a stream that is deleted under way is made anew", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url, "again");
  const nats = await connectNats(natsConnectOptions(server.url));
  t.teardown(() => nats.close());
  await (await nats.jetstreamManager()).streams.delete(familyNames("again", "orders").stream);
  await t.rejects(stream.publish(madeEvent()), StreamUnavailable);
  await until("the stream is there again", () => stream.available);
  await stream.publish(madeEvent());
  t.equal((await readStream(server.url, "again", "orders")).length, 1);
});

t.test("R-CLU-3: an event that is too large stops its own actor alone", { skip }, async (t) => {
  const server = await serve(t);
  const stream = await streamOn(t, server.url, "large");
  await t.rejects(stream.publish(madeEvent({ body: bytes("x".repeat(1_048_576)) })), EventRefused);
  await t.rejects(stream.publish(madeEvent({ body: new Uint8Array([0x81]) })), EventRefused);
  await stream.publish(madeEvent({ key: "fits", body: bytes("x".repeat(1_040_000)) }));

  const events = [
    madeEvent({ key: "big", offset: 1 }),
    madeEvent({ key: "big", offset: 2, body: bytes("x".repeat(2_000_000)) }),
    madeEvent({ key: "big", offset: 3 }),
    madeEvent({ key: "small", offset: 1 }),
    madeEvent({ key: "small", offset: 2 }),
  ];
  const gone = new Set<string>();
  const log = recordingLog();
  startRelay(t, {
    stream,
    log,
    outbox: {
      unpublished: async (_shards, _limit, _perActor, except = []) =>
        events.filter(({ key, offset }) => !gone.has(`${key}:${offset}`) && !except.some((actor) => actor.key === key)),
      published: async (rows) => {
        for (const { key, offset } of rows) gone.add(`${key}:${offset}`);
      },
      forgetEvents: async () => 0,
      lag: async () => ({ waiting: 0, oldestAt: null }),
    },
  });
  await until("the small one's events are gone", () => gone.has("small:2") && log.lines.length > 0);
  t.match(log.lines[0], { level: "error", fields: { key: "big", offset: 2, error: /max_payload/ } });
  t.strictSame([...gone].sort(), ["big:1", "small:1", "small:2"]);
});

t.test("RULE 11: a relay killed before it deletes is followed by one that publishes again", { skip }, async (t) => {
  const server = await serve(t);
  const source = await openSource(t);
  await source.add(names("o", 40), 5);
  const program = join(import.meta.dirname, "fixtures", "relay-program.js");
  const first = spawn(process.execPath, [program, source.database.connectionString, server.url, "killed"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => first.kill("SIGKILL"));
  await once(first.stdout!, "data");
  first.kill("SIGKILL");
  await once(first, "exit");
  t.equal(await source.waiting(), 200, "nothing was deleted");
  const before = (await readStream(server.url, "killed", "orders")).length;
  t.ok(before > 0, "something was stored");

  const stream = await streamOn(t, server.url, "killed");
  startRelay(t, { outbox: source.outbox, stream });
  await untilDrained(source.waiting);
  const stored = await readStream(server.url, "killed", "orders");
  t.equal(stored.length, 200, "stored once");
  isComplete(
    t,
    stored.map(({ event }) => event!),
    40,
    5,
  );
  t.equal(stream.stats().stored, 200);
  t.ok(stream.stats().duplicates >= before, "what the first had published came again and was known");
});

t.test("RULE 11: NATS is killed mid-way and comes back with its store: everything arrives", { skip }, async (t) => {
  const store = await mkdtemp(join(tmpdir(), "swift-eats-events-"));
  t.teardown(() => rm(store, { recursive: true, force: true }));
  const server = await startNats(store);
  t.teardown(() => server.stop());
  // The next server has another port, so that no other program can have taken the old one in between.
  const proxy = await startProxy(server.port);
  t.teardown(() => proxy.close());
  const source = await openSource(t);
  const stream = await streamOn(t, proxy.url, "back", { answerMs: 2_000 });
  let begun = 0;
  let goOn: () => void = () => {};
  const killed = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  // From the 300th event on nothing passes before the server is dead, so that it dies mid-way on any machine.
  const relay = startRelay(t, {
    outbox: source.outbox,
    stream: {
      get available() {
        return stream.available;
      },
      close: () => stream.close(),
      async publish(event) {
        begun++;
        if (begun > 300) await killed;
        await stream.publish(event);
      },
    },
  });
  await source.add(names("o", 100), 10);
  relay.poke();
  await until("some events are stored", () => relay.stats().published === 300);
  await server.kill();
  goOn();
  await until("the loss is noticed", () => !stream.available);
  await source.add(names("o", 100), 5);
  const next = await startNats(store);
  t.teardown(() => next.stop());
  proxy.target = next.port;
  await untilDrained(source.waiting);
  const stored = await readStream(next.url, "back", "orders");
  t.equal(stored.length, 1_500);
  isComplete(
    t,
    stored.map(({ event }) => event!),
    100,
    15,
  );
});

t.test(
  "RULE 11: of two relays one loses its shards half-way: each event is stored once, in order",
  { skip },
  async (t) => {
    const server = await serve(t);
    const source = await openSource(t);
    await source.add(names("o", 200), 10);
    const [one, two] = [await streamOn(t, server.url, "moved"), await streamOn(t, server.url, "moved")];
    let moved = false;
    const all = source.database;
    t.ok(all);
    const shards = Array.from({ length: 512 }, (_, shard) => shard);
    const half = shards.slice(0, 256);
    const old = startRelay(t, { outbox: source.outbox, stream: one, ownedShards: () => (moved ? half : shards) });
    const next = startRelay(t, {
      outbox: source.outbox,
      stream: two,
      ownedShards: () => (moved ? shards.slice(256) : []),
    });
    await until("the first has begun", () => old.stats().published > 0);
    moved = true;
    old.poke();
    next.poke();
    await untilDrained(source.waiting);
    const stored = await readStream(server.url, "moved", "orders");
    t.equal(stored.length, 2_000);
    isComplete(
      t,
      stored.map(({ event }) => event!),
      200,
      10,
    );
  },
);

t.test("R-CLU-5: streams wait for a NATS that is not there, and a URL that is none is refused", { skip }, async (t) => {
  const server = await serve(t);
  const proxy = await startProxy(server.port);
  t.teardown(() => proxy.close());
  proxy.refuse();
  const log = recordingLog();
  const stream = openEventStream({ url: proxy.url, cluster: "late", clock, log });
  t.teardown(() => stream.close());
  await until("it is said", () => log.lines.length > 0);
  t.equal(stream.available, false);
  await t.rejects(stream.publish(madeEvent()), StreamUnavailable);
  proxy.open();
  await until("the streams are ready", () => stream.available);
  await stream.publish(madeEvent());
  t.throws(() => openEventStream({ url: "http://127.0.0.1", cluster: "x", clock, log }), TypeError);
});
