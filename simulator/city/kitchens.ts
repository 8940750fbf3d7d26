/** Restaurants of a made-up city: menus, and how long their kitchens really take. */
import type { Point } from "../../src/lib/geo.js";
import { pick, type Random, randomInteger } from "../../src/lib/random.js";
import type { MenuItem, RestaurantProfile } from "../../src/protocol/mod.js";
import { between, chance, clamp, exponential, logNormal } from "./draw.js";
import { CUISINES } from "./names.js";

/** How a kitchen behaves. Minutes are minutes of the city. */
export interface Kitchen {
  /** Real cooking time over the menu's. */
  readonly pace: number;
  /** Deviation of the logarithm of the cooking time. */
  readonly sigma: number;
  /** How often something goes wrong, and how long that takes on average. */
  readonly delayChance: number;
  readonly delayMinutes: number;
  /** Extra time per order already cooking, as a share. */
  readonly loadPenalty: number;
  /** How long a person takes to touch the tablet. */
  readonly acceptSeconds: number;
  /** How often an order is turned down. */
  readonly rejectChance: number;
}

export interface Restaurant {
  readonly id: string;
  readonly cuisine: string;
  readonly at: Point;
  readonly profile: RestaurantProfile;
  readonly kitchen: Kitchen;
}

export function createKitchen(random: Random): Kitchen {
  return {
    pace: between(random, 0.85, 1.2),
    sigma: between(random, 0.15, 0.35),
    delayChance: between(random, 0.04, 0.14),
    delayMinutes: between(random, 3, 8),
    loadPenalty: between(random, 0.01, 0.05),
    acceptSeconds: between(random, 8, 40),
    rejectChance: between(random, 0, 0.012),
  };
}

/** Minutes of the city until the food stands on the counter, and what the kitchen promises when it accepts. */
export function cookingMinutes(
  random: Random,
  kitchen: Kitchen,
  menuMinutes: number,
  cooking: number,
): { readonly promised: number; readonly actual: number } {
  const loaded = menuMinutes * kitchen.pace * (1 + kitchen.loadPenalty * cooking);
  const steady = logNormal(random, loaded, kitchen.sigma);
  const goesWrong = chance(random, kitchen.delayChance);
  const delay = exponential(random, kitchen.delayMinutes);
  const actual = clamp(steady + (goesWrong ? delay : 0), 1, 120);
  return { promised: Math.ceil(clamp(loaded, 1, 120)), actual };
}

export function createRestaurant(random: Random, number: number, at: Point): Restaurant {
  const kind = CUISINES[number % CUISINES.length]!;
  const round = Math.floor(number / CUISINES.length);
  const base = kind.names[round % kind.names.length]!;
  const again = Math.floor(round / kind.names.length);
  const priceLevel = between(random, 0.85, 1.25);
  const limited = randomInteger(random, kind.dishes.length);
  const items = kind.dishes.map(([name, priceMinor, prepMinutes], index): MenuItem => {
    const item: MenuItem = {
      itemId: `dish-${index + 1}`,
      name,
      priceMinor: Math.round((priceMinor * priceLevel) / 10) * 10,
      category: kind.cuisine,
      prepMinutes,
    };
    // One dish of each menu is baked in the morning: when it is gone, it is gone.
    return index === limited ? { ...item, stock: 40 + randomInteger(random, 60) } : item;
  });
  return {
    id: `r-${number + 1}`,
    cuisine: kind.cuisine,
    at,
    profile: {
      name: again === 0 ? base : `${base} ${again + 1}`,
      lat: at.lat,
      lng: at.lng,
      currency: "EUR",
      taxPerMille: pick(random, [70, 100, 190]),
      deliveryFeeMinor: pick(random, [0, 190, 290]),
      deliveryRadiusMeters: 15_000,
      items,
    },
    kitchen: createKitchen(random),
  };
}
