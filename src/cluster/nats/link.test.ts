import { connect as connectNats } from "nats";
import t, { type Test } from "tap";
import { missing, type RunningServer, startNats } from "../../../test/support/servers.js";
import type { LinkMessage } from "../../actors/runtime/link.js";
import { sleep } from "../../lib/clock.js";
import { recordingLog } from "../../lib/log.js";
import { decode, encode } from "../../lib/msgpack.js";
import { natsConnectOptions } from "./connection.js";
import {
  clock,
  openHeard,
  QUICK,
  random,
  sayUntilHeard,
  startProxy,
  type TestProxy,
  told,
  until,
  untilJoined,
} from "./fixtures/links.js";
import { openNatsLink } from "./mod.js";
import { clusterSubjects, nodeOf, subjectToken } from "./subjects.js";

const skip = missing("nats");

async function serve(t: Test): Promise<RunningServer> {
  const server = await startNats();
  t.teardown(() => server.stop());
  return server;
}

async function proxyTo(t: Test, server: RunningServer): Promise<TestProxy> {
  const proxy = await startProxy(server.port);
  t.teardown(() => proxy.close());
  return proxy;
}

/** The last numbers told by a peer since it came up last. */
const sinceUp = (events: readonly string[], peer: string): string[] =>
  events.slice(events.lastIndexOf(`${peer} up`) + 1).filter((event) => event.startsWith(`${peer} `));

t.test(
  "R-CLU-3: three nodes with several threads each: all meet, messages go where they are sent",
  { skip },
  async (t) => {
    const { url } = await serve(t);
    const ids = ["a/gateway-0", "a/shards-0", "b/gateway-0", "b/shards-0", "c/shards-0"];
    const all = ids.map((id) => openHeard(t, url, id));
    const strangers = (id: string): string[] => ids.filter((other) => nodeOf(other) !== nodeOf(id));
    await until("all met", () => all.every(({ link, ups }) => strangers(link.self).every((id) => ups.has(id))));
    for (let n = 0; n < 500; n++) for (const { link } of all) for (const id of ids) link.send(id, told(n));
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    for (const { link, numbers: from, ups } of all) {
      for (const id of strangers(link.self)) {
        await until(`${id} at ${link.self}`, () => from(id).length >= 500);
        t.same(from(id), numbers, `${id} at ${link.self}`);
      }
      t.same([...ups].sort(), strangers(link.self), "its own node's threads are no peers");
    }
  },
);

t.test(
  "R-CLU-5: the server is killed and another takes its place: down, then up anew, and nothing old arrives",
  { skip },
  async (t) => {
    const first = await serve(t);
    const proxy = await proxyTo(t, first);
    const log = recordingLog();
    const [a, b] = [openHeard(t, proxy.url, "a/1", { log }), openHeard(t, proxy.url, "b/1")];
    await untilJoined(a, b);
    a.link.send("b/1", told(1));
    await until("1", () => b.numbers("a/1").includes(1));
    for (let round = 0; round < 3; round++) {
      const server = round === 0 ? first : undefined;
      const next = await serve(t);
      proxy.target = next.port;
      // What is said at the very moment of the loss may be lost, and then it stays lost.
      for (let n = 0; n < 200; n++) a.link.send("b/1", told(1_000 * (round + 1) + n));
      proxy.refuse();
      if (server !== undefined) await server.kill();
      else proxy.cut();
      await until("both down", () => a.ups.size === 0 && b.ups.size === 0);
      for (let n = 0; n < 50; n++) a.link.send("b/1", told(-n));
      t.equal(a.link.room("b/1"), 0);
      proxy.open();
      await untilJoined(a, b);
      a.link.send("b/1", told(1_000 * (round + 1) + 500));
      await until("the new one", () => b.numbers("a/1").at(-1) === 1_000 * (round + 1) + 500);
      t.same(
        sinceUp(b.events, "a/1"),
        [`a/1 ${1_000 * (round + 1) + 500}`],
        "the new session begins with what was said in it",
      );
    }
    const heard = b.numbers("a/1");
    t.notOk(
      heard.some((number) => number < 0),
      "what was said while nobody heard is not kept",
    );
    t.ok(heard.every((number, index) => index === 0 || number > heard[index - 1]!));
    for (const { events } of [a, b]) {
      const changes = events.filter((event) => / (up|down)$/.test(event)).map((event) => event.split(" ")[1]);
      t.ok(
        changes.every((change, index) => change === (index % 2 === 0 ? "up" : "down")),
        "up and down take turns",
      );
    }
    t.match(log.lines.filter(({ message }) => message.startsWith("NATS")).slice(0, 2), [
      { level: "warn", message: /^NATS cannot be reached/ },
      { level: "info", message: "NATS is back." },
    ]);
  },
);

t.test("R-CLU-5: a link opens while NATS is away, and works once it is there", { skip }, async (t) => {
  const server = await serve(t);
  const proxy = await proxyTo(t, server);
  proxy.cut();
  const log = recordingLog();
  const [a, b] = [openHeard(t, proxy.url, "a/1", { log }), openHeard(t, proxy.url, "b/1")];
  await until("it says so", () => log.lines.some(({ level }) => level === "warn"));
  a.link.send("b/1", told(1));
  t.match(a.link.stats(), { connected: false, peers: [] });
  proxy.open();
  await untilJoined(a, b);
  a.link.send("b/1", told(2));
  await until("2", () => b.numbers("a/1").length > 0);
  t.same(b.numbers("a/1"), [2]);
});

t.test("a link that is shut down before NATS ever came lets the process end", { skip }, async (t) => {
  const server = await serve(t);
  const proxy = await proxyTo(t, server);
  proxy.cut();
  const link = openNatsLink({ url: proxy.url, cluster: "c", self: "a/1", clock, random, log: recordingLog() });
  await link.shutdown();
  await link.shutdown();
  proxy.open();
  t.match(link.stats(), { connected: false });
});

t.test(
  "R-CLU-2: a node that nobody hears is down; when it is heard again it is up in a new session",
  { skip },
  async (t) => {
    const server = await serve(t);
    const proxy = await proxyTo(t, server);
    const a = openHeard(t, server.url, "a/1", { settings: QUICK });
    const b = openHeard(t, proxy.url, "b/1", { settings: QUICK });
    await untilJoined(a, b);
    proxy.hold();
    for (let n = 0; n < 20; n++) b.link.send("a/1", told(n));
    for (let n = 0; n < 20; n++) a.link.send("b/1", told(n));
    await until("both see the other as down", () => a.ups.size === 0 && b.ups.size === 0);
    t.same(a.numbers("b/1"), []);
    proxy.open();
    await untilJoined(a, b);
    await sayUntilHeard(b, a, 100);
    await sayUntilHeard(a, b, 200);
    t.same([...new Set(a.numbers("b/1"))], [100], "what was held on the way is not heard afterwards");
    t.same([...new Set(b.numbers("a/1"))], [200]);
  },
);

t.test("R-CLU-3: a forged number is a gap: both ends see down and up, and go on", { skip }, async (t) => {
  const { url } = await serve(t);
  const [a, b] = [openHeard(t, url, "a/1"), openHeard(t, url, "b/1")];
  const spy = await connectNats(natsConnectOptions(url));
  t.teardown(() => spy.close());
  /** The first thing that a said to b, and where. */
  let last: { subject: string; fields: unknown[] } | null = null;
  spy.subscribe("swift-eats.test.to.>", {
    callback(_, { subject, data }) {
      if (last !== null) return;
      const fields = decode<unknown[]>(data);
      if (fields[2] === "a/1") last = { subject, fields };
    },
  });
  await untilJoined(a, b);
  await until("overheard", () => last !== null);
  const { subject, fields } = last!;
  const [mine, theirs] = a.link.stats().peers[0]!.session;
  spy.publish(subject, encode([...fields.slice(0, 1), 1, "a/1", fields[3], mine, theirs, 7, 0, [told(666)]]));
  const upsAt = (events: readonly string[], peer: string): number =>
    events.filter((event) => event === `${peer} up`).length;
  await until("again", () => upsAt(a.events, "b/1") === 2 && upsAt(b.events, "a/1") === 2);
  t.same(a.events, ["b/1 up", "b/1 down", "b/1 up"]);
  t.same(b.events, ["a/1 up", "a/1 down", "a/1 up"]);
  for (let n = 0; n < 200; n++) spy.publish(subject, random.bytes(1 + Math.floor(random.next() * 200)));
  spy.publish("swift-eats.test.presence", random.bytes(30));
  a.link.send("b/1", told(1));
  await until("1", () => b.numbers("a/1").length > 0);
  t.same(b.events.slice(3), ["a/1 1"]);
  t.ok(b.link.stats().malformed > 0, "nonsense was counted");
});

t.test("two clusters on one server do not hear each other, whatever their names contain", { skip }, async (t) => {
  const { url } = await serve(t);
  const names = ["city", "city.>", "*", "stadt=mü nchen"];
  const pairs = names.map(
    (cluster) => [openHeard(t, url, "a/1", { cluster }), openHeard(t, url, "b/1", { cluster })] as const,
  );
  for (const [a, b] of pairs) await untilJoined(a, b);
  for (const [index, [a]] of pairs.entries()) a.link.send("b/1", told(index));
  for (const [index, [, b]] of pairs.entries()) {
    await until("heard", () => b.numbers("a/1").length > 0);
    t.same(b.numbers("a/1"), [index]);
  }
  for (const [a] of pairs) t.match(a.link.stats(), { superseded: false, malformed: 0 });
});

t.test("two links with one name: the newer is heard, the older stands back until it has gone", { skip }, async (t) => {
  const { url } = await serve(t);
  const [old, b] = [openHeard(t, url, "a/1", { settings: QUICK }), openHeard(t, url, "b/1", { settings: QUICK })];
  await untilJoined(old, b);
  // Names of instances are ordered by the wall clock's milliseconds.
  await sleep(clock, 5);
  const young = openHeard(t, url, "a/1", { settings: QUICK });
  await until("replaced", () => old.link.stats().superseded && young.ups.has("b/1") && b.ups.has("a/1"));
  old.link.send("b/1", told(1));
  await sayUntilHeard(young, b, 2);
  t.same([...new Set(b.numbers("a/1"))], [2]);
  t.same([...old.ups], []);
  await young.link.shutdown();
  await until("the older is back", () => old.ups.has("b/1") && b.ups.has("a/1"));
  await sayUntilHeard(old, b, 3);
  t.same([...new Set(b.numbers("a/1"))], [2, 3]);
});

t.test("names become safe tokens, and different names different tokens", async (t) => {
  t.equal(subjectToken("node-a/gateway_0"), "node-a=2fgateway_0");
  t.equal(subjectToken("a.b *>=ö"), "a=2eb=20=2a=3e=3d=c3=b6");
  t.throws(() => subjectToken(""), /1 to 200 bytes/);
  t.throws(() => subjectToken("x".repeat(201)), /1 to 200 bytes/);
  t.equal(clusterSubjects("c").inbox("n/1", "i"), "swift-eats.c.to.n=2f1.i");
});

t.test("URLs: secrets, ports, several servers, and what is no NATS URL", async (t) => {
  t.same(natsConnectOptions("nats://h"), { servers: ["h:4222"] });
  t.same(natsConnectOptions("nats://u:p%40ss@h:1, nats://i:2"), { servers: ["h:1", "i:2"], user: "u", pass: "p@ss" });
  t.same(natsConnectOptions("tls://token@[::1]:4"), { servers: ["[::1]:4"], token: "token", tls: {} });
  t.throws(() => natsConnectOptions("redis://h"), /"redis:\/\/" is not nats:\/\/ or tls:\/\//);
  t.throws(() => natsConnectOptions(" "), /the URL is empty/);
});

t.test(
  "R-RST-4: a tablet's long list reaches it through another node, though NATS takes no message as large",
  { skip },
  async (t) => {
    const { url } = await serve(t);
    const [a, b] = [openHeard(t, url, "a/shards-0"), openHeard(t, url, "b/gateway-0")];
    await untilJoined(a, b);
    const heard: LinkMessage[] = [];
    b.link.receive((_, messages) => heard.push(...messages));
    const body = {
      lines: Array.from({ length: 50 }, (_, n) => ({ itemId: `item-${n}`, note: "without onions ".repeat(5) })),
    };
    const events = Array.from({ length: 512 }, (_, n) => ({
      offset: n + 1,
      type: "order.new",
      at: 1_700_000_000_000,
      body,
    }));
    const start: LinkMessage = { t: "subscribed", id: 7, epoch: 1, top: 512, recovered: true, events, slots: [] };
    t.ok(encode(start).length > 2 * 1_048_576, "twice what the server takes");
    for (const message of [told(1), start, told(2)]) a.link.send("b/gateway-0", message);
    await until(
      "all is heard",
      () => heard.length === 3 || a.link.stats().unsendable > 0,
      () => heard.length,
    );
    t.strictSame(heard, [told(1), start, told(2)]);
    t.match(a.link.stats(), { unsendable: 0, peers: [{ resets: 0 }] });
  },
);
