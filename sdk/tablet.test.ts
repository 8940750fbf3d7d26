import t, { type Test } from "tap";
import { systemClock } from "../src/lib/clock.js";
import type { Json } from "../src/lib/json.js";
import { LoopbackNode } from "./fixtures/loopback-node.js";
import { createClient, type DurableStorage, Tablet, type TabletEntry, type TabletOptions } from "./node.js";

const clock = systemClock();
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => clock.after(2, resolve));
}

/** A disk that says when something is on it: only what was settled outlives a crash. */
class Disk {
  readonly #written = new Map<string, string>();
  stuck = false;
  broken = false;
  open(): DurableStorage {
    const texts = new Map(this.#written);
    const disk = this;
    return {
      getItem: (key) => texts.get(key) ?? null,
      setItem: (key, value) => void texts.set(key, value),
      removeItem: (key) => void texts.delete(key),
      async settled() {
        const now = new Map(texts);
        if (disk.broken) throw new Error("the disk is full");
        await until(() => !disk.stuck);
        for (const [key, value] of now) disk.#written.set(key, value);
      },
    };
  }
}

const order = (orderId: string, status = "confirmed") => ({
  orderId,
  lines: [],
  totals: { totalMinor: 100 },
  placedAt: 1,
  acceptBy: 2,
  ...(status === "" ? {} : { status }),
});

interface Page {
  readonly tablet: Tablet;
  readonly arrived: string[];
  close(): void;
}

async function world(t: Test) {
  const node = new LoopbackNode();
  const url = await node.listen();
  const disk = new Disk();
  /** What the node would answer to a comparison; null: it does not. */
  const truth: { open: (readonly [string, string])[] | null; missing: Json[]; asked: number } = {
    open: null,
    missing: [],
    asked: 0,
  };
  node.onCommand = () => {
    truth.asked++;
    if (truth.open === null) return [18, "unavailable", false, 0];
    return [17, { open: truth.open, missing: truth.missing, doors: { open: true }, graceMs: 1_000 }];
  };
  const pages: Page[] = [];
  const open = (pace: Pick<TabletOptions, "patienceMs" | "pollMs"> = {}): Page => {
    const client = createClient({ url, token: "token", deviceId: "counter", backoffBaseMs: 2, backoffMaxMs: 5 });
    const arrived: string[] = [];
    const tablet = new Tablet(
      { client, clock, restaurantId: "r", storage: disk.open(), compareEveryMs: 60_000, ...pace },
      { arrived: ({ orderId }: TabletEntry) => void arrived.push(orderId) },
    );
    tablet.start();
    const page = {
      tablet,
      arrived,
      close() {
        tablet.close();
        client.close();
      },
    };
    pages.push(page);
    return page;
  };
  t.teardown(async () => {
    for (const page of pages) page.close();
    await node.close();
  });
  return { node, disk, truth, open, channel: node.channel("restaurant:r") };
}

t.test("R-RST-4: an order is acknowledged only once the device's storage has it", async (t) => {
  const { node, disk, open, channel } = await world(t);
  channel.snapshot = { orders: [], doors: { open: true } };
  const page = open();
  await until(() => page.tablet.doors !== null);
  disk.stuck = true;
  node.push("restaurant:r", "order.new", { ...order("a", ""), attempt: 1 });
  await until(() => page.arrived.length === 1);
  await page.tablet.compare();
  t.equal(channel.trimmedTo, 0, "shown, and not yet stored");
  disk.stuck = false;
  await until(() => channel.trimmedTo === 1);
  disk.broken = true;
  node.push("restaurant:r", "order.new", { ...order("b", ""), attempt: 1 });
  await until(() => page.arrived.length === 2);
  await page.tablet.compare();
  t.equal(channel.trimmedTo, 1, "a full disk holds nothing: the node reaches for the restaurant by other ways");
});

t.test("R-RST-4: an order is new once: told again, over drops, and over reloads", async (t) => {
  const { node, disk, open, channel } = await world(t);
  channel.snapshot = { orders: [], doors: { open: true } };
  const first = open();
  await until(() => first.tablet.doors !== null);
  node.push("restaurant:r", "order.new", { ...order("a", ""), attempt: 1 });
  node.push("restaurant:r", "order.new", { ...order("a", ""), attempt: 2 });
  await until(() => channel.trimmedTo === 2);
  node.dropAll();
  node.push("restaurant:r", "order.new", { ...order("b", ""), attempt: 1 });
  node.push("restaurant:r", "order.changed", { orderId: "a", status: "accepted" });
  await until(() => channel.trimmedTo === 4);
  t.same(first.arrived, ["a", "b"]);
  first.close();
  node.push("restaurant:r", "order.new", { ...order("c", ""), attempt: 1 });
  node.push("restaurant:r", "order.alerted", { orderId: "c", step: "sms", at: 3 });
  const second = open();
  await until(() => channel.trimmedTo === 6);
  t.same(second.arrived, ["c"], "what the page before had shown is there, and is not new");
  t.same(
    [...second.tablet.orders.values()].map(({ orderId, status }) => [orderId, status]),
    [
      ["a", "accepted"],
      ["b", "confirmed"],
      ["c", "confirmed"],
    ],
  );
  t.same(second.tablet.orders.get("c")?.alerts, ["sms"]);
  // A page that dies before anything is stored: the next one gets the order again.
  disk.stuck = true;
  node.push("restaurant:r", "order.new", { ...order("d", ""), attempt: 1 });
  await until(() => second.arrived.length === 2);
  second.close();
  const third = open();
  await until(() => third.arrived.length === 1);
  t.same(third.arrived, ["d"]);
  disk.stuck = false;
  node.push("restaurant:r", "order.changed", { orderId: "d", status: "cancelled", reason: "no" });
  await until(() => third.tablet.orders.get("d")?.endedAt !== undefined);
  node.push("restaurant:r", "order.new", { ...order("d", ""), attempt: 2 });
  await until(() => channel.trimmedTo === 9);
  t.match(third.tablet.orders.get("d"), { status: "cancelled", reason: "no" }, "what is over does not come back");
});

t.test("R-RST-4: a snapshot and a comparison put right what differs, and count it", async (t) => {
  const { node, truth, open, channel } = await world(t);
  channel.snapshot = { orders: [order("a"), order("b")], doors: { open: false, paused: { reason: "why" } } };
  node.push("restaurant:r", "order.new", { ...order("a", ""), attempt: 1 });
  truth.open = [
    ["a", "confirmed"],
    ["b", "confirmed"],
  ];
  const page = open();
  await until(() => page.arrived.length === 2 && truth.asked > 0);
  await until(() => channel.trimmedTo === 1);
  await until(() => page.tablet.stats().compared > 0);
  t.match(page.tablet.stats(), { repaired: 0 }, "nothing differs");
  truth.open = [
    ["b", "preparing"],
    ["c", "confirmed"],
  ];
  truth.missing = [order("c")];
  await page.tablet.compare();
  t.equal(page.tablet.stats().repaired, 3);
  t.same(
    [...page.tablet.orders.values()].map(({ orderId, status }) => [orderId, status]),
    [
      ["b", "preparing"],
      ["c", "confirmed"],
    ],
  );
  t.same(page.arrived, ["a", "b", "c"]);
  truth.missing = [];
  truth.open = [["c", "confirmed"]];
  await page.tablet.compare();
  t.match(page.tablet.orders.get("b"), { status: "picked_up", endedAt: Number }, "its driver has it");
  t.equal(page.tablet.stats().repaired, 3, "which is no fault");
  t.same(
    node.arrivals.map(({ type }) => type).filter((type) => type !== "restaurant.tablet"),
    [],
  );
});

t.test(
  "R-RST-4 R-PRO-3: where no socket comes, orders come by polls: each new once, named only once it is stored",
  async (t) => {
    const { node, disk, truth, open, channel } = await world(t);
    const asked: { readonly holds: readonly string[] }[] = [];
    let missing: readonly Json[] = [];
    let statuses: readonly (readonly [string, string])[] = [];
    node.onHello = () => 4001;
    node.onRequest = (request, text, response) => {
      t.equal(request.url, "/v1/commands/restaurant.tablet");
      const body = JSON.parse(text) as { readonly holds: readonly string[] };
      asked.push(body);
      const lacks = (missing as readonly { readonly orderId: string }[]).filter(
        ({ orderId }) => !body.holds.includes(orderId),
      );
      response.writeHead(200, { "content-type": "application/json" });
      const drivers = statuses.some(([orderId]) => orderId === "a") ? [["a", { name: "Dave", vehicle: "car" }]] : [];
      response.end(JSON.stringify({ open: statuses, missing: lacks, drivers, doors: { open: true }, graceMs: 1_000 }));
    };
    let page = open({ patienceMs: 5, pollMs: 10 });
    await until(() => page.tablet.source === "poll");
    disk.stuck = true;
    missing = [order("a")];
    statuses = [["a", "confirmed"]];
    await until(() => page.arrived.length === 1);
    const before = asked.length;
    await until(() => asked.length > before + 2);
    t.ok(
      asked.every(({ holds }) => holds.length === 0),
      "what is not on the disk is not said to be here",
    );
    disk.stuck = false;
    await until(() => asked.at(-1)?.holds.length === 1);
    t.match(page.tablet.orders.get("a"), { driver: { name: "Dave" } }, "who comes for it, too");

    page.close();
    page = open({ patienceMs: 5, pollMs: 10 });
    await until(() => page.tablet.source === "poll");
    t.same([...page.tablet.orders.keys()], ["a"], "the device's storage outlives the page");
    t.same(page.arrived, [], "new once");
    page.tablet.mark("a", { status: "ready", promisedAt: 5 });
    statuses = [["a", "accepted"]];
    const marked = asked.length;
    await until(() => asked.length > marked + 1);
    t.match(page.tablet.orders.get("a"), { status: "ready", promisedAt: 5 }, "no status goes back");
    statuses = [];
    missing = [];
    await until(() => page.tablet.orders.get("a")?.status === "picked_up");
    t.same(page.tablet.stats(), { arrived: 0, compared: 0, repaired: 0 }, "what is the only way repairs nothing");

    // The socket begins with a snapshot: what it would tell of the time before is known already.
    node.push("restaurant:r", "order.new", { ...order("a", ""), attempt: 1 });
    channel.snapshot = { orders: [order("b")] };
    truth.open = [["b", "confirmed"]];
    node.onHello = () => null;
    await until(() => page.arrived.length === 1);
    t.same(page.arrived, ["b"]);
    t.equal(page.tablet.source, "socket");
  },
);

t.test(
  "R-RST-4: an order that leaves the house is told by a channel of its own, once, and nothing takes it back",
  async (t) => {
    const { node, truth, open } = await world(t);
    truth.open = [["a", "ready"]];
    truth.missing = [order("a", "ready")];
    const page = open();
    await until(() => page.arrived.length === 1);
    node.put("restaurant-state:r", "a", [1, 1], { orderId: "a", status: "picked_up", at: 7 });
    await until(() => page.tablet.orders.get("a")?.endedAt === 7);
    node.put("restaurant-state:r", "a", [1, 2], { orderId: "a", status: "delivered", at: 9 });
    await until(() => page.tablet.orders.get("a")?.status === "delivered");
    t.equal(page.tablet.orders.get("a")?.endedAt, 7, "it left the house then");
    node.put("restaurant-state:r", "x", [1, 3], { orderId: "x", status: "delivered", at: 9 });
    node.push("restaurant:r", "order.changed", { orderId: "a", status: "accepted" });
    node.push("restaurant:r", "order.new", { ...order("b", ""), attempt: 1 });
    await until(() => page.arrived.length === 2);
    t.same(
      [...page.tablet.orders.values()].map(({ orderId, status }) => `${orderId} ${status}`),
      ["a delivered", "b confirmed"],
    );
  },
);
