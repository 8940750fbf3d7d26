/** What the process of a run and its worker processes say to each other. */
import type { History } from "../../checkers/mod.js";
import type { CityTimeFacts } from "../city-time.js";
import type { MeterReading } from "../measure/meter.js";
import type { PlannedDriver, PlannedOrder, PlannedRestaurant } from "../plan.js";

/** One worker's share of the run. */
export interface Share {
  readonly url: string | readonly string[];
  readonly seed: number;
  readonly time: CityTimeFacts;
  readonly streetFactor: number;
  readonly restaurants: readonly PlannedRestaurant[];
  readonly drivers: readonly PlannedDriver[];
  readonly orders: readonly PlannedOrder[];
  /** When the food of the restaurants' orders is ready, by order number, for those that are planned. */
  readonly readyAt: readonly (readonly [orderNumber: number, cityMs: number])[];
  readonly tokens: readonly (readonly [principalId: string, token: string])[];
}

export type ToWorker =
  | { readonly t: "start"; readonly share: Share }
  /** Food was put out by a restaurant of another worker. */
  | { readonly t: "out"; readonly orderId: string }
  /** Leave, and say what you have seen. */
  | { readonly t: "finish" };

export type FromWorker =
  | { readonly t: "reading"; readonly reading: MeterReading }
  | { readonly t: "out"; readonly orderId: string }
  | { readonly t: "failure"; readonly text: string }
  /** A part of what was seen; after `done` there is no more. */
  | { readonly t: "history"; readonly history: History }
  | { readonly t: "done" };
