/**
 * One order from the customer's tap to the door, by the public protocol only: real actors, real engine, real gateway,
 * the memory store. A day passes sixty times faster.
 */
import t from "tap";
import {
  DECISION_EFFECT,
  decisionEffect,
  defaultDomainSettings,
  domainActors,
  inProcessDecisions,
  RATINGS_EFFECT,
  scaleDurations,
} from "../src/actors/domain/mod.js";
import { clock, eventually, startHarness, type TestSocket } from "../src/gateway/fixtures/harness.js";
import { NEXT_STATUS, OP, type OrderStatus, type OrderView } from "../src/protocol/mod.js";
import { inProcessProvider, paymentEffect } from "../src/services/payments/mod.js";
import { createRatingReader, driverRatingsEffect } from "../src/services/ratings/mod.js";
import { createMemoryRatings } from "../src/store/memory/mod.js";

type Frame = readonly unknown[];
const PROFILE = {
  name: "Lokanta",
  lat: 41.0,
  lng: 29.0,
  currency: "TRY",
  taxPerMille: 100,
  deliveryFeeMinor: 300,
  items: [
    { itemId: "soup", name: "Soup", priceMinor: 500 },
    { itemId: "bread", name: "Bread", priceMinor: 100, stock: 3 },
  ],
};
const ORDER = {
  restaurantId: "r1",
  lines: [{ itemId: "soup", quantity: 2, unitPriceMinor: 500 }],
  destination: { lat: 41.01, lng: 29.01 },
  currency: "TRY",
};

/** Fixes as fast as the test likes: how often a driver may send is proved elsewhere. */
const SETTINGS = {
  ...defaultDomainSettings,
  driver: { ...defaultDomainSettings.driver, gpsTokenMs: 1, gpsBurst: 1000 },
};

const after = (delayMs: number, run: () => void) => clock.after(delayMs, run);

async function city() {
  const bank = inProcessProvider(() => clock.now());
  const h = await startHarness({
    definitions: domainActors(scaleDurations(SETTINGS, 60)),
    effects: {
      payment: paymentEffect(bank),
      [RATINGS_EFFECT]: driverRatingsEffect(createRatingReader(createMemoryRatings())),
      [DECISION_EFFECT]: decisionEffect(inProcessDecisions(after, 5), SETTINGS.zone.decisionPatienceMs, after),
    },
    settings: { positionEveryMs: 1, gpsPerMinute: 6000, gpsBurst: 1000 },
  });
  let id = 0;
  const ask = async (socket: TestSocket, type: string, body: unknown, key = `key-${++id}`): Promise<Frame> => {
    const requestId = ++id;
    socket.send([OP.cmd, requestId, key, type, body]);
    return socket.next((frame) => (frame[0] === OP.reply || frame[0] === OP.err) && frame[1] === requestId);
  };
  const must = async <R>(socket: TestSocket, type: string, body: unknown, key?: string): Promise<R> => {
    const frame = await ask(socket, type, body, key);
    if (frame[0] !== OP.reply) throw new Error(`${type}: ${JSON.stringify(frame)}`);
    return frame[2] as R;
  };
  /** The newest event of this type, which may have come before the reply that was waited for. */
  const event = async (socket: TestSocket, type: string): Promise<Record<string, unknown>> => {
    const heard = () => socket.frames.findLast((frame) => frame[0] === OP.event && frame[3] === type);
    await eventually(type, () => heard() !== undefined);
    return heard()?.[5] as Record<string, unknown>;
  };
  return { h, bank, ask, must, event };
}

const isView = (frame: Frame) => frame[0] === OP.state && frame[2] === "view";
const isPosition = (frame: Frame) => frame[0] === OP.state && frame[2] === "position";

t.test("R-ORD-3 R-DSP-4 R-GPS-6 R-RST-4: placed, cooked, offered, driven, delivered", async (t) => {
  const { h, bank, ask, must, event } = await city();
  t.teardown(() => h.close());
  const tablet = await h.connect("restaurant", "r1", { codec: "json" });
  await must(tablet, "restaurant.configure", { restaurantId: "r1", profile: PROFILE });
  const admin = await h.connect("admin", "a1", { codec: "json" });
  await must(admin, "restaurant.status", { restaurantId: "r1", status: "verified" });
  tablet.send([OP.sub, 1, "restaurant:r1"]);
  await tablet.op(OP.subbed);
  const driver = await h.connect("driver", "d1");
  driver.send([OP.sub, 1, "driver:d1"]);
  await driver.op(OP.subbed);
  await must(driver, "driver.online", { name: "Deniz", vehicle: "bike", lat: 41.0, lng: 29.0 });
  let seq = 0;
  const drive = async (): Promise<void> => {
    seq++;
    driver.send([OP.gps, "boot", seq, clock.now(), [[0, 41 + seq / 10_000, 29.005, 5, -1, -1]]]);
    await driver.op(OP.gpsAck);
  };
  await drive();

  const customer = await h.connect("customer", "c1");
  let placed: { orderId: string; status: OrderStatus; totals: { totalMinor: number } } | null = null;
  await eventually("the menu is known", async () => {
    const frame = await ask(customer, "order.place", ORDER, "tap-1");
    if (frame[0] === OP.reply) placed = frame[2] as typeof placed;
    return placed !== null;
  });
  const { orderId, totals } = placed!;
  t.equal(totals.totalMinor, 1000 + 100 + 300, "R-ORD-6");
  customer.send([OP.sub, 2, `order:${orderId}`]);
  await customer.op(OP.subbed);
  const again = await h.connect("customer", "c1", { device: "second" });
  t.match(await ask(again, "order.place", ORDER, "tap-1"), [OP.reply, Number, { orderId }], "R-ORD-5: one order");
  again.send([OP.sub, 2, `order:${orderId}`]);

  t.match(await event(tablet, "order.new"), { orderId, totals });
  await must(tablet, "order.accept", { orderId, prepMinutes: 1 });
  await must(tablet, "order.ready", { orderId });
  const offer = await event(driver, "offer.made");
  t.equal(offer.orderId, orderId);
  await must(driver, "driver.accept", { offerId: offer.offerId });
  await event(driver, "trip.changed");
  await must(driver, "driver.arrived", { orderId, stop: "pickup" });
  await must(driver, "driver.pickup", { orderId });
  await customer.next((frame) => isView(frame) && (frame[6] as OrderView).status === "picked_up");
  await eventually("the customer sees the driver", async () => {
    await drive();
    return customer.all(isPosition).length > 0 && again.all(isPosition).length > 0;
  });
  const poll = () => h.http("GET", `/v1/orders/${orderId}/track`, { token: h.token("customer", "c1") });
  await eventually("so does a poll", async () => {
    await drive();
    return (await poll()).body.position !== undefined;
  });
  await must(driver, "driver.deliver", { orderId });
  for (let i = 0; i < 10; i++) await drive();
  const over = (frame: Frame) => isView(frame) && (frame[6] as OrderView).status === "delivered";
  for (const socket of [customer, again]) {
    await eventually("delivered", () => socket.frames.some(over));
    t.ok(socket.frames.findLastIndex(isPosition) < socket.frames.findIndex(over), "rule 12");
    const views = socket.all(isView).map((frame) => frame[6] as OrderView);
    for (const [i, view] of views.entries()) {
      const before = views[i - 1];
      if (before === undefined || before.status === view.status) continue;
      t.ok(view.version > before.version, "rule 3: the version rises");
    }
    const statuses = views
      .at(-1)!
      .timeline.map((entry) => entry.kind)
      .filter((kind): kind is OrderStatus => kind in NEXT_STATUS);
    for (const [i, status] of statuses.entries()) {
      if (i > 0) t.ok(NEXT_STATUS[statuses[i - 1]!].includes(status), `rule 3: ${statuses[i - 1]} → ${status}`);
    }
  }
  await eventually("the poll has ended", async () => (await poll()).body.view.status === "delivered");
  t.notOk((await poll()).body.position);
  await eventually("captured", () =>
    [...bank.book.authorisations().values()].some((each) => each.capturedMinor === totals.totalMinor),
  );
  const history = await h.http("GET", "/v1/orders", { token: h.token("customer", "c1") });
  t.match(history.body.orders, [{ orderId, status: "delivered" }], "R-TRK-5");
});
