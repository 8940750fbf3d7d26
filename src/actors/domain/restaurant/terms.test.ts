import t from "tap";
import { type MenuView, orderTotals } from "../../../protocol/mod.js";
import { at, type City, createCity, customer, must, restaurant } from "../fixtures/city.js";
import { type DomainSettings, defaultDomainSettings, domainActors, Order, Restaurant } from "../mod.js";

async function menuOf(city: City): Promise<MenuView> {
  const [row] = await city.kit.store.inner.queryIndex({ kind: "restaurant", keys: ["r"], limit: 1 });
  return row!.view as unknown as MenuView;
}

/** As the door does: by the menu that everybody reads. */
async function place(city: City, orderId: string, menu: MenuView): Promise<string> {
  const input = city.placement({ destination: at(900) });
  const totals = orderTotals(input.lines, menu);
  await must(city.kit.ask(Order, orderId, "place", { ...input, totals }, { caller: customer("c") }));
  await city.kit.advance(2_000);
  return city.status(orderId);
}

const withTerms = (serviceFeePerMille: number, defaultDeliveryRadiusMeters: number): DomainSettings => ({
  ...defaultDomainSettings,
  restaurant: { ...defaultDomainSettings.restaurant, serviceFeePerMille, defaultDeliveryRadiusMeters },
});

async function restartWith(city: City, settings: DomainSettings): Promise<void> {
  await city.kit.crash();
  city.kit.cluster.release(domainActors(settings));
  await city.kit.restart();
}

t.test(
  "R-ORD-1, R-ORD-6: the marketplace's own terms change, and no restaurant refuses its orders for that",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    const before = await menuOf(city);
    t.equal(before.serviceFeePerMille, undefined);
    await restartWith(city, withTerms(50, 1_000));
    t.equal(await place(city, "first", before), "confirmed", "at the price that everybody reads");
    const after = await menuOf(city);
    t.match(after, { serviceFeePerMille: 50, deliveryRadiusMeters: 1_000 });
    t.ok(after.menuVersion > before.menuVersion, "who keeps menus reads it again");
    t.equal(await place(city, "old-price", before), "rejected");
    t.match((await city.state("old-price")).closed, { refusal: { code: "price_changed", detail: { totals: Object } } });
    t.equal(await place(city, "new-price", after), "confirmed");
    const again = (await menuOf(city)).menuVersion;
    t.equal(again, after.menuVersion, "once");
    await city.kit.close();
  },
);

t.test("R-SRC-2: what changes twice within a millisecond has changed at two times", async (t) => {
  const city = createCity();
  const { kit } = city;
  await city.openRestaurant("r");
  const caller = restaurant("r");
  const edits = [800, 700, 600].map((priceMinor) =>
    kit.send(Restaurant, "r", "setItem", { itemId: "arepa", priceMinor }, { caller }),
  );
  await kit.run(() => Promise.all(edits));
  const shown = kit.store.committed.flatMap(({ kind, index }) => (kind === "restaurant" && index ? [index] : []));
  const times = new Map(shown.map(({ at, view }) => [(view as unknown as MenuView).menuVersion, at]));
  t.equal((await menuOf(city)).menuVersion, 4);
  t.ok(times.size > 1, `${times.size} of them were kept`);
  t.equal(new Set(times.values()).size, times.size, "who has read one of them asks for the next");
  await kit.close();
});
