/** The work as it was last told, on the device: a page that is reloaded in a tunnel goes on where it was. */
import type { GpsPolicy, TripView } from "../../../../sdk/mod.js";
import { clock } from "../../../shared/clock.js";

export interface KeptWork {
  readonly driverId: string;
  /** When it was kept, ms since the epoch by this device's clock. */
  readonly at: number;
  readonly onShift: boolean;
  readonly trip: TripView | null;
  readonly policy: GpsPolicy;
}

const KEY = "swift-eats.driver.work";
/** Older than the longest shift, it says nothing any more. */
const MAX_AGE_MS = 12 * 3_600_000;

export function keepWork(work: Omit<KeptWork, "at">): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...work, at: clock.now() }));
  } catch {
    // The node tells it again.
  }
}

export function keptWork(driverId: string): KeptWork | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as KeptWork | null;
    if (kept?.driverId !== driverId || typeof kept.at !== "number" || clock.now() - kept.at > MAX_AGE_MS) return null;
    return typeof kept.policy?.send === "boolean" && (kept.trip === null || Array.isArray(kept.trip.stops))
      ? kept
      : null;
  } catch {
    return null;
  }
}
