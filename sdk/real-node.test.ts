/** The client against a real node: its own process, real Postgres, real sockets, and a proxy that cuts lines. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { sleep, systemClock } from "../src/lib/clock.js";
import { type Random, seededRandom } from "../src/lib/random.js";
import { CuttingProxy } from "./fixtures/cutting-proxy.js";
import { startNode, until } from "./fixtures/node-process.js";
import {
  type Client,
  courier,
  createClient,
  createHttp,
  customer,
  type DriverSnapshot,
  kitchen,
  NEXT_STATUS,
  type OrderView,
  type PlacedReply,
  type PlaceOrder,
  type RestaurantProfile,
  type SocketConstructor,
  Tablet,
  type TrackedOrder,
  watchWork,
} from "./node.js";

const clock = systemClock();

const PROFILE: RestaurantProfile = {
  name: "Trattoria",
  lat: 50.85,
  lng: 4.35,
  currency: "EUR",
  deliveryRadiusMeters: 20_000,
  kitchenCapacity: 1000,
  items: [{ itemId: "pizza", name: "Pizza", priceMinor: 1100, prepMinutes: 5 }],
};
const ORDER: PlaceOrder = {
  restaurantId: "trattoria",
  lines: [{ itemId: "pizza", quantity: 1, unitPriceMinor: 1100 }],
  destination: { lat: 50.86, lng: 4.36 },
  currency: "EUR",
};

/** The view without its expectation, which moves on with the time of asking. */
function settled({ eta: _eta, ...rest }: OrderView): Omit<OrderView, "eta"> {
  return rest;
}

const dataDir = mkdtempSync(join(tmpdir(), "se-sdk-"));
const node = await startNode(dataDir, 0, [
  ...["--time-scale", "20"],
  // Cut lines make resends, which count; the limits have tests of their own.
  ...["--gateway.tierRates.order.perMinute", "60000", "--gateway.tierRates.order.burst", "2000"],
]);
const open: { close(): unknown }[] = [];
t.teardown(async () => {
  for (const each of open) await each.close();
  await node.end("SIGTERM");
  rmSync(dataDir, { recursive: true, force: true });
});

const http = createHttp({ url: node.url });
const [customerToken, kitchenToken, driverToken, otherToken, adminToken] = (await http.issueTokens({
  operatorSecret: node.operatorSecret,
  principals: [
    { id: "carol", role: "customer" },
    { id: "trattoria", role: "restaurant" },
    { id: "dave", role: "driver" },
    { id: "mallory", role: "customer" },
    { id: "admin", role: "admin" },
  ],
  ttlSeconds: 3600,
})) as [string, string, string, string, string];

/** A client whose line is cut at random; `share` of the chunks do not survive. */
async function shakyClient(token: string, random: Random, share: number): Promise<[Client, CuttingProxy]> {
  const proxy = new CuttingProxy(Number(new URL(node.url).port));
  const port = await proxy.listen();
  // How many chunks there are depends on the machine: one of the first is always cut, so that there is something to survive.
  let chunks = 0;
  proxy.cuts = () => ++chunks === 9 || random.next() < share;
  const client = createClient({ url: `http://127.0.0.1:${port}`, token, backoffBaseMs: 10, backoffMaxMs: 60 });
  open.push(client, proxy);
  client.connect();
  return [client, proxy];
}

function steadyClient(token: string): Client {
  const client = createClient({ url: node.url, token });
  open.push(client);
  client.connect();
  return client;
}

await createHttp({ url: node.url, token: adminToken }).configureRestaurant("trattoria", PROFILE);

t.test(
  "R-TRK-1 R-TRK-3 R-GPS-6: one order by socket over cut lines, by polling and by server-sent events",
  async (t) => {
    const random = seededRandom(7);
    const driver = steadyClient(driverToken);
    const dave = courier(driver);
    const offers: string[] = [];
    let trips = 0;
    dave.work("dave", {
      event: (event) => {
        if (event.type === "offer.made") offers.push(event.body.offerId);
        if (event.type === "trip.changed" && event.body.trip !== null) trips += 1;
      },
    });
    await dave.goOnline({ name: "Dave", vehicle: "bicycle", lat: 50.851, lng: 4.351 });
    await until("the word to send positions", () => driver.gps.policy.send);

    const cook = kitchen(steadyClient(kitchenToken));
    const [buyer, proxy] = await shakyClient(customerToken, random, 0.05);
    const carol = customer(buyer);
    const { orderId } = await carol.place(ORDER);
    const views: OrderView[] = [];
    const positions: number[] = [];
    carol.watch(orderId, {
      view: (view) => views.push(view),
      position: ({ at }) => positions.push(at),
    });
    const polled: TrackedOrder[] = [];
    const streamed: TrackedOrder[] = [];
    const reader = createHttp({ url: node.url, token: customerToken });
    const reading = Promise.all([
      (async () => {
        for await (const tracked of reader.follow(orderId, { everyMs: 300 })) polled.push(tracked);
      })(),
      (async () => {
        for await (const tracked of reader.stream(orderId)) streamed.push(tracked);
      })(),
    ]);

    let step = 0;
    let moving = true;
    const ride = (async () => {
      while (moving) {
        driver.gps.offer({ lat: 50.851 + step * 0.0003, lng: 4.351 + step * 0.0003, accuracyMeters: 8 });
        step += 1;
        await sleep(clock, 1000);
      }
    })();
    const status = (): string => views.at(-1)?.status ?? "none";
    await until("confirmed", () => status() === "confirmed");
    await cook.accept(orderId, 1);
    await cook.ready(orderId);
    // Other orders of the town may be offered first: dave takes the one he is asked for.
    await until("an offer", () => offers.length > 0);
    for (let next = 0; trips === 0; next++) {
      await until("another offer", () => offers.length > next || trips > 0);
      if (trips === 0) await dave.accept(offers[next]!).catch(() => {});
      await sleep(clock, 300);
    }
    await dave.arrived(orderId, "pickup");
    await dave.pickUp(orderId);
    await until("the driver on the customer's map", () => positions.length >= 2);
    await until("the driver on the polled map", () => polled.some(({ position }) => position !== undefined));
    await dave.arrived(orderId, "dropoff");
    await dave.deliver(orderId);
    await until("delivered", () => status() === "delivered");
    moving = false;
    await Promise.all([reading, ride]);

    const versions = views.map(({ version }) => version);
    t.same(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
      "versions rise",
    );
    for (const seen of [views, polled.map(({ view }) => view), streamed.map(({ view }) => view)]) {
      t.equal(seen.at(-1)?.status, "delivered");
      for (const view of seen) {
        const pushed = views.find(({ version }) => version === view.version);
        // A socket that was cut may have missed a version in between; the ones it has are the same everywhere.
        if (pushed !== undefined)
          t.same(settled(view), settled(pushed), `version ${view.version} is the same view whichever way it comes`);
      }
      t.notOk(
        seen.slice(1).some((view, i) => NEXT_STATUS[view.status].includes(seen[i]!.status)),
        "no status goes back",
      );
    }
    t.same(
      positions,
      [...positions].sort((a, b) => a - b),
      "positions never go back in time",
    );
    t.notOk(polled.at(-1)?.position, "and no longer after the delivery");
    t.comment(`${proxy.cutsMade} cuts, ${views.length} views, ${positions.length} positions`);
    await dave.goOffline();
    await until("the word to stop", () => !driver.gps.policy.send);
  },
);

/** A network that lets no socket through. */
class Blocked {
  constructor() {
    throw new Error("blocked");
  }
}

t.test(
  "R-PRO-3 R-RST-4 R-GPS-2: where no socket comes through, a kitchen and a driver bring an order to the door",
  async (t) => {
    const behind = (token: string): Client => {
      const client = createClient({
        url: node.url,
        token,
        WebSocket: Blocked as unknown as SocketConstructor,
        commandsByHttpAfterMs: 20,
        backoffBaseMs: 50,
        backoffMaxMs: 200,
      });
      open.push(client);
      client.connect();
      return client;
    };
    const pace = { patienceMs: 20, pollMs: 100 };
    const driver = behind(driverToken);
    const dave = courier(driver);
    let work: DriverSnapshot | null = null;
    const watch = watchWork(driver, "dave", { snapshot: (next) => (work = next) }, pace);
    const snapshot = (): DriverSnapshot | null => work;
    await dave.goOnline({ name: "Dave", vehicle: "bicycle", lat: 50.851, lng: 4.351 });
    await until("the word to send positions", () => driver.gps.policy.send);
    const cooks = behind(kitchenToken);
    const cook = kitchen(cooks);
    const tablet = new Tablet({ client: cooks, clock, restaurantId: "trattoria", storage: null, ...pace });
    open.push(tablet);
    tablet.start();
    const buyer = createHttp({ url: node.url, token: customerToken });
    let moving = true;
    const ride = (async () => {
      for (let step = 0; moving; step++) {
        driver.gps.offer({ lat: 50.851 + step * 0.0003, lng: 4.351 + step * 0.0003, accuracyMeters: 8 });
        await sleep(clock, 500);
      }
    })();

    const { orderId } = await buyer.placeOrder(ORDER);
    await until("the order at the tablet", () => tablet.orders.has(orderId));
    await cook.accept(orderId, 1);
    await cook.ready(orderId);
    while (snapshot()?.trip == null) {
      const [offer] = snapshot()?.offers ?? [];
      if (offer !== undefined) await dave.accept(offer.offerId).catch(() => {});
      await sleep(clock, 100);
    }
    await until("who comes for it, at the tablet", () => tablet.orders.get(orderId)?.driver?.name === "Dave");
    await dave.arrived(orderId, "pickup");
    await dave.pickUp(orderId);
    while ((await buyer.track(orderId)).position === undefined) await sleep(clock, 100);
    await until("that it left, at the tablet", () => tablet.orders.get(orderId)?.status === "picked_up");
    await dave.deliver(orderId);
    while ((await buyer.order(orderId)).status !== "delivered") await sleep(clock, 100);
    moving = false;
    await ride;
    t.equal(watch.source, "poll");
    t.equal(tablet.source, "poll");
    t.equal(tablet.stats().repaired, 0);
    await dave.goOffline();
    watch.stop();
  },
);

t.test("R-ORD-5 R-RST-4: cut lines on both sides, each order placed once, seen once, accepted once", async (t) => {
  const random = seededRandom(42);
  const [cook, cookProxy] = await shakyClient(kitchenToken, random, 0.1);
  const seen: string[] = [];
  const offsets: number[] = [];
  const accepted: Promise<unknown>[] = [];
  let known = 0;
  const mine = kitchen(cook);
  const arrive = (orderId: string): void => {
    seen.push(orderId);
    accepted.push(mine.accept(orderId, 5));
  };
  cook.subscribe("restaurant:trattoria", {
    state: ({ body }) => {
      known += 1;
      for (const { orderId } of (body as unknown as { orders: { orderId: string }[] }).orders) arrive(orderId);
    },
    event: ({ offset, type, body }) => {
      offsets.push(offset);
      const { orderId, attempt } = body as { orderId: string; attempt?: number };
      // Redelivery of what nobody has accepted yet is the restaurant's own doing; it says so by `attempt`.
      if (type === "order.new" && attempt === 1) arrive(orderId);
    },
  });
  await until("the inbox", () => known === 1);

  const [buyer, buyerProxy] = await shakyClient(customerToken, random, 0.08);
  const count = 40;
  const keys = Array.from({ length: count }, (_, i) => `order-${i}`);
  const placed: PlacedReply[] = await Promise.all(
    keys.map((idempotencyKey) => customer(buyer).place(ORDER, { idempotencyKey })),
  );
  t.equal(new Set(placed.map(({ orderId }) => orderId)).size, count, "as many orders as keys");
  const again = await Promise.all(keys.map((idempotencyKey) => customer(buyer).place(ORDER, { idempotencyKey })));
  t.same(
    again.map(({ orderId }) => orderId),
    placed.map(({ orderId }) => orderId),
    "the same keys give the same orders",
  );
  t.ok(buyerProxy.cutsMade > 0 && cookProxy.cutsMade > 0, `${buyerProxy.cutsMade} and ${cookProxy.cutsMade} cuts`);
  await until("all orders at the tablet", () => seen.length >= count);
  await Promise.all(accepted);
  t.same([...seen].sort(), placed.map(({ orderId }) => orderId).sort(), "each order came to the tablet once");
  t.same(
    offsets,
    offsets.map((_, i) => offsets[0]! + i),
    "no gap, no repeat",
  );
  t.equal(known, 1, "every reconnect resumed");
  cook.close();
  buyer.close();
});

t.test("R-ACC-3: another's order is not found, whichever way it is asked for", async (t) => {
  const reply = await customer(steadyClient(customerToken)).place(ORDER);
  const stranger = steadyClient(otherToken);
  const code = await new Promise((resolve) =>
    customer(stranger).watch(reply.orderId, { ended: (error) => resolve(error.code) }),
  );
  t.equal(code, "not_found");
  await t.rejects(stranger.http.track(reply.orderId), { code: "not_found" });
  await t.rejects(stranger.http.stream(reply.orderId).next(), { code: "not_found" });
  await t.rejects(customer(stranger).cancel(reply.orderId, "mine now"), { code: "not_found" });
});

t.test("R-PRO-1: a token that is none closes for good", async (t) => {
  const client = createClient({ url: node.url, token: "not.a.token" });
  open.push(client);
  await t.rejects(client.ready(), { code: "closed", detail: { code: 4500 } });
});
