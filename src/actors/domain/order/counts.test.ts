/**
 * What an order costs in things that can be counted, on any machine alike. A bound is what it takes now: whoever needs
 * more says why here, whoever needs less lowers it.
 */
import t from "tap";
import { createCity, must, restaurant } from "../fixtures/city.js";

/** From the placement until the last thing that a delivery causes. */
const MOST_COMMITS = 20;
const MOST_QUERIES = 26;
const MOST_MESSAGES = 18;

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
