import t from "tap";
import type { OrderView } from "../../../protocol/mod.js";
import { at, type City, createCity, customer, must, restaurant } from "../fixtures/city.js";
import { Order } from "../mod.js";
import { travelOf } from "../travel.js";
import { noteView, shownEta } from "./eta.js";
import type { OrderState, PlacedOrder } from "./state.js";
import { orderView } from "./view.js";

const MINUTE = 60_000;

const placed = async (city: City, orderId: string): Promise<PlacedOrder> => (await city.state(orderId)) as PlacedOrder;

async function view(city: City, orderId: string): Promise<OrderView> {
  return orderView(orderId, await placed(city, orderId));
}

const commitsOf = (city: City, orderId: string): number =>
  city.kit.store.committed.filter(({ kind, key }) => kind === "order" && key === orderId).length;

/** Metres north that the fixture's bicycle makes in so long, as the crow flies. */
function pace(city: City, ms: number): number {
  const { speedMetersPerSecond, streetFactor } = travelOf("bicycle", city.settings.travel);
  return ((speedMetersPerSecond / streetFactor) * ms) / 1000;
}

/** From the restaurant to the customer two kilometres north, with a fix every ten seconds. */
async function ride(city: City, metersPerFix: number): Promise<void> {
  for (let north = 0; north < 2_000; north += metersPerFix) {
    await city.fix("d", at(north));
    await city.kit.advance(10_000);
  }
}

t.test("R-ETA-1: from the restaurant's answer on the view says when, and each step says it better", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  const order = await placed(city, "o");
  const notes = (order.eta?.notes ?? []).map((note) => noteView(order, note));
  t.strictSame(
    notes.map(({ stage }) => stage).filter((stage, n, all) => stage !== all[n - 1]),
    ["placed", "confirmed", "kitchen", "assigned", "collecting", "picked_up"],
  );
  const { eta } = await view(city, "o");
  const last = shownEta(order);
  t.strictSame(eta, { from: last?.from, expected: last?.expected, to: last?.to });
  t.ok((eta?.expected ?? 0) > city.kit.now);
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  const over = await view(city, "o");
  t.equal(over.eta, undefined);
  t.equal(over.etaHistory?.length, notes.length);
  await city.kit.close();
});

t.test("R-ETA-1: a ride as expected costs the order no commit, and is told to it hardly ever", async (t) => {
  const commits: number[] = [];
  for (const moves of [false, true]) {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", "picked_up");
    if (moves) await ride(city, pace(city, 10_000));
    await must(city.drive("d", "deliver", { orderId: "o" }));
    await city.reach("o", "delivered");
    // The customer is told that the driver is near: an entry of its own, whatever the estimate says.
    const near = (await view(city, "o")).timeline.filter(({ kind }) => kind === "driver_near").length;
    commits.push(commitsOf(city, "o") - near);
    await city.kit.close();
  }
  t.equal(commits[1], commits[0]);
});

t.test("R-ETA-2: the router's way round a river is no pace for the driver's way to the restaurant", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const way = { meters: 6_000, durationMs: 15 * MINUTE };
  const placement = { ...city.placement({ destination: at(300) }), way };
  await must(city.kit.ask(Order, "o", "place", placement, { caller: customer("c") }));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 10 }, restaurant("r")));
  await city.goOnline("d", at(-3_000));
  await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
  await city.kit.advance(1_000);
  const { eta, timeline } = await view(city, "o");
  const left = ((eta?.expected ?? 0) - city.kit.now) / MINUTE;
  // Sixteen minutes of bicycle, then twenty-three round the river, and two doors.
  t.ok(left > 35 && left < 55, `${left.toFixed(1)} minutes`);
  t.notOk(timeline.some(({ reason }) => /^\d{3} min later/.test(reason ?? "")));
  await city.kit.close();
});

t.test("R-ETA-1, R-ETA-4: a driver who is stuck moves the range, and the customer is told, not flooded", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  const before = (await view(city, "o")).eta?.expected ?? 0;
  const commits = commitsOf(city, "o");
  for (let n = 0; n < 12 * 6; n++) {
    await city.fix("d", at(50 + (n % 2)));
    await city.kit.advance(10_000);
  }
  const stuck = await view(city, "o");
  t.ok((stuck.eta?.expected ?? 0) > before + 8 * MINUTE, "twelve minutes later it is at least eight later");
  const pickedUpAt = stuck.timeline.find(({ kind }) => kind === "picked_up")?.at ?? 0;
  const told = stuck.timeline.filter(({ kind, at }) => kind === "eta_changed" && at > pickedUpAt);
  t.ok(told.length >= 1 && told.length <= 2, `${told.length} times`);
  t.match(told[0]?.reason, /^\d+ min later: the road$/);
  t.ok(commitsOf(city, "o") - commits <= 8, `${commitsOf(city, "o") - commits} commits in twelve minutes of standing`);
  t.equal(stuck.version, (await city.state("o")).revision);
  await city.kit.close();
});

t.test(
  "R-ETA-1, R-ETA-4: an arrival that nobody works on does not pass unseen: no driver, or no word of the kitchen",
  async (t) => {
    for (const isReady of [true, false]) {
      const city = createCity();
      await city.openRestaurant("r");
      await must(city.place("o"));
      await city.reach("o", "confirmed");
      await must(city.order("o", "accept", { orderId: "o", prepMinutes: 10 }, restaurant("r")));
      const commits = commitsOf(city, "o");
      let passedMs = 0;
      for (let minute = 0; minute < 38; minute++) {
        await city.kit.advance(MINUTE);
        if (isReady && minute === 10) await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
        const { eta } = await view(city, "o");
        passedMs = Math.max(passedMs, city.kit.now - (eta?.to ?? 0));
      }
      t.ok(
        passedMs < 2 * MINUTE,
        `ready ${isReady}: it passed ${Math.round(passedMs / MINUTE)} minutes before it was said`,
      );
      const { timeline } = await view(city, "o");
      const told = timeline.filter(({ kind }) => kind === "eta_changed").length;
      t.ok(told >= 3 && told <= 6, `told ${told} times in half an hour`);
      t.ok(commitsOf(city, "o") - commits < 24, `${commitsOf(city, "o") - commits} commits`);
      await city.kit.close();
    }
  },
);

t.test("R-ETA-3: a kitchen that takes longer than it says is expected to, order after order", async (t) => {
  const city = createCity();
  await city.openRestaurant("r", { items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, prepMinutes: 10 }] });
  await city.goOnline("d");
  const keepAlive = async (minutes: number): Promise<void> => {
    for (let n = 0; n < minutes * 2; n++) {
      await city.fix("d", at(20 + n));
      await city.kit.advance(30_000);
    }
  };
  const cook = async (orderId: string): Promise<PlacedOrder> => {
    await must(city.place(orderId));
    await city.reach(orderId, "confirmed");
    await must(city.order(orderId, "accept", { orderId, prepMinutes: 10 }, restaurant("r")));
    const accepted = await placed(city, orderId);
    // Twenty minutes where ten were promised; the driver comes three minutes after it is ready.
    for (let half = 0; half < 40; half++) {
      await keepAlive(0.5);
      const card = (await city.driverState("d")).offers[0];
      if (card !== undefined) await must(city.drive("d", "acceptOffer", { offerId: card.cardId }));
    }
    await must(city.order(orderId, "markReady", { orderId }, restaurant("r")));
    await keepAlive(3);
    await must(city.drive("d", "pickUp", { orderId }));
    await city.reach(orderId, "picked_up");
    await keepAlive(1);
    await must(city.drive("d", "arrived", { orderId, stop: "dropoff" }));
    await must(city.drive("d", "deliver", { orderId }));
    await city.reach(orderId, "delivered");
    return accepted;
  };
  const minutesOf = ({ eta, timeline }: OrderState): number =>
    ((eta?.readyAt ?? 0) - (timeline.find(({ kind }) => kind === "accepted")?.at ?? 0)) / MINUTE;
  const first = await cook("o1");
  t.ok(Math.abs(minutesOf(first) - 10) < 0.5, `at first its word is taken: ${minutesOf(first)} min`);
  for (const orderId of ["o2", "o3", "o4", "o5", "o6"]) await cook(orderId);
  const last = await cook("o7");
  t.ok(minutesOf(last) > 14.5, `then it is corrected: ${minutesOf(last)} min`);
  t.ok((last.outlook?.prepMs ?? 0) > 14 * MINUTE, "the menu's time too");
  const { preparation } = await city.stock("r");
  t.ok((preparation?.paceError[1] ?? 0) >= 5, "each order taught once");
  // What the zone learned came back with the orders, and was written down.
  t.ok((last.outlook?.zone?.lagMs ?? 0) > city.settings.travel.handoverMs, "food waits three minutes here, not two");
  t.ok(city.kit.store.committed.some(({ kind }) => kind === "eta-model"));
  await city.kit.close();
});
