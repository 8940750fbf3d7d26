/** Where the food goes: kept on this device, asked of the device only when a person wants it. */
import { signal } from "@preact/signals";
import type { Point } from "../../../../src/lib/geo.js";
import { clock } from "../../../shared/clock.js";

export interface DeliveryPlace extends Point {
  readonly address: string;
}

const KEY = "swift-eats.customer.place";
const POSITION_TIMEOUT_MS = 15_000;

function kept(): DeliveryPlace | null {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? "null") as Partial<DeliveryPlace> | null;
    return typeof value?.lat === "number" && typeof value.lng === "number"
      ? { lat: value.lat, lng: value.lng, address: value.address ?? "" }
      : null;
  } catch {
    return null;
  }
}

export const place = signal<DeliveryPlace | null>(kept());

export function setPlace(next: DeliveryPlace): void {
  place.value = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Kept as long as the page then.
  }
}

/** The device's own position, once. Rejects with a sentence for people. */
export function devicePosition(): Promise<Point> {
  return new Promise((resolve, reject) => {
    if (!("geolocation" in navigator)) {
      reject(new Error("This device does not tell where it is."));
      return;
    }
    const late = clock.after(POSITION_TIMEOUT_MS, () => reject(new Error("The device could not find where it is.")));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        late();
        resolve({ lat: coords.latitude, lng: coords.longitude });
      },
      () => {
        late();
        reject(new Error("The device does not say where it is. Set the address on the map instead."));
      },
      { enableHighAccuracy: true, timeout: POSITION_TIMEOUT_MS },
    );
  });
}
