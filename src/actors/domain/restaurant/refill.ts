/** Daily refills: at a time of the restaurant's clock, what is limited is full again. One durable timer for all items. */
import { lastTimeOfDay, type MenuItem, nextTimeOfDay, type Refill } from "../../../protocol/mod.js";
import type { RestaurantContext, RestaurantState } from "./state.js";

type Refilled = MenuItem & { readonly refill: Refill };

const refilledItems = ({ menu }: RestaurantState): readonly Refilled[] =>
  (menu?.items ?? []).filter((item): item is Refilled => item.refill !== undefined);

const zoneOfClock = ({ menu }: RestaurantState): string => menu?.profile.hours?.timeZone ?? "UTC";

/** Sets the timer to the next refill of any item. */
export function armRefill(ctx: RestaurantContext, state: RestaurantState): void {
  const items = refilledItems(state);
  if (items.length === 0) {
    ctx.cancelTimer("refill");
    return;
  }
  const zone = zoneOfClock(state);
  const at = Math.min(...items.map(({ refill }) => nextTimeOfDay(zone, refill.at, ctx.now)));
  ctx.timer("refill", { at, run: "refill" });
}

/** Refills of the past are not made up for: they count from when there first were any. */
export function fromNowOn(state: RestaurantState, now: number): RestaurantState {
  return state.refilledAt !== undefined || refilledItems(state).length === 0 ? state : { ...state, refilledAt: now };
}

/** What is left after the refills that fell due since the last ones: each once, however long nobody could make them. */
export function refilled(ctx: RestaurantContext): RestaurantState {
  const { state } = ctx;
  const zone = zoneOfClock(state);
  const left: Record<string, number> = { ...state.left };
  for (const { itemId, refill } of refilledItems(state)) {
    if (lastTimeOfDay(zone, refill.at, ctx.now) > (state.refilledAt ?? 0)) left[itemId] = refill.stock;
  }
  return { ...state, left, refilledAt: ctx.now };
}
