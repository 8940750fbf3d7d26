/** The horizon when whoever thinks for it is slow, silent or broken. */
import t from "tap";
import type { Point } from "../../../lib/geo.js";
import { at, type City, createCity, must, restaurant } from "../fixtures/city.js";
import { cardOf, twoOrders } from "../fixtures/pair.js";
import { type DecisionPool, type DomainSettings, defaultDomainSettings as day, solveQuestion } from "../mod.js";

const horizon: DomainSettings = { ...day, zone: { ...day.zone, dispatch: "horizon" } };

/** Pools that let a zone down, each in its own way. */
const broken: Record<string, (asked: () => void) => DecisionPool> = {
  "never answers": (asked) => ({
    solve: () => {
      asked();
      return new Promise(() => {});
    },
  }),
  throws: (asked) => ({
    solve: () => {
      asked();
      return Promise.reject(new Error("out of threads"));
    },
  }),
};

for (const [how, make] of Object.entries(broken)) {
  t.test(`R-DSP-1: with a pool that ${how} every order finds a driver all the same`, async (t) => {
    let asked = 0;
    const city = createCity({ settings: horizon, decisions: make(() => asked++) });
    await city.openRestaurant("r");
    await city.goOnline("d", at(100));
    await city.goOnline("d2", at(200));
    await twoOrders(city, 0);
    await city.kit.advance(horizon.zone.decisionPatienceMs * 3);
    const holders = [];
    for (const orderId of ["a", "b"]) {
      const { delivery } = await city.state(orderId);
      if (delivery.status === "offered") holders.push(delivery.offers[0]?.driverId);
    }
    t.same(holders.sort(), ["d", "d2"]);
    t.ok(asked >= 1);
    t.same(city.kit.logs, []);
    await city.kit.close();
  });
}

t.test("R-DSP-2: while the pool is silent, the plan that it made before is kept to", async (t) => {
  let silent = false;
  const city: City = createCity({
    settings: horizon,
    decisions: {
      solve: async (question) => {
        if (silent) return new Promise(() => {});
        const answer = solveQuestion(question);
        const isClose = (dueAt: number): boolean => dueAt > city.kit.now + 5_000 && dueAt < city.kit.now + 40_000;
        silent = answer.tentative.some(({ orderIds, dueAt }) => orderIds.length === 2 && isClose(dueAt));
        return answer;
      },
    },
  });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city, 4);
  const pass = async () => {
    await city.kit.advance(1_000);
    await city.fix("d", at(100));
  };
  while (!silent) await pass();
  // Taken one by one, the orders would go to both of them.
  await city.goOnline("d2", at(100));
  while ((await city.state("a")).offersMade.newest.length === 0) await pass();
  await city.kit.advance(1_000);
  for (const orderId of ["a", "b"]) {
    const [offer] = (await city.state(orderId)).offersMade.newest;
    t.match(offer, { by: "horizon", evidence: { terms: { sharingMs: Number } } });
    t.same([...(offer?.orderIds ?? [])].sort(), ["a", "b"], "one trip, as it was planned");
  }
  await city.kit.close();
});

t.test(
  "R-DSP-2: where thinking takes long, whoever comes free gets the next trip of the last plan at once",
  async (t) => {
    const thinkMs = 20_000;
    const settings = { ...horizon, zone: { ...horizon.zone, decisionPatienceMs: 60_000 } };
    let asked = 0;
    const city: City = createCity({
      settings,
      decisions: {
        solve: (question) =>
          new Promise((resolve) => {
            asked++;
            city.kit.clock.after(thinkMs, () => resolve(solveQuestion(question)));
          }),
      },
    });
    await city.openRestaurant("r");
    await city.goOnline("d", at(100));
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        await city.kit.advance(5_000);
        await city.fix("d", at(100));
      }
    };
    // Two who live far apart: two trips, one after the other.
    for (const [index, orderId] of ["a", "b"].entries()) {
      await must(city.place(orderId, { customerId: `c-${orderId}`, destination: at(index === 0 ? 3_000 : -3_000) }));
      await city.reach(orderId, "confirmed");
      await must(city.order(orderId, "accept", { orderId, prepMinutes: 0 }, restaurant("r")));
      await must(city.order(orderId, "markReady", { orderId }, restaurant("r")));
    }
    const card = await cardOf(city, "d", 1);
    await must(city.drive("d", "acceptOffer", { offerId: card.offerId }));
    await pass(4 * thinkMs);
    await must(city.drive("d", "pickUp", { orderId: card.orderId }));
    await pass(4 * thinkMs);
    // Free right after a question that did not know of it.
    const before = asked;
    while (asked === before) await pass(5_000);
    await must(city.drive("d", "deliver", { orderId: card.orderId }));
    await city.kit.advance(500);
    t.equal(asked, before + 1, "no other plan can have been made");
    t.equal((await city.driverState("d")).offers.length, 1, "the other order");
    await city.kit.close();
  },
);

t.test("R-DSP-1: of an answer that is out of date only what still holds is proposed", async (t) => {
  let spoil = true;
  const city = createCity({
    settings: horizon,
    decisions: {
      solve: async (question) => {
        const answer = solveQuestion(question);
        if (!spoil) return answer;
        const trips = answer.trips.map((trip) => ({ ...trip, orderIds: [...trip.orderIds, "gone"] }));
        return { ...answer, trips };
      },
    },
  });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city, 0);
  for (let i = 0; i < 10; i++) {
    await city.kit.advance(2_000);
    await city.fix("d", at(100));
  }
  t.same((await city.driverState("d")).offers, [], "one order of every trip is not there");
  spoil = false;
  t.equal((await cardOf(city, "d", 2)).orderIds.length, 2);
  await city.kit.close();
});

t.test("R-DSP-1: a crash while the pool thinks loses the answer and nothing else", async (t) => {
  let hold = true;
  const waiting: (() => void)[] = [];
  const city = createCity({
    settings: horizon,
    decisions: {
      solve: (question) =>
        new Promise((resolve) => {
          if (hold) waiting.push(() => resolve(solveQuestion(question)));
          else resolve(solveQuestion(question));
        }),
    },
  });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city, 0);
  while (waiting.length === 0) await city.kit.advance(100);
  await city.kit.crash();
  await city.kit.restart();
  for (const answer of waiting) answer();
  hold = false;
  await city.kit.advance(1_000);
  t.same((await city.driverState("d")).offers, [], "an answer to a question of before");
  await city.goOnline("d", at(100));
  t.equal((await cardOf(city, "d", 2)).orderIds.length, 2);
  await city.kit.close();
});

t.test("R-DSP-2: no order is kept for the driver who stands at the counter of a kitchen that is late", async (t) => {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  const online = (id: string, where: Point) => city.drive(id, "goOnline", { name: id, vehicle: "car", ...where });
  await must(online("waits", at(50)));
  await must(city.place("late", { destination: at(1_000) }));
  await city.reach("late", "confirmed");
  await must(city.order("late", "accept", { orderId: "late", prepMinutes: 1 }, restaurant("r")));
  await must(city.drive("waits", "acceptOffer", { offerId: (await city.offerTo("waits")).offerId }));
  await must(online("free", at(6_000)));
  await must(city.place("next", { destination: at(1_500) }));
  await city.reach("next", "confirmed");
  await must(city.order("next", "accept", { orderId: "next", prepMinutes: 0 }, restaurant("r")));
  await must(city.order("next", "markReady", { orderId: "next" }, restaurant("r")));
  const readyAt = city.kit.now;
  const waitedMs = () => city.kit.now - readyAt;
  while ((await city.driverState("free")).offers.length === 0 && waitedMs() < 30 * 60_000) {
    await city.kit.advance(10_000);
    await city.fix("waits", at(20));
    await city.fix("free", at(6_000));
  }
  // As the kitchen was said to be done any minute, the order waited for an hour, until there was no driver for it.
  t.ok(waitedMs() < 20 * 60_000, `asked after ${waitedMs() / 60_000} minutes`);
  await city.kit.close();
});
