import t, { type Test } from "tap";
import { systemClock } from "../src/lib/clock.js";
import { seededRandom } from "../src/lib/random.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { settled } from "./fixtures/virtual-clock.js";
import { type ChannelEvent, type Client, type ClientOptions, createClient, customer, kitchen } from "./node.js";

async function nodeAndClient(t: Test, options: Partial<ClientOptions> = {}): Promise<[LoopbackNode, Client]> {
  const node = new LoopbackNode();
  const url = await node.listen();
  const client = createClient({ url, token: "token", backoffBaseMs: 2, backoffMaxMs: 5, ...options });
  t.teardown(async () => {
    client.close();
    await node.close();
  });
  return [node, client];
}

const clock = systemClock();
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => clock.after(2, resolve));
}

t.test("R-TRK-3: a first subscription gets a snapshot, then every event once, and acknowledges them", async (t) => {
  const [node, client] = await nodeAndClient(t);
  node.channel("restaurant:r").snapshot = { orders: [{ orderId: "old" }] };
  node.push("restaurant:r", "order.new", { orderId: "old" });
  const seen: unknown[] = [];
  const subscription = kitchen(client).inbox("r", {
    snapshot: (inbox) => seen.push(inbox),
    event: (event) => seen.push(event.type),
  });
  t.equal(subscription.position(), null);
  await client.ready();
  await until(() => seen.length === 1);
  t.same(seen, [{ orders: [{ orderId: "old" }] }]);
  node.push("restaurant:r", "order.new", { orderId: "1" });
  node.push("restaurant:r", "order.changed", { orderId: "1" });
  await until(() => node.channel("restaurant:r").trimmedTo === 3);
  t.same(seen.slice(1), ["order.new", "order.changed"]);
  t.same(subscription.position(), { epoch: 1, offset: 3 });
});

t.test("R-PRO-3: what many listen to is not acknowledged, not even when asked: the node would refuse it", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const lines: number[] = [];
  const room = client.subscribe("room:support:c", { event: ({ offset }) => lines.push(offset) });
  client.subscribe("restaurant:r", {});
  await client.ready();
  await until(() => room.position() !== null);
  node.push("room:support:c", "chat.message", { text: "Hello" });
  await until(() => lines.length === 1);
  room.acknowledge(1);
  // Sent after the message was taken: whatever was to be acknowledged of it has been by now.
  node.push("restaurant:r", "order.new", { orderId: "1" });
  await until(() => node.channel("restaurant:r").trimmedTo === 1);
  t.equal(node.channel("room:support:c").trimmedTo, 0);
});

for (const codec of ["msgpack", "json"] as const) {
  t.test(`R-TRK-3: no gap, no repeat, no going backwards while lines are cut at random (${codec})`, async (t) => {
    const random = seededRandom(11);
    const [node, client] = await nodeAndClient(t, { codec });
    const seen: ChannelEvent[] = [];
    let recovered = 0;
    let snapshots = 0;
    client.subscribe("driver:d", {
      subscribed: (start) => {
        if (start.recovered) recovered += 1;
      },
      state: () => {
        snapshots += 1;
      },
      event: (event) => seen.push(event),
    });
    await client.ready();
    await until(() => snapshots === 1);
    const count = 400;
    for (let i = 1; i <= count; i++) {
      node.push("driver:d", "offer.made", { number: i });
      const roll = random.next();
      if (roll < 0.04) node.dropAll();
      if (roll < 0.3) await new Promise<void>((resolve) => clock.after(random.next() * 8, resolve));
    }
    await until(() => seen.length >= count);
    t.same(
      seen.map((event) => (event.body as { number: number }).number),
      Array.from({ length: count }, (_, i) => i + 1),
    );
    t.equal(snapshots, 1, "the snapshot came once, at the start");
    t.ok(recovered > 0 && node.connectionsEver > 2, `${node.connectionsEver} sockets, ${recovered} resumes`);
    t.equal(node.mostConnections, 1);
  });
}

t.test("R-TRK-3: lost history is told by a fresh snapshot, and events go on from it", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const seen: unknown[] = [];
  client.subscribe("driver:d", {
    subscribed: ({ recovered, epoch }) => seen.push(`${epoch} ${recovered ? "recovered" : "fresh"}`),
    event: ({ offset }) => seen.push(offset),
    state: ({ body }) => seen.push(body),
  });
  await client.ready();
  await until(() => seen.length === 2);
  node.push("driver:d", "x", null);
  await until(() => seen.includes(1));
  const channel = node.channel("driver:d");
  channel.epoch = 2;
  channel.top = 70;
  channel.events.length = 0;
  channel.trimmedTo = 70;
  channel.snapshot = { fresh: true };
  node.dropAll();
  await until(() => seen.length === 5);
  node.push("driver:d", "x", null);
  await until(() => seen.length === 6);
  t.same(seen, ["1 fresh", { orders: [] }, 1, "2 fresh", { fresh: true }, 71]);
});

t.test("R-TRK-3: a hole in the offsets is never shown; the channel is asked for again", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const seen: number[] = [];
  let starts = 0;
  client.subscribe("driver:d", {
    event: ({ offset }) => seen.push(offset),
    subscribed: () => {
      starts += 1;
    },
  });
  await client.ready();
  await until(() => starts === 1);
  const channel = node.channel("driver:d");
  node.push("driver:d", "x", null);
  // The node records an event without sending it, then sends the next one.
  channel.top += 1;
  channel.events.push({ offset: channel.top, type: "x", body: null });
  node.push("driver:d", "x", null);
  await until(() => seen.length === 3);
  t.same(seen, [1, 2, 3]);
  t.equal(starts, 2);
  t.equal(node.connectionsEver, 1, "on the same socket");
});

t.test("R-TRK-2: of a latest-wins slot only newer values are shown, also across sockets", async (t) => {
  const [node, client] = await nodeAndClient(t);
  node.put("order:o", "view", [1, 1], { version: 1 });
  const seen: unknown[] = [];
  customer(client).watch("o", { view: (view) => seen.push(view.version) });
  await client.ready();
  await until(() => seen.length === 1);
  node.put("order:o", "view", [1, 3], { version: 3 });
  node.put("order:o", "view", [1, 2], { version: 2 });
  node.put("order:o", "view", [2, 1], { version: 4 });
  await until(() => seen.length === 3);
  node.dropAll();
  await until(() => node.connectionsEver === 2 && node.connections.size === 1);
  node.put("order:o", "view", [2, 2], { version: 5 });
  await until(() => seen.includes(5));
  t.same(seen, [1, 3, 4, 5]);
});

t.test("R-RST-4: with manual acknowledgement nothing is acknowledged before a person has seen it", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const offsets: number[] = [];
  const subscription = client.subscribe(
    "restaurant:r",
    { event: ({ offset }) => offsets.push(offset) },
    { manualAcknowledge: true },
  );
  await client.ready();
  await until(() => subscription.position() !== null);
  for (let i = 0; i < 3; i++) node.push("restaurant:r", "order.new", { orderId: `${i}` });
  await until(() => offsets.length === 3);
  await client.command("restaurant.open", { open: true });
  t.equal(node.channel("restaurant:r").trimmedTo, 0);
  subscription.acknowledge(2);
  await until(() => node.channel("restaurant:r").trimmedTo === 2);
  node.dropAll();
  await until(() => node.connectionsEver === 2);
  subscription.acknowledge(99);
  await until(() => node.channel("restaurant:r").trimmedTo === 3);
  t.same(offsets, [1, 2, 3], "an acknowledgement beyond what was seen counts for what was seen");
  node.push("restaurant:r", "order.new", { orderId: "4" });
  await until(() => offsets.length === 4);
  client.onState(({ name }) => {
    if (name === "waiting") subscription.acknowledge(4);
  });
  node.dropAll();
  await until(() => node.channel("restaurant:r").trimmedTo === 4);
  t.equal(node.connectionsEver, 3, "what was seen while there was no line is acknowledged on the next");
});

t.test("R-RST-4: what a handler threw at is not acknowledged by what comes after it", async (t) => {
  const { Socket, made } = scriptedSockets();
  const client = createClient({ url: "http://n", token: "t", WebSocket: Socket });
  const shown: string[] = [];
  let broken = true;
  kitchen(client).inbox("r", {
    snapshot: ({ orders }) => {
      if (broken) throw new Error("the page is broken");
      shown.push(...orders.map(({ orderId }) => orderId));
    },
    event: (event) => {
      if (event.type !== "order.new") return;
      if (event.body.orderId === "strange") throw new Error("the page knows no such dish");
      shown.push(event.body.orderId);
    },
  });
  const begin = (snapshot: readonly string[], top: number) => {
    const socket = made.at(-1)!;
    socket.opens();
    socket.receives(WELCOME(0));
    socket.receives([21, "restaurant:r", 1, top, false]);
    const orders = snapshot.map((orderId) => ({ orderId }));
    const tell = (): void => socket.receives([20, "restaurant:r", "snapshot", [1, top], 0, 0, { orders }]);
    const push = (offset: number, orderId: string): void =>
      socket.receives([19, "restaurant:r", offset, "order.new", 0, { orderId }]);
    const acknowledged = () => socket.sent.filter(([op]) => op === 5).map(([, , , offset]) => offset);
    return { socket, tell, push, acknowledged };
  };
  client.connect();
  const first = begin(["old"], 7);
  t.throws(first.tell, /broken/);
  first.push(8, "a");
  await settled();
  t.same(first.acknowledged(), [], "an event says nothing about the snapshot before it");

  broken = false;
  first.socket.closes(1006);
  client.wake();
  const second = begin(["old", "a"], 8);
  t.same(second.socket.sent[1]?.slice(2), ["restaurant:r"], "it is asked for as a whole");
  second.tell();
  second.push(9, "b");
  await settled();
  t.equal(second.acknowledged().at(-1), 9);
  t.throws(() => second.push(10, "strange"), /no such dish/);
  second.push(11, "c");
  await settled();
  t.equal(second.acknowledged().at(-1), 9, "nobody in the kitchen has seen the tenth");

  second.socket.closes(1006);
  client.wake();
  const third = begin(["strange", "c"], 11);
  third.tell();
  await settled();
  t.same(third.acknowledged(), [11], "now it is shown");
  t.same(shown, ["a", "old", "a", "b", "c", "strange", "c"]);
  client.close();
});

t.test("R-TRK-3: an application that kept its position resumes after a restart without a snapshot", async (t) => {
  const [node, client] = await nodeAndClient(t);
  for (let i = 0; i < 5; i++) node.push("driver:d", "x", i);
  const seen: unknown[] = [];
  client.subscribe(
    "driver:d",
    { event: ({ body }) => seen.push(body), state: () => seen.push("snapshot") },
    { from: { epoch: 1, offset: 3 } },
  );
  await client.ready();
  await until(() => seen.length === 2);
  t.same(seen, [3, 4]);
});

t.test("R-PRO-1: a refused subscription says why and is gone; leaving one is told to the node", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const codes: string[] = [];
  client.subscribe("forbidden:x", { ended: (error) => codes.push(error.code) });
  let started = false;
  const subscription = client.subscribe("driver:d", {
    subscribed: () => {
      started = true;
    },
  });
  await client.ready();
  await until(() => codes.length === 1 && started);
  t.same(codes, ["forbidden"]);
  subscription.unsubscribe();
  await client.command("driver.offline", {});
  t.equal([...node.connections][0]!.channels.size, 0);
  node.dropAll();
  await until(() => node.connectionsEver === 2);
  await client.command("driver.offline", {});
  t.equal([...node.connections][0]!.channels.size, 0, "and not asked for again");
});
