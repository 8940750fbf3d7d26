/**
 * What an order costs in things that can be counted, on any machine alike. A bound is what it takes now: whoever needs
 * more says why here, whoever needs less lowers it.
 */
import t from "tap";
import { at, createCity, customer, driver, must, restaurant } from "../fixtures/city.js";
import { Driver, Order } from "../mod.js";

/** From the placement until the last thing that a delivery causes. */
const MOST_COMMITS = 17;
/** The same where a restaurant has many at once, without the zone, whose watch beats for all. */
const MOST_COMMITS_IN_A_RUSH = 13.5;
/** What one actor tells another is a row until it has arrived: seven to driver and kitchen, three to the zone, two to the bank, two of the driver's. */
const MOST_TELLS = 14;
const MOST_QUERIES = 21;
const MOST_MESSAGES = 12;

t.test("R-BEN-1: commits, queries and messages of one order, from the tap to the captured payment", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.goOnline("d");
  await city.kit.advance(2_000);
  const { store } = city.kit;
  const before = { commits: store.committed.length, queries: store.calls };
  let messages = 0;
  city.kit.linkFault = () => {
    messages++;
    return null;
  };
  await must(city.place("o"));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 1 }, restaurant("r")));
  const offer = await city.offerTo("d");
  await must(city.drive("d", "acceptOffer", { offerId: offer.offerId }));
  await city.kit.advance(50);
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  await city.kit.advance(1_000);
  const state = await city.state("o");
  t.equal(state.payment.status, "captured");
  const commits = store.committed.length - before.commits;
  const queries = store.calls - before.queries;
  t.comment(`commits ${commits}, queries ${queries}, messages ${messages}`);
  t.ok(commits >= 8, "an order is not free: somebody counts");
  t.ok(commits <= MOST_COMMITS, `${commits} actor commits`);
  t.ok(queries <= MOST_QUERIES, `${queries} calls of the store`);
  t.ok(messages <= MOST_MESSAGES, `${messages} messages between the gateway and the actors`);
  await city.kit.close();
});

t.test("R-BEN-1: commits of an order where its restaurant has many at once", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const ids = Array.from({ length: 10 }, (_, i) => `o${i}`);
  for (const [i] of ids.entries()) await city.goOnline(`d${i}`, at(200 + 10 * i));
  await city.kit.advance(2_000);
  const before = city.kit.store.committed.length;
  // One every 60 ms, each taken as soon as it can be, each driver at once: as under load.
  const live = async (id: string, startMs: number): Promise<void> => {
    const tick = (ms: number) => new Promise<void>((resolve) => city.kit.clock.after(ms, resolve));
    const until = async (ready: () => Promise<boolean>) => {
      while (!(await ready())) await tick(10);
    };
    await tick(startMs);
    await city.kit.send(Order, id, "place", city.placement(), { caller: customer("c") });
    await until(async () => (await city.status(id)) === "confirmed");
    await Promise.all([
      city.kit.send(Order, id, "accept", { orderId: id, prepMinutes: 0 }, { caller: restaurant("r") }),
      city.kit.send(Order, id, "markReady", { orderId: id }, { caller: restaurant("r") }),
    ]);
    await until(async () => (await city.state(id)).delivery.status === "offered");
    const { delivery } = await city.state(id);
    const [offer] = delivery.status === "offered" ? delivery.offers : [];
    const { driverId, offerId } = offer!;
    await until(async () => (await city.driverState(driverId)).offers.some((card) => card.cardId === offerId));
    await city.kit.send(Driver, driverId, "acceptOffer", { offerId }, { caller: driver(driverId) });
    await until(async () => (await city.driverState(driverId)).work.status === "on_trip");
    await city.kit.send(Driver, driverId, "pickUp", { orderId: id }, { caller: driver(driverId) });
    await until(async () => (await city.status(id)) === "picked_up");
    await city.kit.send(Driver, driverId, "deliver", { orderId: id }, { caller: driver(driverId) });
  };
  await city.kit.run(() => Promise.all(ids.map((id, i) => live(id, 60 * i))));
  await city.kit.advance(2_000);
  for (const id of ids) t.equal((await city.state(id)).payment.status, "captured");
  const committed = city.kit.store.committed.slice(before);
  const kinds = committed.map(({ kind }) => kind);
  const count = (kind: string): number => kinds.filter((each) => each === kind).length / ids.length;
  const each = { order: count("order"), driver: count("driver"), restaurant: count("restaurant") };
  const total = each.order + each.driver + each.restaurant;
  const tells = committed.reduce((sum, write) => sum + write.tells.length, 0) / ids.length;
  t.ok(tells <= MOST_TELLS, `${tells} rows an order of what actors tell each other`);
  t.ok(total <= MOST_COMMITS_IN_A_RUSH, `${total} actor commits an order: ${JSON.stringify(each)}`);
  await city.kit.close();
});
