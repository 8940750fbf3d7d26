import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { type Clock, systemClock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { encode } from "../../lib/msgpack.js";
import { seededRandom } from "../../lib/random.js";
import { isSigned } from "../../lib/signature.js";
import type { OrderStatus } from "../../protocol/mod.js";
import { createMemoryNotificationStore } from "../../store/memory/mod.js";
import { createNotifier, type NotifierSettings } from "./notifier.js";
import { notificationOperations } from "./operations.js";
import type { AddressBook, Message } from "./ports.js";
import { SANDBOX_ADDRESSES, sandboxProvider } from "./sandbox.js";
import { webhookProvider } from "./webhook.js";

const START = 1_700_000_000_000;

/** Telephone numbers by principal: one, or one each of several people. */
type Book = Readonly<Record<string, string | readonly string[]>>;

function world(settings: Partial<NotifierSettings> = {}, book: Book = {}) {
  const store = createMemoryNotificationStore();
  const sandbox = sandboxProvider();
  let now = START;
  let status: OrderStatus = "confirmed";
  const each: (() => void)[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    // Nobody waits here: a pause is over at once, and what comes again and again comes when a test says so.
    after: (_, task) => {
      queueMicrotask(task);
      return () => undefined;
    },
    every: (_, task) => {
      each.push(task);
      return () => undefined;
    },
  };
  const addresses: AddressBook = {
    addressesOf: async ({ principalId }) => {
      return [book[principalId] ?? []].flat().map((phone) => ({ email: `${principalId}@example.org`, phone }));
    },
  };
  const notifier = createNotifier({
    store,
    providers: { push: sandbox, sms: sandbox, email: sandbox, call: sandbox },
    addresses,
    orders: {
      of: async (ids) => new Map(ids.map((id) => [id, { restaurant: "Ajiaco", arrivesAt: START + 1_800_000, status }])),
    },
    clock,
    random: seededRandom(1),
    log: silentLog,
    settings,
  });
  let offset = 0;
  const leave = (type: string, body: Record<string, unknown>, key = "o1") => {
    const kind = type.slice(0, type.indexOf("."));
    store.leave({ kind, key, offset: ++offset, type, at: now, body: encode(body) });
  };
  return {
    store,
    sandbox,
    clock,
    notifier,
    leave,
    /** The orders are so far. */
    become(next: OrderStatus) {
      status = next;
    },
    pass(ms: number) {
      now += ms;
    },
    /** All that comes again and again comes now. */
    turn() {
      for (const task of each) task();
    },
    told: () => sandbox.told.map(({ channel, to, title }) => [channel, to, title]),
    states: async () =>
      (await store.list({}, Number.MAX_SAFE_INTEGER, 99)).map(({ channel, state }) => `${channel} ${state}`),
  };
}

const ann = { role: "customer", principalId: "ann" } as const;
const toAnn = { orderId: "o1", customerId: "ann" };

t.test("R-COM-3: customers hear of their order, once, in their language, by the ways they wish", async (t) => {
  // Its summer: three hours behind UTC, four in winter.
  const w = world({ market: { timeZone: "America/Santiago", utcOffsetMinutes: -240 } }, { ann: "+905551112233" });
  await w.store.saveDevice(ann, { deviceId: "phone", token: "tok", since: 1 }, 9);
  const events = ["confirmed", "preparing", "eta_changed", "driver_near", "delivered", "cancelled"];
  for (const name of events) w.leave(`order.${name}`, toAnn);
  await w.notifier.work();
  t.same(w.told(), [
    ["push", "tok", "Order confirmed"],
    ["push", "tok", "New arrival time"],
    ["push", "tok", "Almost there"],
    ["push", "tok", "Delivered"],
    ["push", "tok", "Order cancelled"],
    ["email", "ann@example.org", "Order cancelled"],
  ]);
  t.match(w.sandbox.told[0], { text: /Ajiaco has your order\. Expected at 19:43\./, subject: "order/o1" });
  await w.store.saveWishes(ann, { locale: "tr", kinds: { order_confirmed: ["sms"], order_delivered: [] } });
  w.leave("order.confirmed", toAnn, "o2");
  w.leave("order.delivered", toAnn, "o2");
  w.leave("order.confirmed", { orderId: "o3", customerId: "" }, "o3");
  w.leave("order.confirmed", { orderId: "o4" }, "o4");
  await w.notifier.work();
  t.same(
    w.told().slice(6),
    [["sms", "+905551112233", "Sipariş onaylandı"]],
    "nobody, and who is forgotten, is told nothing",
  );
});

t.test("R-COM-1, R-COM-3: who is written to and is not there hears of it, in words that tell nothing", async (t) => {
  const w = world();
  const dave = { role: "driver", principalId: "dave" } as const;
  await w.store.saveDevice(ann, { deviceId: "phone", token: "tok", since: 1 }, 9);
  await w.store.saveDevice(dave, { deviceId: "phone", token: "tok-dave", since: 1 }, 9);
  const unheard = (kind: string, role: string, id: string, orderId: string | null) =>
    w.leave("chat.unheard", { roomId: "room", kind, orderId, to: { role, id }, at: START }, `${kind}:${id}`);
  unheard("trip", "driver", "dave", "o1");
  unheard("trip", "customer", "ann", "o1");
  unheard("support", "customer", "ann", null);
  unheard("support", "customer", "", null);
  unheard("support", "admin", "ann", null);
  await w.notifier.work();
  t.same(w.told(), [
    ["push", "tok-dave", "A message for you"],
    ["push", "tok", "A message for you"],
    ["push", "tok", "Support has answered"],
  ]);
  t.match(w.sandbox.told[0], { text: /the order from Ajiaco/, subject: "order/o1" });
  await w.store.saveWishes(ann, { locale: "en", kinds: { trip_message: [] } });
  unheard("trip", "customer", "ann", "o2");
  await w.notifier.work();
  t.equal(w.sandbox.told.length, 3, "who does not wish to hear of it does not");
});

t.test("R-COM-3, R-RST-4: a kitchen is reached by the way of its step; nobody can wish that away", async (t) => {
  const w = world({}, { r1: "+491705551234" });
  const r1 = { role: "restaurant", principalId: "r1" } as const;
  await w.store.saveWishes(r1, { locale: "de", kinds: {} });
  for (const deviceId of ["counter", "kitchen"]) {
    await w.store.saveDevice(r1, { deviceId, token: `token-${deviceId}`, since: 1 }, 9);
  }
  const alert = (step: string) =>
    w.leave("restaurant.alert", { restaurantName: "R", orderId: "o1", step, devices: ["counter", "kitchen"] }, "r1");
  for (const step of ["push", "second_device", "sms", "call"]) alert(step);
  await w.notifier.work();
  t.same(
    w.told().map(([channel, to]) => [channel, to]),
    [
      ["push", "token-counter"],
      ["push", "token-kitchen"],
      ["sms", "+491705551234"],
      ["call", "+491705551234"],
    ],
  );
  t.match(w.sandbox.told[2], { title: "Eine Bestellung wartet", locale: "de" });
});

t.test(
  "R-COM-3: a provider that fails is asked again with growing pauses, under one id, then never twice",
  async (t) => {
    const flaky = `+49170${SANDBOX_ADDRESSES.flaky}`;
    const w = world({ retryMs: 1_000 }, { r1: flaky });
    w.leave("restaurant.alert", { orderId: "o1", step: "sms", devices: [], acceptBy: START + 600_000 }, "r1");
    await w.notifier.work();
    t.same(await w.states(), ["sms waiting"]);
    w.pass(400);
    await w.notifier.work();
    t.equal(w.sandbox.asked, 1, "not before its time");
    w.pass(600);
    await w.notifier.work();
    w.pass(1_000);
    await w.notifier.work();
    w.pass(1_000);
    await w.notifier.work();
    t.same(await w.states(), ["sms sent"]);
    t.equal(w.sandbox.asked, 3);
    t.equal(w.sandbox.told.length, 1);
    w.pass(3_600_000);
    await w.notifier.work();
    t.equal(w.sandbox.asked, 3);
  },
);

t.test("R-COM-3: what was sent by a notifier that then died is sent again under the same id: told once", async (t) => {
  const w = world({ leaseMs: 5_000 }, { r1: "+491705551234" });
  w.leave("restaurant.alert", { orderId: "o1", step: "call", devices: [] }, "r1");
  const { settle } = w.store;
  const dying = { ...w.store, settle: async () => Promise.reject(new Error("killed")) };
  const dead = createNotifier({
    store: dying,
    providers: { push: w.sandbox, sms: w.sandbox, email: w.sandbox, call: w.sandbox },
    addresses: { addressesOf: async () => [{ phone: "+491705551234" }] },
    orders: { of: async () => new Map() },
    clock: w.clock,
    random: seededRandom(1),
    log: silentLog,
  });
  await t.rejects(dead.work());
  t.type(settle, "function");
  w.pass(60_000);
  await w.notifier.work();
  t.equal(w.sandbox.asked, 2);
  t.equal(w.sandbox.told.length, 1);
  t.same(await w.states(), ["call sent"]);
});

t.test("R-COM-3: an id is of one address, whoever comes to the others or leaves them between two tries", async (t) => {
  const flaky = `+49170${SANDBOX_ADDRESSES.flaky}`;
  const book: Record<string, readonly string[]> = { r1: ["+491705551234", flaky] };
  const w = world({ retryMs: 1_000 }, book);
  w.leave("restaurant.alert", { orderId: "o1", step: "sms", devices: [], acceptBy: START + 600_000 }, "r1");
  w.leave("restaurant.alert", { orderId: "o1", step: "push", devices: [], acceptBy: START + 600_000 }, "r2");
  const r2 = { role: "restaurant", principalId: "r2" } as const;
  await w.store.saveDevice(r2, { deviceId: "a", token: "token-a", since: 1 }, 9);
  await w.store.saveDevice(r2, { deviceId: "b", token: `token-${SANDBOX_ADDRESSES.flaky}`, since: 2 }, 9);
  await w.notifier.work();
  t.same(
    w
      .told()
      .map(([, to]) => to)
      .sort(),
    ["+491705551234", "token-a"],
  );
  // The first of them leaves, and device "a" is another phone now.
  book.r1 = [flaky];
  await w.store.saveDevice(r2, { deviceId: "a", token: "token-new", since: 3 }, 9);
  for (let i = 0; i < 3; i++) {
    w.pass(5_000);
    await w.notifier.work();
  }
  t.same(
    w
      .told()
      .slice(2)
      .map(([, to]) => to)
      .sort(),
    [flaky, "token-new", `token-${SANDBOX_ADDRESSES.flaky}`].sort(),
    "told under ids of their own",
  );
  t.same(await w.states(), ["sms sent", "push sent"].sort());
  for (const { id, to } of w.sandbox.told) t.notOk(id.includes(to), "an id does not tell the address");
});

t.test("R-COM-3, R-RST-4: one whom the provider cannot reach keeps nobody else of a kitchen in silence", async (t) => {
  const down = `+90${SANDBOX_ADDRESSES.down}`;
  const w = world({ maxAttempts: 3 }, { r1: [down, "+901112223301", "+901112223302"], r2: [down] });
  for (const key of ["r1", "r2"]) w.leave("restaurant.alert", { orderId: `o-${key}`, step: "sms", devices: [] }, key);
  await w.notifier.work();
  const numbers = () => w.told().map(([, to]) => to);
  t.same(numbers(), ["+901112223301", "+901112223302"], "with the first try");
  t.same(await w.states(), ["sms waiting", "sms waiting"], "the one may hear yet");
  for (let i = 0; i < 5; i++) {
    w.pass(60_000);
    await w.notifier.work();
  }
  t.same(numbers(), ["+901112223301", "+901112223302"], "told once");
  const list = await w.store.list({}, Number.MAX_SAFE_INTEGER, 9);
  t.same(
    new Map(list.map(({ principalId, state }) => [principalId, state])),
    new Map([
      ["r1", "sent"],
      ["r2", "dead"],
    ]),
  );
});

t.test("R-COM-3: after an outage nobody is told what is not so any more", async (t) => {
  const w = world({}, { ann: "+901112223301", r1: "+901112223302" });
  const token = `tok${SANDBOX_ADDRESSES.flaky}`;
  await w.store.saveDevice(ann, { deviceId: "phone", token, since: 1 }, 9);
  await w.store.saveDevice(
    { role: "restaurant", principalId: "r1" },
    { deviceId: "t", token: `r${token}`, since: 1 },
    9,
  );
  w.leave("order.confirmed", toAnn);
  w.leave("order.eta_changed", toAnn);
  w.leave("restaurant.alert", { orderId: "o1", step: "push", devices: ["t"] }, "r1");
  await w.notifier.work();
  w.become("cancelled");
  w.leave("order.cancelled", toAnn);
  w.pass(61_000);
  for (let i = 0; i < 4; i++) {
    await w.notifier.work();
    w.pass(61_000);
  }
  t.same(new Set(w.told().map(([, , title]) => title)), new Set(["Order cancelled"]));
  t.match(
    (await w.store.list({ state: "dropped" }, Number.MAX_SAFE_INTEGER, 9)).map(({ reason }) => reason),
    Array.from({ length: 3 }, () => "what happened since has overtaken it"),
  );
});

t.test("R-COM-3: what a notifier finds late of an order that is over is not planned", async (t) => {
  const w = world({}, { ann: "+901112223301" });
  await w.store.saveDevice(ann, { deviceId: "phone", token: "tok", since: 1 }, 9);
  w.leave("order.confirmed", toAnn);
  w.leave("order.driver_near", toAnn);
  w.leave("order.delivered", toAnn);
  w.become("delivered");
  w.pass(61_000);
  await w.notifier.work();
  t.same(w.told(), [["push", "tok", "Delivered"]]);
});

t.test("R-COM-3, R-ADM-5: what is given up is listed, and driven again by a person with a reason", async (t) => {
  const down = `+49170${SANDBOX_ADDRESSES.down}`;
  const refused = `+49170${SANDBOX_ADDRESSES.refused}`;
  const book: Record<string, string> = { r1: down, r2: refused };
  const w = world({ retryMs: 100, maxAttempts: 3 }, book);
  for (const key of ["r1", "r2", "r3"]) {
    w.leave("restaurant.alert", { orderId: "o1", step: "sms", devices: [], acceptBy: START + 600_000 }, key);
  }
  for (let i = 0; i < 5; i++) {
    await w.notifier.work();
    w.pass(1_000);
  }
  const operations = notificationOperations(w.store, w.clock);
  const call = (body: object) => ({ caller: { id: "s1", role: "support" }, body, query: { state: "dead" } }) as never;
  const listed = await operations["notifications.list"](call({}));
  const dead = (
    listed as unknown as { value: { notifications: Record<"notificationId" | "principalId" | "reason", string>[] } }
  ).value;
  t.same(dead.notifications.map(({ principalId, reason }) => [principalId, reason]).sort(), [
    ["r1", "the line is dead"],
    ["r2", "refused: no such address"],
    ["r3", "there is no address"],
  ]);
  book.r1 = "+491705551234";
  const { notificationId } = dead.notifications.find(({ principalId }) => principalId === "r1")!;
  const retry = (id: string) =>
    operations["notifications.retry"](call({ notificationId: id, reason: "number mended" }));
  t.match(await retry(notificationId), { ok: true, value: { state: "waiting" } });
  t.match(await retry(notificationId), { ok: false, code: "illegal_transition" });
  t.match(await retry("nothing"), { ok: false, code: "not_found" });
  t.match(w.store.audit, [{ action: "notification.retry", principalId: "s1", reason: "number mended" }]);
  await w.notifier.work();
  t.same(
    w.told().map(([channel, to]) => [channel, to]),
    [["sms", "+491705551234"]],
  );
});

t.test("R-RST-4 R-CLU-6: an event that takes another's number after a restore is another message", async (t) => {
  const told = async (at: number) => {
    const w = world({}, { r1: "+491705551234" });
    w.pass(at - START);
    const body = encode({ step: "sms", orderId: "o1", acceptBy: START + 600_000 });
    w.store.leave({ kind: "restaurant", key: "r1", offset: 3, type: "restaurant.alert", at, body });
    await w.notifier.work();
    return w.sandbox.told.map(({ id }) => id);
  };
  const [before] = await told(START);
  t.same(await told(START), [before], "the same one, planned again from the backup, is known to its provider");
  const [after] = await told(START + 1_000);
  t.type(after, "string");
  t.not(after, before);
});

t.test("R-COM-3: what nobody wants to hear any more is not told", async (t) => {
  const w = world();
  await w.store.saveDevice(ann, { deviceId: "phone", token: `x${SANDBOX_ADDRESSES.down}`, since: 1 }, 9);
  w.leave("order.driver_near", toAnn);
  await w.notifier.work();
  w.pass(10 * 60_000);
  await w.notifier.work();
  t.same(await w.states(), ["push dropped"]);
});

t.test("R-COM-3: what was settled long ago is forgotten, however much of it there is", async (t) => {
  const w = world({ keepMs: 1_000 });
  const drafts = Array.from({ length: 2_500 }, (_, n) => ({
    ...ann,
    ...({ notificationId: `n${n}`, kind: "order_confirmed", channel: "sms", subject: "order/o", facts: {} } as const),
    ...{ createdAt: START, expiresAt: START + 60_000 },
  }));
  await w.store.plan(drafts, []);
  for (const { notificationId, attempts } of await w.store.take(START, 60_000, 9_999, ["sms"])) {
    if (notificationId !== "n7") await w.store.settle(notificationId, attempts, { state: "sent" }, START);
  }
  w.pass(1_001);
  w.turn();
  for (let looks = 0; looks < 50 && (await w.states()).length > 1; looks++);
  t.same(await w.states(), ["sms waiting"]);
  await w.notifier.stop();
});

async function listen(t: Test, answer: (request: IncomingMessage, body: Buffer) => number): Promise<string> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.statusCode = answer(request, Buffer.concat(chunks));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
}

t.test(
  "R-COM-3: by webhook: signed, with the message's id; what passes is tried again, what does not is refused",
  async (t) => {
    const clock = systemClock();
    const secret = "a secret of the provider";
    const heard: { readonly signed: boolean; readonly key: string; readonly message: Message }[] = [];
    let status = 204;
    const url = await listen(t, ({ headers }, body) => {
      const signature = String(headers["swift-signature"]);
      heard.push({
        signed: isSigned([secret], signature, body, clock.now(), 60_000),
        key: Buffer.from(String(headers["idempotency-key"]), "base64url").toString(),
        message: JSON.parse(body.toString()) as Message,
      });
      return status;
    });
    const provider = webhookProvider({ url, secret, timeoutMs: 20_000 }, clock);
    const message: Message = {
      id: "order/ö/1/sms/0",
      channel: "sms",
      to: "+49",
      locale: "en",
      title: "T",
      text: "x",
      subject: "order/1",
    };
    await provider.send(message);
    t.same(heard, [{ signed: true, key: message.id, message }]);
    for (const passing of [503, 429]) {
      status = passing;
      await t.rejects(provider.send(message), { name: "NotificationUnavailable" });
    }
    status = 410;
    await t.rejects(provider.send(message), { name: "NotificationRefused" });
    const nobody = webhookProvider({ url: "http://127.0.0.1:9/", secret, timeoutMs: 20_000 }, clock);
    await t.rejects(nobody.send(message), { name: "NotificationUnavailable" });
  },
);

t.test("R-COM-3: pages of the list leave nothing out, also where several were given up in one instant", async (t) => {
  const w = world({}, {});
  for (const instant of [2, 3, 1]) {
    for (let n = 0; n < instant; n++) {
      const orderId = `o-${instant}-${n}`;
      w.leave("restaurant.alert", { restaurantName: "Ajiaco", orderId, step: "sms", devices: [] }, `r-${orderId}`);
    }
    w.pass(1_000);
  }
  await w.notifier.work();
  const operations = notificationOperations(w.store, w.clock);
  for (const limit of [1, 2, 3, 5, 6]) {
    const seen: string[] = [];
    let before: number | undefined;
    do {
      const query = { state: "dead", limit, ...(before === undefined ? {} : { before }) };
      const call = { caller: { id: "s1", role: "support" }, query } as never;
      const { value } = (await operations["notifications.list"](call)) as unknown as {
        readonly value: { readonly notifications: { readonly notificationId: string }[]; readonly nextBefore?: number };
      };
      seen.push(...value.notifications.map(({ notificationId }) => notificationId));
      before = value.nextBefore;
    } while (before !== undefined);
    t.equal(seen.length, 6, `${limit} a page`);
    t.equal(new Set(seen).size, 6);
  }
});
