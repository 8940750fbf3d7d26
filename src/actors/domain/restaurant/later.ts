/**
 * Orders for later as their restaurant sees them: from when on one can be cooked, and whether it has to be begun now. What
 * has to be begun now is an order of now, whatever time it names: it wants open doors, a place in the kitchen, and the
 * shelves of now.
 */
import { arrivalRange, remainingMs } from "../../../eta/mod.js";
import { distanceMeters } from "../../../lib/geo.js";
import { doorsOpenFrom } from "../../../protocol/mod.js";
import { pictureAtFirst } from "../eta-model/messages.js";
import type { DomainSettings } from "../settings.js";
import { travelMs } from "../travel.js";
import { doorsOf } from "./doors.js";
import { outlookOf } from "./kitchen.js";
import type { ReserveInput } from "./messages.js";
import type { RestaurantContext } from "./state.js";

/** From when on an order can be cooked: nobody hears a tablet in a closed house. */
export const opensFor = ({ state, now }: RestaurantContext, { deliverAt }: ReserveInput): number =>
  deliverAt === undefined ? now : doorsOpenFrom(doorsOf(state), deliverAt, now);

/** How long it would take if it were begun now, by the very calculation of orders. */
function leadMs(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { lines, destination, wayMs }: ReserveInput,
  from: { readonly lat: number; readonly lng: number },
): number {
  const { now } = ctx;
  const { acceptMs, prepMs, zone } = outlookOf(ctx, settings, lines);
  const picture = zone ?? pictureAtFirst(settings);
  const leftMs = remainingMs(
    {
      stage: "placed",
      now,
      since: now,
      acceptMs,
      prepMs,
      readyAt: null,
      wayMs: wayMs ?? travelMs(from, destination, settings.travel),
      wayMeters: distanceMeters(from, destination),
      vehicle: null,
      progress: null,
      arrived: false,
    },
    picture,
  );
  return arrivalRange(now, leftMs, "placed", picture, settings.eta.cushionMs).expected - now;
}

/** The order as it is to be judged: without its time when it has to be begun now. */
export function whenItBegins(ctx: RestaurantContext, settings: DomainSettings, input: ReserveInput): ReserveInput {
  const { deliverAt, ...ofNow } = input;
  const { menu } = ctx.state;
  if (deliverAt === undefined || menu === null) return input;
  // Doors that are about to open are shut now: of now it would be refused.
  if (opensFor(ctx, input) > ctx.now) return input;
  return deliverAt - leadMs(ctx, settings, input, menu.profile) < ctx.now + settings.order.minuteMs ? ofNow : input;
}
