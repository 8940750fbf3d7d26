/** What others may send a dispatch zone. A zone's key is its H3 cell. */
import type { Point } from "../../../lib/geo.js";
import type { OrderStatus } from "../../../protocol/mod.js";
import { actorRef } from "../../runtime/definition.js";

export { zoneOf, zonesInReach } from "./cells.js";

export type DriverPresence = "available" | "offered" | "on_trip";

export interface PresenceInput {
  readonly driverId: string;
  readonly lat: number;
  readonly lng: number;
  readonly state: DriverPresence;
  /** When the driver actor said it. */
  readonly at: number;
}

/** An order as its zone follows it; the whole picture each time, so that the last one heard is enough. */
export interface ZoneOrderInput {
  readonly orderId: string;
  /** Rises with every change of the order: an older picture is ignored. */
  readonly version: number;
  readonly status: OrderStatus;
  readonly pickup: Point;
  readonly dropoff: Point;
  readonly readyAt: number;
  /** `waiting`: wants a driver, from `notBefore` on. `offered`: wait for the answer. */
  readonly search: "none" | "waiting" | "offered";
  readonly notBefore: number;
  /** Drivers who are not to be proposed for it. */
  readonly excluded: readonly string[];
  /** Whom it is offered to now. */
  readonly offeredTo: readonly string[];
  readonly driverId: string | null;
}

export type ZoneContract = {
  driverPresent: { input: PresenceInput; reply: null };
  driverGone: { input: { readonly driverId: string; readonly at: number }; reply: null };
  orderMoved: { input: ZoneOrderInput; reply: null };
  tick: { input: null; reply: null };
};

export const Zone = actorRef<ZoneContract>("dispatch-zone");
