import { getEventListeners } from "node:events";
import t, { type Test } from "tap";
import { systemClock } from "../src/lib/clock.js";
import { seededRandom } from "../src/lib/random.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { VirtualClock } from "./fixtures/virtual-clock.js";
import { type Client, type ClientOptions, createClient, SwiftEatsError } from "./node.js";

async function nodeAndClient(t: Test, options: Partial<ClientOptions> = {}): Promise<[LoopbackNode, Client]> {
  const node = new LoopbackNode();
  const url = await node.listen();
  const client = createClient({ url, token: "token", backoffBaseMs: 5, backoffMaxMs: 20, ...options });
  t.teardown(async () => {
    client.close();
    await node.close();
  });
  return [node, client];
}
type Order = { readonly orderId: string };
const order = (i: number): Order => ({ orderId: `order-${i}` });

t.test("R-PRO-3: a command resolves with the node's typed reply", async (t) => {
  const [node, client] = await nodeAndClient(t);
  await client.ready();
  const reply = await client.command("driver.arrived", { orderId: "o", stop: "pickup" });
  // @ts-expect-error R-ENG-11: the reply is that of `driver.arrived`, which has no menu version.
  void reply.menuVersion;
  // @ts-expect-error R-ENG-11: there is no such stop.
  const wrong = (): unknown => client.command("driver.arrived", { orderId: "o", stop: "nowhere" });
  t.type(wrong, "function");
  t.same(reply, { done: 1 });
  t.equal([...node.effects.values()][0]?.type, "driver.arrived");
});

t.test("R-PRO-3: commands given while there is no connection wait, in order, and go out when there is", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const replies = ["a", "b", "c"].map((orderId) => client.command("driver.pickup", { orderId }));
  t.equal(client.pendingCommands, 3);
  client.connect();
  await Promise.all(replies);
  t.same(
    [...node.effects.values()].map((effect) => effect.body),
    [{ orderId: "a" }, { orderId: "b" }, { orderId: "c" }],
  );
  t.equal(client.pendingCommands, 0);
});

for (const seed of [1, 2, 3]) {
  t.test(
    `R-ORD-5: sockets that break in the middle of commands leave each done exactly once (seed ${seed})`,
    async (t) => {
      const random = seededRandom(seed);
      const [node, client] = await nodeAndClient(t);
      let drops = 0;
      node.onCommand = () => {
        const roll = random.next();
        if (roll < 0.15) {
          drops += 1;
          return roll < 0.07 ? "drop_before" : "drop_after";
        }
        return roll < 0.2 ? [18, "overloaded", true, 1] : "answer";
      };
      client.connect();
      const count = 120;
      const replies: unknown[] = await Promise.all(
        Array.from({ length: count }, (_, i) => client.command("driver.pickup", order(i))),
      );
      t.ok(drops > 0, `${drops} sockets broke`);
      t.equal(node.effects.size, count, "each effect once");
      t.same(
        [...node.effects.values()].map((effect) => effect.body),
        Array.from({ length: count }, (_, i) => order(i)),
        "in the order in which they were given",
      );
      t.same(
        replies,
        [...node.effects.values()].map((effect) => effect.reply),
        "each caller got its own answer",
      );
      t.ok(node.arrivals.length > count, "some arrived more than once");
      t.equal(node.mostConnections, 1, "never two sockets");
      const notAfters = new Map<string, Set<number>>();
      for (const { key, notAfter } of node.arrivals)
        notAfters.set(key, (notAfters.get(key) ?? new Set()).add(notAfter));
      t.ok(
        [...notAfters.values()].every((values) => values.size === 1),
        "a resend carries the same notAfter",
      );
    },
  );
}

t.test("R-PRO-3: orders do not wait for one another, commands about one order do", async (t) => {
  const [node, client] = await nodeAndClient(t);
  let refusals = 3;
  node.onCommand = () => {
    refusals -= 1;
    return refusals === 2 || refusals === 1 ? [18, "unavailable", true, 1] : "answer";
  };
  client.connect();
  await client.ready();
  const done: string[] = [];
  const note = (name: string) => () => done.push(name);
  await Promise.all([
    client.command("order.accept", { orderId: "a" }).then(note("a accept")),
    client.command("order.ready", { orderId: "a" }).then(note("a ready")),
    client.command("order.accept", { orderId: "b" }).then(note("b accept")),
  ]);
  t.ok(done.indexOf("a accept") < done.indexOf("a ready"));
  t.same(
    [...node.effects.values()].filter((effect) => (effect.body as Order).orderId === "a").map((effect) => effect.type),
    ["order.accept", "order.ready"],
  );
});

t.test("R-PRO-3: a final refusal rejects with the node's code and lets the next one pass", async (t) => {
  const [node, client] = await nodeAndClient(t);
  node.onCommand = (_connection, arrival) =>
    arrival === 1 ? [18, "illegal_transition", false, 0, { status: "delivered" }] : "answer";
  client.connect();
  const first = client.command("driver.pickup", order(1));
  const second = client.command("driver.pickup", order(2));
  const error = await first.then(
    () => null,
    (reason: unknown) => reason,
  );
  t.ok(error instanceof SwiftEatsError);
  t.match(error, { code: "illegal_transition", temporary: false, detail: { status: "delivered" } });
  await second;
});

t.test("R-PRO-3: the queue is bounded, and says so", async (t) => {
  const [, client] = await nodeAndClient(t, { maxQueuedCommands: 3 });
  const waiting = [1, 2, 3].map((i) => client.command("driver.pickup", order(i)));
  await t.rejects(client.command("driver.pickup", order(4)), { code: "queue_full", temporary: true });
  client.connect();
  await Promise.all(waiting);
  await client.command("driver.pickup", order(5));
});

t.test("R-PRO-3: a command too large for the node is refused here", async (t) => {
  const [node, client] = await nodeAndClient(t);
  await client.ready();
  await t.rejects(client.command("order.cancel", { orderId: "o", reason: "x".repeat(20_000) }), { code: "too_large" });
  t.equal(node.arrivals.length, 0);
});

t.test("R-PRO-3: closing rejects what nobody will answer", async (t) => {
  const [, client] = await nodeAndClient(t);
  const waiting = client.command("driver.pickup", order(1));
  client.close();
  await t.rejects(waiting, { code: "closed" });
  await t.rejects(client.command("driver.pickup", order(2)), { code: "closed" });
});

t.test("R-PRO-3: the caller can stop waiting", async (t) => {
  const [node, client] = await nodeAndClient(t);
  const controller = new AbortController();
  const waiting = client.command("driver.pickup", order(1), { signal: controller.signal });
  controller.abort();
  await t.rejects(waiting, { code: "aborted" });
  await client.ready();
  const { signal } = new AbortController();
  await client.command("driver.pickup", order(2), { signal });
  t.equal(node.arrivals.length, 1, "what was not sent is not sent any more");
  t.same(getEventListeners(signal, "abort"), [], "a signal that lives as long as the page holds no answered command");
});

t.test("R-PRO-3: a refused command is one command when the application is restarted", async (t) => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const node = new LoopbackNode();
  const url = await node.listen();
  t.teardown(() => node.close());
  const options = { url, token: "token", deviceId: "phone", storage, backoffBaseMs: 5, backoffMaxMs: 10 };

  node.onCommand = () => "drop_after";
  const first = createClient(options);
  first.connect();
  first.command("driver.deliver", order(1)).catch(() => {});
  first.command("driver.pickup", order(2)).catch(() => {});
  while (node.effects.size === 0) await new Promise((resolve) => systemClock().after(2, () => resolve(null)));
  const image = new Map(kept);
  t.equal(JSON.parse([...image.values()][0]!).length, 2, "the application dies here, with its queue on disk");
  first.close();
  for (const [key, value] of image) kept.set(key, value);

  node.onCommand = () => "answer";
  const outcomes: unknown[] = [];
  const second = createClient({ ...options, onRestored: (outcome) => outcomes.push(outcome) });
  t.teardown(() => second.close());
  t.equal(second.pendingCommands, 2);
  second.connect();
  while (second.pendingCommands > 0) await new Promise((resolve) => systemClock().after(2, () => resolve(null)));
  t.equal(node.effects.size, 2, "done once each");
  t.match(outcomes, [
    { type: "driver.deliver", ok: true, reply: { done: 1 } },
    { type: "driver.pickup", ok: true, reply: { done: 2 } },
  ]);
  t.equal(kept.size, 0, "nothing is left behind");
});

t.test("R-PRO-3: a device without room for its queue sends all the same, and every promise settles", async (t) => {
  const full = {
    getItem: () => null,
    setItem(): void {
      throw new Error("QuotaExceededError");
    },
    removeItem: () => undefined,
  };
  const [node, client] = await nodeAndClient(t, { storage: full });
  const both = [client.command("driver.pickup", order(1)), client.command("driver.pickup", order(2))];
  client.connect();
  t.same(await Promise.all(both), [{ done: 1 }, { done: 2 }]);
  t.equal(node.effects.size, 2);
  t.equal(client.pendingCommands, 0);
});

t.test("R-PRO-3: expiry tells “nothing was done” from “nobody knows”", async (t) => {
  const clock = new VirtualClock();
  const { Socket, made } = scriptedSockets();
  const client = createClient({ url: "http://n", token: "t", WebSocket: Socket, clock, random: seededRandom(1) });
  t.teardown(() => client.close());
  const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: SwiftEatsError) => error.code);
  const unsent = outcome(client.command("driver.pickup", order(1), { notAfter: clock.now() + 5000 }));
  await t.rejects(client.command("driver.pickup", order(0), { notAfter: clock.now() - 1 }), { code: "expired" });
  await clock.advance(5000);
  t.equal(await unsent, "expired");

  client.connect();
  made[0]!.opens();
  made[0]!.receives(WELCOME(clock.now() + 60_000));
  const sent = outcome(client.command("order.cancel", { orderId: "o", reason: "" }, { ttlMs: 8000 }));
  await clock.advance(0);
  const frame = made[0]!.sent[1]!;
  t.equal(frame[5], clock.now() + 60_000 + 8000, "notAfter is told in the node's time, not the phone's");
  await clock.advance(8000);
  t.equal(await sent, "timeout");
});

t.test("R-ENG-6: a temporary refusal is retried with the same key, no sooner than asked", async (t) => {
  const clock = new VirtualClock();
  const { Socket, made } = scriptedSockets();
  const client = createClient({ url: "http://n", token: "t", WebSocket: Socket, clock, random: seededRandom(1) });
  client.connect();
  const socket = made[0]!;
  socket.opens();
  socket.receives(WELCOME(clock.now()));
  const reply = client.command("driver.pickup", order(1));
  const behind = client.command("driver.pickup", order(2));
  await clock.advance(0);
  const [, id, key] = socket.sent[1] as [number, number, string];
  socket.receives([18, id, "overloaded", true, 700]);
  await clock.advance(699);
  t.equal(socket.sent.length, 2, "neither it nor the one behind it in its lane");
  await clock.advance(300);
  t.same(socket.sent[2]!.slice(0, 3), [4, id, key]);
  socket.receives([17, id, { at: 5 }]);
  t.same(await reply, { at: 5 });
  await clock.advance(0);
  socket.receives([17, (socket.sent[3] as [number, number])[1], { at: 6 }]);
  t.same(await behind, { at: 6 });
  client.close();
});
