/**
 * A restaurant's state: what it sells (cold), what is left of it and which orders are open (hot, and small).
 *
 * Invariants: nothing is sold of what has nothing left (rule 17); an order is in `open` or in `tombstones`, never in both;
 * what an order took is in its `open` entry until it is given back or eaten.
 */
import type { PreparationRecord, PreparationSample, ZonePicture } from "../../../eta/mod.js";
import type {
  AlertStep,
  DriverCard,
  MenuItem,
  MenuView,
  OrderView,
  RestaurantProfile,
  RestaurantStatus,
  TabletOrder,
} from "../../../protocol/mod.js";
import type { ActorContext } from "../../runtime/definition.js";
import type { RestaurantSettings } from "../settings.js";
import { sellable } from "./stock.js";

export type OpenOrder =
  /** Stock is held; the payment is being authorised, or its time has not come (`later`). */
  (
    | { readonly stage: "held"; readonly took: readonly Took[]; readonly later?: true }
    /** On the tablet until a person answers; told again at `nextAt`. */
    | {
        readonly stage: "offered";
        readonly took: readonly Took[];
        readonly acceptBy: number;
        readonly attempt: number;
        /** Null: past its deadline, not told again. */
        readonly nextAt: number | null;
        /** Absent: offered by an older version. */
        readonly offeredAt?: number;
        /** When a device said that it has stored it, as far as a commit has kept that. */
        readonly deliveredAt?: number;
        /** What was done to be heard, oldest first. Absent: nothing. */
        readonly steps?: readonly (readonly [step: AlertStep, at: number])[];
      }
    | {
        readonly stage: "accepted";
        readonly took: readonly Took[];
        /** Until when it is expected to be cooked, and how many others were when it was accepted. Absent: accepted by an older version. */
        readonly readyAt?: number;
        readonly load?: number;
      }
  ) & {
    /** Of what is cooked so many at once; absent: nothing of it. */
    readonly cooks?: readonly Took[];
    /** What it will take of shelves that are filled before it is wanted. Absent: nothing. */
    readonly due?: readonly Took[];
    /** When it is wanted. Absent: as soon as it can be there, or reserved by an older version and nothing is due. */
    readonly deliverAt?: number;
  };

export type Offered = Extract<OpenOrder, { readonly stage: "offered" }>;

/** Reserved for another time: the kitchen of now has nothing to do with it. */
export const isForLater = (order: OpenOrder): boolean => order.stage === "held" && order.later === true;

export interface Tablet {
  /** As its people call it; empty: they do not. */
  readonly name: string;
  /** When it was heard of first. */
  readonly since: number;
}

/** Of a limited item: how many an order holds. */
export type Took = readonly [itemId: string, quantity: number];

/** What rarely changes. */
export interface Menu {
  readonly profile: Omit<RestaurantProfile, "items">;
  readonly items: readonly MenuItem[];
}

/** Of the node's settings: part of every menu, and of what an order costs and how far it goes. */
export type MarketTerms = Pick<RestaurantSettings, "serviceFeePerMille" | "defaultDeliveryRadiusMeters">;

export const marketTerms = ({ serviceFeePerMille, defaultDeliveryRadiusMeters }: MarketTerms): MarketTerms => ({
  serviceFeePerMille,
  defaultDeliveryRadiusMeters,
});

/** The settings are others than those that the menu was shown with: who reads it does not know. */
export const termsChanged = ({ terms }: RestaurantState, settings: RestaurantSettings): boolean =>
  terms?.serviceFeePerMille !== settings.serviceFeePerMille ||
  terms.defaultDeliveryRadiusMeters !== settings.defaultDeliveryRadiusMeters;

export interface RestaurantState {
  /** Null until configured. */
  readonly menu: Menu | null;
  /** Its doors, as somebody left them. */
  readonly open: boolean;
  /** Absent: verified, as all were once. */
  readonly status?: RestaurantStatus;
  readonly paused?: NonNullable<MenuView["paused"]>;
  /** Orders that ran out of time in a row. Absent: none. */
  readonly missed?: number;
  /** The tablets that were ever heard of, by device. Absent: none; then nobody minds that none is there. */
  readonly tablets?: Readonly<Record<string, Tablet>>;
  /** No tablet has been heard for longer than the grace, since then: no new orders. Absent: not so. */
  readonly offlineSince?: number;
  /** Takes orders: doors, hours, pause and status at the last commit that looked. Absent: as the doors are. */
  readonly accepting?: boolean;
  /** When that changes by itself. Absent: not unless somebody acts. */
  readonly changesAt?: number;
  /** When the menu last looked different; absent in states of an older version. */
  readonly changedAt?: number;
  /** Until when daily refills have been made. */
  readonly refilledAt?: number;
  /** The time zone of the last hours: opened by hand, a kitchen is where it was. */
  readonly clock?: string;
  readonly menuVersion: number;
  /** What the menu says of the marketplace, as it was shown last. Absent: shown by an older version. */
  readonly terms?: MarketTerms;
  /**
   * Limited items only. Below zero: the figure was lowered, or the shelf filled, below what had been promised; what is
   * given back fills that first.
   */
  readonly left: Readonly<Record<string, number>>;
  readonly orders: Readonly<Record<string, OpenOrder>>;
  /** Orders that were released, with the time: a late reservation of theirs is refused. Oldest first. */
  readonly tombstones: readonly (readonly [orderId: string, at: number])[];
  /** What is known of the kitchen. Absent until it has taught something. */
  readonly preparation?: PreparationRecord;
  /** What its zone said some time ago: a quiet restaurant sleeps between two orders. Absent until heard. */
  readonly zone?: ZonePicture;
}

export const initialRestaurant = (): RestaurantState => ({
  menu: null,
  open: false,
  menuVersion: 0,
  left: {},
  orders: {},
  tombstones: [],
});

/** What no commit keeps; made again from the index of orders. */
export interface RestaurantMemory {
  /** What the tablet shows of open orders. */
  readonly details: Map<string, TabletOrder>;
  readonly statuses: Map<string, OrderView["status"]>;
  /** Who comes for an open order. */
  readonly drivers: Map<string, DriverCard>;
  /** Picked up, and still in `orders` until the next commit, with what each taught. */
  readonly left: Map<string, PreparationSample | null>;
  /** What the zone knows; null: not heard yet. */
  zone: ZonePicture | null;
  askedZoneAt: number;
  /** Offered to the tablet at; for how long a person takes. */
  readonly offeredAt: Map<string, number>;
  /** Of orders that no device is known to have: the offset in the inbox of the first push since this actor woke. */
  readonly pushed: Map<string, number>;
  /** When a device said that it has stored the order. Kept with the next commit. */
  readonly delivered: Map<string, number>;
  /** When each tablet was heard last. */
  readonly heardAt: Map<string, number>;
  /** When this actor woke: before that it could hear nobody. */
  awakeSince: number;
  /**
   * Orders for now that it has said yes to and keeps nothing of, by when: they count for the kitchen until they are
   * offered, closed or too old. A crash forgets them, and the kitchen may get so many orders more than it wants.
   */
  readonly unheld: Map<string, number>;
  /** When it reserved last, and how long after the one before: orders that come this fast are a rush. */
  reservedAt: number;
  gapMs: number;
}

export const emptyRestaurantMemory = (): RestaurantMemory => ({
  details: new Map(),
  statuses: new Map(),
  drivers: new Map(),
  left: new Map(),
  zone: null,
  askedZoneAt: 0,
  offeredAt: new Map(),
  pushed: new Map(),
  delivered: new Map(),
  heardAt: new Map(),
  awakeSince: 0,
  unheld: new Map(),
  reservedAt: 0,
  gapMs: Number.POSITIVE_INFINITY,
});

export type RestaurantContext = ActorContext<RestaurantState, RestaurantMemory>;

/** Few left are counted, plenty are not: the menu does not change with every order. */
const COUNT_FROM = 10;

export function menuView(restaurantId: string, state: RestaurantState, settings: RestaurantSettings): MenuView | null {
  if (state.menu === null) return null;
  const { profile, items } = state.menu;
  const { serviceFeePerMille, defaultDeliveryRadiusMeters } = state.terms ?? settings;
  const { status, paused, offlineSince, changesAt } = state;
  const { categories, hours, deliveryPolygon, minimumOrderMinor, address, description, cuisines, tags, image } =
    profile;
  return {
    restaurantId,
    menuVersion: state.menuVersion,
    open: state.accepting ?? state.open,
    name: profile.name,
    lat: profile.lat,
    lng: profile.lng,
    currency: profile.currency,
    taxPerMille: profile.taxPerMille ?? 0,
    deliveryFeeMinor: profile.deliveryFeeMinor ?? 0,
    deliveryRadiusMeters: profile.deliveryRadiusMeters ?? defaultDeliveryRadiusMeters,
    ...(serviceFeePerMille === 0 ? {} : { serviceFeePerMille }),
    ...(deliveryPolygon === undefined ? {} : { deliveryPolygon }),
    ...(minimumOrderMinor === undefined ? {} : { minimumOrderMinor }),
    ...(address === undefined ? {} : { address }),
    ...(description === undefined ? {} : { description }),
    ...(cuisines === undefined ? {} : { cuisines }),
    ...(tags === undefined ? {} : { tags }),
    ...(image === undefined ? {} : { image }),
    ...(hours === undefined ? {} : { hours }),
    ...(status === undefined || status === "verified" ? {} : { status }),
    ...(state.open ? {} : { shut: true as const }),
    ...(paused === undefined ? {} : { paused }),
    ...(offlineSince === undefined ? {} : { offlineSince }),
    ...(changesAt === undefined ? {} : { changesAt }),
    ...(categories === undefined ? {} : { categories }),
    items: items.map((item) => {
      const left = sellable(state.left, item.itemId);
      return left !== undefined && left <= COUNT_FROM ? { ...item, left } : item;
    }),
  };
}

/**
 * The menu with every count, as the restaurant itself judges an order by. `busy`: portions in the kitchen now, of what is
 * cooked so many at once.
 */
export function exactMenu(
  restaurantId: string,
  state: RestaurantState,
  settings: RestaurantSettings,
  busy: ReadonlyMap<string, number>,
): MenuView | null {
  const view = menuView(restaurantId, state, settings);
  if (view === null) return null;
  return {
    ...view,
    items: view.items.map((item) => {
      const left = sellable(state.left, item.itemId);
      const free = item.atOnce === undefined ? undefined : Math.max(0, item.atOnce - (busy.get(item.itemId) ?? 0));
      if (left === undefined && free === undefined) return item;
      return { ...item, left: Math.min(left ?? Number.POSITIVE_INFINITY, free ?? Number.POSITIVE_INFINITY) };
    }),
  };
}

/** True when two stocks look different on the menu. */
export function looksDifferent(before: RestaurantState["left"], after: RestaurantState["left"]): boolean {
  const shown = (left: number | undefined): number => (left === undefined || left > COUNT_FROM ? -1 : left);
  for (const itemId of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (shown(sellable(before, itemId)) !== shown(sellable(after, itemId))) return true;
  }
  return false;
}
