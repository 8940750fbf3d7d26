import t from "tap";
import { type MenuView, menuRefusal, validateCommandBody } from "../../src/protocol/mod.js";
import { restaurantOf } from "./catalogue.js";

t.test("R-RST-2: a seeded catalogue is the same every time, and passes the schema of the interface", async (t) => {
  const options = { seed: 7, restaurants: 200, items: 30 };
  const cuisines = new Set<string>();
  const zones = new Set<string>();
  for (let number = 0; number < 200; number++) {
    const { id, profile } = restaurantOf(options, number);
    const problem = validateCommandBody("restaurant.configure", { restaurantId: id, profile });
    if (problem !== null) t.fail(JSON.stringify(problem));
    if (number % 40 === 0) t.same(restaurantOf({ ...options, restaurants: 20_000 }, number), { id, profile });
    if (profile.items.length !== 30) t.fail("a menu is shorter than it was asked to be");
    const names = new Set(profile.items.map(({ name }) => name));
    if (names.size !== 30) t.fail("a dish is on a menu twice");
    for (const each of profile.cuisines ?? []) cuisines.add(each);
    zones.add(profile.hours?.timeZone ?? "");
  }
  t.ok(cuisines.size >= 8 && zones.size >= 5, "of many kinds, in many places");
  t.equal(restaurantOf({ ...options, items: 300 }, 3).profile.items.length, 300);
  t.equal(restaurantOf({ ...options, alwaysOpen: true }, 3).profile.hours, undefined);
  t.not(restaurantOf({ ...options, seed: 8 }, 3).profile.name, undefined);
});

t.test("R-ORD-1: what a seeded restaurant sells can be ordered", async (t) => {
  const { id, profile } = restaurantOf({ seed: 1, restaurants: 10, items: 30, alwaysOpen: true }, 2);
  const menu: MenuView = {
    ...profile,
    restaurantId: id,
    menuVersion: 1,
    open: true,
    taxPerMille: profile.taxPerMille ?? 0,
    deliveryFeeMinor: profile.deliveryFeeMinor ?? 0,
    deliveryRadiusMeters: profile.deliveryRadiusMeters ?? 0,
  };
  const lines = profile.items
    .filter(({ available }) => available !== false)
    .map(({ itemId, priceMinor, options = [] }) => ({
      itemId,
      quantity: 1,
      unitPriceMinor: priceMinor,
      options: options
        .filter(({ min = 0 }) => min > 0)
        .map(({ groupId, choices }) => ({
          groupId,
          choiceId: choices[0]!.choiceId,
          priceMinor: choices[0]!.priceMinor,
        })),
    }));
  t.equal(menuRefusal(menu, { lines, destination: profile, currency: profile.currency }), null);
});
