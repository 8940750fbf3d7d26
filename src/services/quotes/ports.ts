/** What a quote needs. */
import type { ActorClient } from "../../actors/runtime/mod.js";
import type { Point } from "../../lib/geo.js";
import type { MenuView } from "../../protocol/mod.js";

export type { ActorClient };

export interface MenuReader {
  /** Null when there is no such restaurant. Rejects when no menu can be had at all. */
  menu(restaurantId: string): Promise<MenuView | null>;
}

/** The router's port, as `services/routing` has it. */
export interface WayFinder {
  way(from: Point, to: Point): FoundWay | Promise<FoundWay>;
}

export interface FoundWay {
  readonly meters: number;
  readonly durationMs: number;
  readonly source: string;
}
