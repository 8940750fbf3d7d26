/** Where the food goes: kept on this device, asked of the device only when a person wants it. */
import type { Point } from "../../../../src/lib/geo.js";
import { clock } from "../../../shared/clock.js";
import { own } from "./own.js";

export interface DeliveryPlace extends Point {
  readonly address: string;
}

const POSITION_TIMEOUT_MS = 15_000;

function placeOf(stored: unknown): DeliveryPlace | null {
  const value = stored as Partial<DeliveryPlace> | null;
  return typeof value?.lat === "number" && typeof value.lng === "number"
    ? { lat: value.lat, lng: value.lng, address: value.address ?? "" }
    : null;
}

const kept = own("swift-eats.customer.place", placeOf);
export const place = kept.value;
export const setPlace = (next: DeliveryPlace): void => kept.keep(next);

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
