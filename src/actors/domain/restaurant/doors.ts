/**
 * The doors: whether the restaurant takes orders, by its hours, by a pause, by hand, and by what the market's people say
 * of it. Owns when that changes by itself, as one durable timer. Does not own the hours' meaning (`protocol/hours.ts`).
 *
 * Invariant: `accepting` and `changesAt` are those of the same instant; past `changesAt` the next commit looks again.
 */
import { closedBecause, doorsChangeAt, type MenuView } from "../../../protocol/mod.js";
import type { RestaurantContext, RestaurantState } from "./state.js";

type Doors = Pick<MenuView, "status" | "shut" | "paused" | "hours" | "offlineSince">;

export function doorsOf({ menu, status, open, paused, offlineSince }: RestaurantState): Doors {
  const hours = menu?.profile.hours;
  return {
    ...(status === undefined ? {} : { status }),
    ...(open ? {} : { shut: true as const }),
    ...(paused === undefined ? {} : { paused }),
    ...(offlineSince === undefined ? {} : { offlineSince }),
    ...(hours === undefined ? {} : { hours }),
  };
}

/** The state as of now, with its timer set to the next change. A pause that is over is forgotten. */
export function withDoors(ctx: RestaurantContext, state: RestaurantState): RestaurantState {
  const { paused, changesAt: before, ...rest } = state;
  const lasts = paused !== undefined && (paused.until === undefined || paused.until > ctx.now);
  const current: RestaurantState = lasts ? { ...rest, paused } : rest;
  const doors = doorsOf(current);
  const accepting = closedBecause(doors, ctx.now) === null;
  const changesAt = doorsChangeAt(doors, ctx.now);
  if (changesAt === null) {
    if (before !== undefined) ctx.cancelTimer("doors");
    return { ...current, accepting };
  }
  if (changesAt !== before) ctx.timer("doors", { at: changesAt, run: "doors" });
  return { ...current, accepting, changesAt };
}
