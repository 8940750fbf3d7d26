/** Restaurants and their menus, as restaurants write them and anyone may read them. Everything newer than prices is optional. */
import { nextChange, OpeningHours, openAt, openSince } from "./hours.js";
import { Count, Currency, Id, Lat, Lng, Minor, Name, type Static, Strict, Text, Type } from "./schemas.js";

export const DIETS = ["vegetarian", "vegan", "halal", "kosher", "gluten_free", "lactose_free", "nut_free"] as const;
export type Diet = (typeof DIETS)[number];

/** The fourteen that Regulation (EU) 1169/2011, annex II, wants to be named. */
export const ALLERGENS = [
  "gluten",
  "crustaceans",
  "eggs",
  "fish",
  "peanuts",
  "soybeans",
  "milk",
  "nuts",
  "celery",
  "mustard",
  "sesame",
  "sulphites",
  "lupin",
  "molluscs",
] as const;
export type Allergen = (typeof ALLERGENS)[number];

/** A name for what is told apart by a person: no ids, but no paragraphs either. */
const Tags = Type.Array(Text(30), { maxItems: 16 });

/** Where an image lies; uploads give such references. Never fetched by the node. */
export const ImageReference = Type.String({ maxLength: 200, pattern: "^[\\w./:-]*$" });

export const MenuChoice = Strict({
  choiceId: Id,
  name: Name(80),
  /** Added to the item's price. */
  priceMinor: Minor,
  available: Type.Optional(Type.Boolean()),
});
export type MenuChoice = Static<typeof MenuChoice>;

/** What a customer chooses with an item: a size, a side, what goes on top. */
export const OptionGroup = Strict({
  groupId: Id,
  name: Name(80),
  /** Fewest choices, 0 by default; from 1 on the group has to be answered. */
  min: Type.Optional(Count(30)),
  /** Most choices, 1 by default. */
  max: Type.Optional(Count(30)),
  choices: Type.Array(MenuChoice, { minItems: 1, maxItems: 30 }),
});
export type OptionGroup = Static<typeof OptionGroup>;

/** Every day at this time of the restaurant's clock there are `stock` to sell again. */
export const Refill = Strict({
  stock: Count(1_000_000),
  at: Type.String({ pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", maxLength: 5 }),
});
export type Refill = Static<typeof Refill>;

export const MenuItem = Strict({
  itemId: Id,
  name: Name(120),
  priceMinor: Minor,
  /** By name; in the order of the restaurant's `categories`. */
  category: Type.Optional(Text(60)),
  prepMinutes: Type.Optional(Count(240)),
  /** Absent: made to order, no limit. */
  stock: Type.Optional(Count(1_000_000)),
  refill: Type.Optional(Refill),
  /** Most portions in the kitchen at once, of what is made to order. */
  atOnce: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  available: Type.Optional(Type.Boolean()),
  description: Type.Optional(Text(500)),
  tags: Type.Optional(Tags),
  diets: Type.Optional(Type.Array(Type.Enum(DIETS), { maxItems: DIETS.length })),
  allergens: Type.Optional(Type.Array(Type.Enum(ALLERGENS), { maxItems: ALLERGENS.length })),
  image: Type.Optional(ImageReference),
  options: Type.Optional(Type.Array(OptionGroup, { maxItems: 12 })),
});
export type MenuItem = Static<typeof MenuItem>;

export const MenuCategory = Strict({ name: Text(60), description: Type.Optional(Text(300)) });
export type MenuCategory = Static<typeof MenuCategory>;
export const MenuCategories = Type.Array(MenuCategory, { maxItems: 60 });

export const GeoPoint = Strict({ lat: Lat, lng: Lng });
/** Corners in order, the last joined to the first. */
export const Polygon = Type.Array(GeoPoint, { minItems: 3, maxItems: 200 });

export const RestaurantProfile = Strict({
  name: Name(120),
  lat: Lat,
  lng: Lng,
  currency: Currency,
  taxPerMille: Type.Optional(Count(1000)),
  deliveryFeeMinor: Type.Optional(Minor),
  /** Farthest destination in metres. */
  deliveryRadiusMeters: Type.Optional(Count(200_000)),
  /** Takes the radius' place. */
  deliveryPolygon: Type.Optional(Polygon),
  /** The least that the items of an order come to. */
  minimumOrderMinor: Type.Optional(Minor),
  /** Most orders in the kitchen at once; made-to-order capacity. */
  kitchenCapacity: Type.Optional(Count(100_000)),
  address: Type.Optional(Text(200)),
  description: Type.Optional(Text(500)),
  cuisines: Type.Optional(Tags),
  tags: Type.Optional(Tags),
  image: Type.Optional(ImageReference),
  /** Absent: by hand alone. */
  hours: Type.Optional(OpeningHours),
  /** The menu's order; categories that only items name come after these. */
  categories: Type.Optional(MenuCategories),
  items: Type.Array(MenuItem, { minItems: 1, maxItems: 500 }),
});
export type RestaurantProfile = Static<typeof RestaurantProfile>;

/** `draft`: not looked at yet, and not listed. `suspended`: was listed. Orders are taken of `verified` ones alone. */
export const RESTAURANT_STATUSES = ["draft", "verified", "suspended"] as const;
export type RestaurantStatus = (typeof RESTAURANT_STATUSES)[number];
export const RestaurantStatusName = Type.Enum(RESTAURANT_STATUSES);

export type MenuViewItem = MenuItem & { readonly left?: number };

/** A restaurant as anyone may read it. */
export interface MenuView {
  readonly restaurantId: string;
  /** Rises with every change of menu, price, availability, or open state. */
  readonly menuVersion: number;
  /** Takes orders now: within its hours, not paused, its doors open, verified. */
  readonly open: boolean;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  readonly currency: string;
  readonly taxPerMille: number;
  readonly deliveryFeeMinor: number;
  readonly deliveryRadiusMeters: number;
  /** What the marketplace asks for its service, in thousandths of the items. Absent: nothing. */
  readonly serviceFeePerMille?: number;
  readonly deliveryPolygon?: readonly { readonly lat: number; readonly lng: number }[];
  readonly minimumOrderMinor?: number;
  readonly address?: string;
  readonly description?: string;
  readonly cuisines?: readonly string[];
  readonly tags?: readonly string[];
  readonly image?: string;
  readonly hours?: OpeningHours;
  /** Absent: verified, as every restaurant was before there were others. */
  readonly status?: RestaurantStatus;
  /** Its doors were shut by hand. Absent: they are open. */
  readonly shut?: true;
  /** `until` absent: until somebody says so. Milliseconds since the epoch. */
  readonly paused?: { readonly until?: number; readonly reason?: string };
  /** Its tablets have not been heard since then: nobody would see an order. Absent: they have. */
  readonly offlineSince?: number;
  /** When `open` will change by the hours or the end of a pause, if nobody does anything. */
  readonly changesAt?: number;
  readonly categories?: readonly MenuCategory[];
  readonly items: readonly MenuViewItem[];
}

/** Listed restaurants are found and ordered from; others are seen by their own people and by admins. */
export const isListed = (menu: Pick<MenuView, "status">): boolean => (menu.status ?? "verified") === "verified";

type Doors = Pick<MenuView, "status" | "shut" | "paused" | "hours" | "offlineSince">;

/**
 * Why no order can be served at this instant (ms since the epoch), or null. `ahead`: the order is for later, and a door
 * that was shut by hand will have been opened by then if there are hours that say so.
 */
export function closedBecause(
  menu: Doors,
  at: number,
  ahead = false,
): "not_listed" | "paused" | "shut" | "offline" | "hours" | null {
  if (!isListed(menu)) return "not_listed";
  if (menu.paused !== undefined && (menu.paused.until === undefined || menu.paused.until > at)) return "paused";
  if (menu.shut === true && !(ahead && menu.hours !== undefined)) return "shut";
  if (menu.offlineSince !== undefined && !(ahead && menu.hours !== undefined)) return "offline";
  return menu.hours === undefined || openAt(menu.hours, at) ? null : "hours";
}

/** The first instant after `after` at which doors open or close by themselves; null when somebody has to act. */
export function doorsChangeAt(menu: Doors, after: number): number | null {
  if (!isListed(menu) || menu.shut === true || menu.offlineSince !== undefined) return null;
  const { paused, hours } = menu;
  if (paused !== undefined && paused.until === undefined) return null;
  const until = paused?.until ?? 0;
  if (until > after && closedBecause(menu, until) === null) return until;
  return hours === undefined ? null : nextChange(hours, Math.max(after, until));
}

/** From when on, `after` at the earliest, nothing but a person keeps the doors shut until `at`, when they are open. */
export function doorsOpenFrom({ paused, hours }: Pick<Doors, "paused" | "hours">, at: number, after: number): number {
  const resumed = Math.max(after, paused?.until ?? 0);
  return hours === undefined ? resumed : Math.max(resumed, openSince(hours, at, after));
}
