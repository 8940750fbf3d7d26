/** What placing an order needs. */
import type { ActorClient, AskOptions, AskResult, Subscription } from "../../actors/runtime/mod.js";
import type { Point } from "../../lib/geo.js";
import type { MenuView } from "../../protocol/mod.js";

export type { ActorClient, AskOptions, AskResult, Subscription };

/** The router's port, as `services/routing` has it: never rejects. */
export interface WayFinder {
  way(from: Point, to: Point): FoundWay | Promise<FoundWay>;
}

export interface FoundWay {
  readonly meters: number;
  readonly durationMs: number;
}

/** What a promotion's code is worth, as `services/promotions` has it. Rejects when nobody can say. */
export interface PromotionReader {
  worth(
    code: string,
    customerId: string,
    order: { readonly restaurantId: string; readonly itemsMinor: number; readonly currency: string },
  ): Promise<{ readonly ok: true; readonly discountMinor: number } | { readonly ok: false; readonly reason: string }>;
}

/** Menus as the catalog has them: at most about a second old. */
export interface MenuReader {
  /** Null when there is no such restaurant. Rejects when no menu can be had at all. */
  menu(restaurantId: string): Promise<MenuView | null>;
}

/** Where an address lies; null when nobody knows. Rejects when it cannot be looked up now. */
export interface AddressFinder {
  locate(address: string): Promise<Point | null>;
}
