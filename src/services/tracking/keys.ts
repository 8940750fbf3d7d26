import type { PositionView } from "../../protocol/mod.js";

/** Where an order mirrors its `OrderTracking`. */
export const viewKey = (orderId: string): string => `view:${orderId}`;

/** True of a place where a driver mirrors positions. */
export const isFixKey = (key: string): boolean => key.startsWith("fix:");

/** Where a driver mirrors the newest position, with the grants under which it may be shown. */
export const fixKey = (driverId: string): string => `fix:${driverId}`;

export interface MirroredFix {
  readonly position: PositionView;
  /** Open grants by order id. */
  readonly grants: Readonly<Record<string, number>>;
}
