/** Judges a fix: shown, kept back, or flagged; and when to believe fixes that insist on another place. Pure. */
import { distanceMeters } from "../../../lib/geo.js";
import type { Fix, GpsBatch } from "../../../protocol/mod.js";
import type { DriverSettings } from "../settings.js";
import type { LivePosition } from "./state.js";

export type FixFlag = "clock" | "range" | "accuracy" | "speed" | "teleport";

export type Judgement =
  | { readonly verdict: "live"; readonly position: LivePosition }
  /** In order, but older than what is shown or too old to show. */
  | { readonly verdict: "late" }
  | { readonly verdict: "flagged"; readonly flag: FixFlag; readonly position?: LivePosition };

/** Another place than the one that is shown, out of reach from there, and since when (by our clock) all fixes speak of it. */
export interface Elsewhere {
  readonly position: LivePosition;
  readonly since: number;
}

/** So long fixes that are out of reach of the shown place agree with each other before they are believed: three of a phone's. */
const BELIEVED_AFTER_MS = 15_000;

/**
 * How far the phone's clock is ahead, as far as its batch shows: nothing is measured before it happens. Fixes from further
 * ahead than is believed show nothing.
 */
export function aheadOf({ baseTs, fixes }: Pick<GpsBatch, "baseTs" | "fixes">, now: number, mostMs: number): number {
  let ahead = 0;
  for (const [deltaMs] of fixes) {
    const by = baseTs + deltaMs - now;
    if (by > ahead && by <= mostMs) ahead = by;
  }
  return ahead;
}

/**
 * `fix` as on the wire, `baseTs` its batch's time, `aheadMs` what the clock that measured it is ahead, `live` what is shown
 * now, `now` by our clock.
 */
export function judgeFix(
  fix: Fix,
  baseTs: number,
  aheadMs: number,
  live: LivePosition | null,
  now: number,
  settings: DriverSettings,
): Judgement {
  const [deltaMs, lat, lng, accuracyMeters, speed, bearing] = fix;
  const told = baseTs + deltaMs;
  // A position of a time to come would hold the place until then: every true fix is older.
  const at = told - aheadMs;
  const numbers = Number.isFinite(told) && Number.isFinite(lat) && Number.isFinite(lng);
  // (0, 0) is what a phone without a fix sends; nobody delivers in the Gulf of Guinea.
  if (!numbers || Math.abs(lat) > 90 || Math.abs(lng) > 180 || (lat === 0 && lng === 0)) {
    return { verdict: "flagged", flag: "range" };
  }
  if (told > now + settings.maxAheadMs || at < now - settings.maxAgeMs) return { verdict: "flagged", flag: "clock" };
  if (accuracyMeters > settings.maxAccuracyMeters) return { verdict: "flagged", flag: "accuracy" };
  if (speed > settings.maxSpeedMetersPerSecond) return { verdict: "flagged", flag: "speed" };
  if ((live !== null && at <= live.at) || at < now - settings.liveMs) return { verdict: "late" };
  const position: LivePosition = { lat, lng, bearing: bearing >= 0 ? bearing : null, at };
  if (live !== null && !isReachable(live, position, settings)) {
    return { verdict: "flagged", flag: "teleport", position };
  }
  return { verdict: "live", position };
}

function isReachable(from: LivePosition, to: LivePosition, settings: DriverSettings): boolean {
  const jump = distanceMeters(from, to);
  const seconds = (to.at - from.at) / 1000;
  return jump <= settings.teleportMeters || jump / seconds <= settings.maxSpeedMetersPerSecond;
}

/**
 * One more fix that is out of reach. One wrong place (the mast a phone saw first, where the shift began yesterday, none at
 * all) must not stand against every true one for as long as the way there would take: that can be a day.
 */
export function elsewhere(
  before: Elsewhere | null,
  position: LivePosition,
  now: number,
  settings: DriverSettings,
): Elsewhere {
  const agrees = before !== null && isReachable(before.position, position, settings);
  return { position, since: agrees ? before.since : now };
}

export const isBelieved = ({ since }: Elsewhere, now: number): boolean => now - since >= BELIEVED_AFTER_MS;

/** The bucket after `now`, before a token is taken. */
export function refilled(tokens: number, refilledAt: number, now: number, settings: DriverSettings): number {
  return Math.min(settings.gpsBurst, tokens + Math.max(0, now - refilledAt) / settings.gpsTokenMs);
}
