import t from "tap";
import { createCity, customer, driver, restaurant } from "../fixtures/city.js";
import { Driver, defaultDomainSettings, Order } from "../mod.js";

const broadcast = {
  ...defaultDomainSettings,
  order: { ...defaultDomainSettings.order, offerMode: "broadcast", broadcastSize: 2 },
  // It is about claims: the way to them is the short one.
  zone: { ...defaultDomainSettings.zone, dispatch: "simple" },
} as const;

t.test("R-DSP-4, rules 5 and 6: two drivers accept one order at the same instant, 1,000 times", async (t) => {
  const city = createCity({ settings: broadcast, seed: 11 });
  const { kit } = city;
  // Forty towns too far apart to see each other's drivers, each with one race at a time.
  const towns = Array.from({ length: 40 }, (_, town) => ({
    restaurantId: `r${town}`,
    where: { lat: town - 20, lng: 10 },
    drivers: [`d${town}a`, `d${town}b`] as const,
  }));
  const all = <T>(work: (town: (typeof towns)[number]) => readonly Promise<T>[]): Promise<T[]> =>
    kit.run(() => Promise.all(towns.flatMap(work)));
  for (const { restaurantId, where } of towns) await city.openRestaurant(restaurantId, where);
  let wins = 0;
  const first = new Map<string, number>();
  for (let round = 0; round < 25; round++) {
    const orderOf = (town: (typeof towns)[number]) => `${town.restaurantId}-${round}`;
    await all(({ where, drivers }) =>
      drivers.map((id) =>
        kit.send(Driver, id, "goOnline", { name: id, vehicle: "car", ...where }, { caller: driver(id) }),
      ),
    );
    await all((town) => {
      const input = city.placement({ restaurantId: town.restaurantId, destination: town.where });
      return [kit.send(Order, orderOf(town), "place", input, { caller: customer("c") })];
    });
    await kit.advance(400);
    await all((town) => {
      const orderId = orderOf(town);
      return [
        kit.send(Order, orderId, "accept", { orderId, prepMinutes: 0 }, { caller: restaurant(town.restaurantId) }),
      ];
    });
    await kit.advance(200);
    const offers = new Map<string, string>();
    for (const { drivers } of towns) {
      for (const id of drivers) offers.set(id, (await city.offerTo(id)).offerId);
    }
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    await all(({ drivers }) =>
      order.map((index) => {
        const id = drivers[index]!;
        return kit.send(Driver, id, "acceptOffer", { offerId: offers.get(id)! }, { caller: driver(id) });
      }),
    );
    await kit.advance(100);
    const winners = new Map<string, string>();
    for (const town of towns) {
      const { delivery } = await city.state(orderOf(town));
      if (delivery.status !== "assigned") throw new Error(`${orderOf(town)}: ${delivery.status}`);
      const winner = delivery.driver.driverId;
      const loser = town.drivers.find((id) => id !== winner)!;
      const won = (await city.driverState(winner)).work.status === "on_trip";
      const free = (await city.driverState(loser)).work.status === "free";
      if (won && free) wins++;
      winners.set(town.restaurantId, winner);
      first.set(winner.at(-1)!, (first.get(winner.at(-1)!) ?? 0) + 1);
    }
    for (const name of ["pickUp", "deliver"] as const) {
      await all((town) => {
        const id = winners.get(town.restaurantId)!;
        return [kit.send(Driver, id, name, { orderId: orderOf(town) }, { caller: driver(id) })];
      });
    }
    await kit.advance(300);
  }
  t.equal(wins, 1_000, "exactly one winner each time, and the loser free");
  t.same([...first.keys()].sort(), ["a", "b"], "sometimes the one, sometimes the other");
  t.same(kit.logs, []);
  await kit.close();
});
