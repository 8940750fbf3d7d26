/** When people are hungry, and what they order. */
import type { Point } from "../../src/lib/geo.js";
import { pick, type Random, randomInteger } from "../../src/lib/random.js";
import type {
  ChosenOption,
  MenuItem,
  MenuView,
  OrderLine,
  PlaceOrder,
  RestaurantProfile,
} from "../../src/protocol/mod.js";
import { chance, exponential, weighted } from "./draw.js";

/** Relative demand at each full hour of the day; the peak is 1. Lunch and dinner, as in the order books of real cities. */
const HOURLY: readonly number[] = [
  0.04, 0.02, 0.01, 0.01, 0.01, 0.01, 0.03, 0.08, 0.13, 0.14, 0.2, 0.6, 1, 0.7, 0.48, 0.38, 0.34, 0.46, 0.82, 0.88,
  0.55, 0.22, 0.1, 0.05,
];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Demand at a moment of the day as a share of the peak; linear between full hours. `cityMs` counts from a midnight. */
export function demandAt(cityMs: number): number {
  const ofDay = ((cityMs % DAY_MS) + DAY_MS) % DAY_MS;
  const hour = Math.floor(ofDay / HOUR_MS);
  const share = (ofDay - hour * HOUR_MS) / HOUR_MS;
  return HOURLY[hour]! * (1 - share) + HOURLY[(hour + 1) % 24]! * share;
}

/** The moment of the next order after `cityMs`: a Poisson process whose rate follows the curve (thinning, Lewis 1979). */
export function nextOrderAt(random: Random, cityMs: number, ordersPerHourAtPeak: number): number {
  let at = cityMs;
  for (;;) {
    at += exponential(random, HOUR_MS / ordersPerHourAtPeak);
    if (random.next() < demandAt(at)) return at;
  }
}

/** What has to be answered is answered, with as much as has to be. An item without options draws nothing. */
function chooseOptions(random: Random, { options = [] }: MenuItem): readonly ChosenOption[] {
  return options.flatMap(({ groupId, min = 0, choices }) => {
    const offered = choices.filter(({ available }) => available !== false);
    const first = min === 0 || offered.length === 0 ? 0 : randomInteger(random, offered.length);
    return Array.from({ length: Math.min(min, offered.length) }, (_, i) => {
      const { choiceId, priceMinor } = offered[(first + i) % offered.length]!;
      return { groupId, choiceId, priceMinor };
    });
  });
}

/** What one customer puts into the basket, at the prices the menu shows. */
export function fillBasket(
  random: Random,
  menu: Pick<RestaurantProfile | MenuView, "items" | "currency">,
  restaurantId: string,
  home: Point,
): PlaceOrder {
  const lines = new Map<string, OrderLine>();
  const dishes = weighted(random, [
    [1, 5],
    [2, 4],
    [3, 2],
    [4, 1],
  ]);
  const offered = menu.items.filter((item) => item.available !== false);
  for (let n = 0; n < dishes; n++) {
    const item = pick(random, offered.length > 0 ? offered : menu.items);
    const quantity = Math.min(99, (lines.get(item.itemId)?.quantity ?? 0) + 1);
    const before = lines.get(item.itemId);
    const options = before?.options ?? chooseOptions(random, item);
    lines.set(item.itemId, {
      itemId: item.itemId,
      quantity,
      unitPriceMinor: item.priceMinor,
      ...(options.length === 0 ? {} : { options: [...options] }),
    });
  }
  const order: PlaceOrder = {
    restaurantId,
    lines: [...lines.values()],
    destination: { lat: home.lat, lng: home.lng },
    currency: menu.currency,
  };
  const tips = chance(random, 0.4);
  const tipMinor = 50 * (1 + randomInteger(random, 8));
  return tips ? { ...order, tipMinor } : order;
}
