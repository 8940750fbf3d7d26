/**
 * What is likely to be ordered next. Drivers are kept where they will be needed only if a plan knows that they will be.
 *
 * The forecast is as plain as can be: the next minutes bring what the last ones brought. It needs no history, follows
 * the hour and the place, and draws no lots: equal pasts give equal forecasts.
 */
import type { OpenOrder } from "./types.js";

export interface ForecastSettings {
  /** How far the forecast looks back and ahead. 0: no forecast. */
  readonly aheadMs: number;
  /** How much an expected order counts beside a real one: 0 < likelihood < 1. */
  readonly likelihood: number;
}

const MARK = "~";

/** `recent`: every order that was placed lately, whatever became of it; older ones are ignored. */
export function expectedOrders<Place>(
  recent: readonly OpenOrder<Place>[],
  now: number,
  { aheadMs, likelihood }: ForecastSettings,
): readonly OpenOrder<Place>[] {
  return recent
    .filter(({ placedAt }) => placedAt > now - aheadMs && placedAt <= now)
    .map((order) => ({
      ...order,
      orderId: MARK + order.orderId,
      placedAt: order.placedAt + aheadMs,
      readyAt: order.readyAt + aheadMs,
      targetAt: order.targetAt + aheadMs,
      latestAt: order.latestAt + aheadMs,
      excluded: [],
      likelihood,
    }));
}
