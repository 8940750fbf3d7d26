/** Branded identifiers: an order's id is never a driver's. On the wire each is a string of 1–64 of `A–Z a–z 0–9 . _ : -`. */
declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

export type OrderId = Branded<"OrderId">;
export type DriverId = Branded<"DriverId">;
export type CustomerId = Branded<"CustomerId">;
export type RestaurantId = Branded<"RestaurantId">;
export type ItemId = Branded<"ItemId">;
export type OfferId = Branded<"OfferId">;
export type TripId = Branded<"TripId">;
/** An H3 cell. */
export type ZoneId = Branded<"ZoneId">;

export const ID_PATTERN = "^[A-Za-z0-9._:-]{1,64}$";
const idShape = new RegExp(ID_PATTERN);

export function isId(text: unknown): text is string {
  return typeof text === "string" && idShape.test(text);
}

/** Brands a string that has been validated (by a schema, or because we made it). */
export function brandId<T extends string>(text: string): T {
  return text as T;
}
