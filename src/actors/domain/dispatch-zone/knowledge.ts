/**
 * What a zone asks of others for its decisions: what customers think of its drivers, and how long ways take at this hour.
 *
 * Owns: when to ask, how much is remembered, what a rating is worth. Nothing of it is kept or waited for: a decision is
 * made with what has been heard, and what is lost is asked for again.
 */
import { rankedAverage } from "../../../protocol/mod.js";
import { Matcher } from "../dispatch-matcher/messages.js";
import { EtaModel } from "../eta-model/messages.js";
import type { DomainSettings } from "../settings.js";
import { wholeOf } from "./cells.js";
import type { PresenceInput, ZoneContract } from "./messages.js";
import type { ZoneContext, ZoneMemory } from "./state.js";

/** Ratings change slowly; they are read by the hundred. */
const RATING_FRESH_MS = 600_000;
const RATINGS_APART_MS = 2_000;
const MOST_AT_ONCE = 500;
/** What is believed of a driver nobody has rated: as if so many customers had given so many stars. */
const USUAL_STARS = 4.5;
const USUAL_COUNT = 8;
const [WORST_STARS, BEST_STARS] = [1, 5];

/** Asks for what is missing or out of date. Called with every question, so that a zone without orders asks for nothing. */
export function askAround(ctx: ZoneContext, settings: DomainSettings, drivers: readonly PresenceInput[]): void {
  const memory = ctx.volatile;
  if (ctx.now - memory.waysAskedAt >= settings.eta.pictureMs) {
    memory.waysAskedAt = ctx.now;
    ctx.cast(EtaModel, wholeOf(ctx.key), "wantedByZone", { zone: ctx.key });
  }
  if (ctx.now - memory.ratingsAskedAt < RATINGS_APART_MS) return;
  const unknown = drivers.filter(({ driverId }) => {
    const known = memory.ratings.get(driverId);
    return known === undefined || ctx.now - known.at >= RATING_FRESH_MS;
  });
  if (unknown.length === 0) return;
  memory.ratingsAskedAt = ctx.now;
  const driverIds = unknown.slice(0, MOST_AT_ONCE).map(({ driverId }) => driverId);
  ctx.cast(Matcher, ctx.key, "readRatings", { id: ctx.newId(), driverIds });
}

export function keepRatings(
  { volatile: { ratings }, now }: Pick<ZoneContext, "volatile" | "now">,
  { zone }: DomainSettings,
  rows: ZoneContract["ratingsRead"]["input"],
): void {
  for (const [driverId, average, count] of rows) {
    ratings.delete(driverId);
    ratings.set(driverId, { average, count, at: now });
    if (ratings.size > zone.maxDrivers) ratings.delete(ratings.keys().next().value as string);
  }
}

/** How far a driver's ratings lie below the best one, 0 … 1. Few ratings say little; of nobody nothing bad is believed. */
export function poorlyRated({ ratings }: Pick<ZoneMemory, "ratings">, driverId: string): number {
  const stars = rankedAverage(ratings.get(driverId) ?? { average: 0, count: 0 }, USUAL_STARS, USUAL_COUNT);
  return Math.max(0, Math.min(1, (BEST_STARS - stars) / (BEST_STARS - WORST_STARS)));
}
