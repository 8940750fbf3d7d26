/** Taking restaurants on: finding where they are, and making the draft that their people write their menu in. */
import { createHash } from "node:crypto";
import { actorRef, type Caller } from "../../actors/runtime/mod.js";
import {
  type ErrorCode,
  isErrorCode,
  type OpeningRestaurant,
  type OperationResult,
  type RestaurantProfile,
} from "../../protocol/mod.js";
import type { ActorClient, AddressBook } from "./ports.js";

/** A restaurant of which it is known where it is. */
export type LocatedRestaurant = OpeningRestaurant & { readonly lat: number; readonly lng: number };

export interface Refused {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly detail?: NonNullable<Extract<OperationResult, { ok: false }>["detail"]>;
  readonly retryAfterMs?: number;
}

export interface Founding {
  /** With its point, and its address as the gazetteer writes it where it was looked up. */
  locate(opening: OpeningRestaurant): Promise<{ readonly ok: true; readonly value: LocatedRestaurant } | Refused>;
  /**
   * Makes the draft. The same `key` again finds what it made. `already_exists`: there is another of this id. Only an
   * admin's word counts.
   */
  found(
    restaurantId: string,
    opening: LocatedRestaurant,
    options: { readonly key: string; readonly caller: Caller },
  ): Promise<{ readonly ok: true; readonly menuVersion: number } | Refused>;
}

type Input = { readonly profile: Omit<RestaurantProfile, "items"> };
const Restaurant = actorRef<{ found: { input: Input; reply: { readonly menuVersion: number } } }>("restaurant");

export const digest = (text: string): string => createHash("sha256").update(text).digest("base64url");

export function createFounding(deps: {
  readonly client: ActorClient;
  readonly addresses: AddressBook;
  readonly timeoutMs: number;
}): Founding {
  const { client, addresses, timeoutMs } = deps;
  return {
    async locate(opening) {
      const { lat, lng, address } = opening;
      if (lat !== undefined && lng !== undefined) return { ok: true, value: { ...opening, lat, lng } };
      if (address === undefined || lat !== undefined || lng !== undefined) {
        return { ok: false, code: "invalid", detail: { path: "/lat", problem: "give lat and lng, or an address" } };
      }
      try {
        const [place] = await addresses.find(address, 1);
        if (place === undefined) return { ok: false, code: "address_unknown", detail: { path: "/address" } };
        return { ok: true, value: { ...opening, lat: place.lat, lng: place.lng, address: place.address } };
      } catch {
        return { ok: false, code: "unavailable" };
      }
    },
    async found(restaurantId, profile, { key, caller }) {
      const commandId = digest(key).slice(0, 27);
      const bodyHash = digest(JSON.stringify([restaurantId, profile])).slice(0, 22);
      const options = { commandId, bodyHash, caller, timeoutMs };
      const answer = await client.ask(Restaurant, restaurantId, "found", { profile }, options);
      if (answer.ok) return { ok: true, menuVersion: answer.value.menuVersion };
      const { code, detail, retryAfterMs } = answer.error;
      return {
        ok: false,
        code: isErrorCode(code) ? code : "internal",
        ...(detail === undefined ? {} : { detail }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    },
  };
}
