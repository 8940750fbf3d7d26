/** Building blocks of every schema on the wire: all strings and arrays bounded, no unknown properties. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from "../lib/json-type.js";
import { ID_PATTERN } from "./ids.js";

export const Id = Type.String({ pattern: ID_PATTERN, maxLength: 64, minLength: 1 });
export const Lat = Type.Number({ minimum: -90, maximum: 90 });
export const Lng = Type.Number({ minimum: -180, maximum: 180 });
/** The most that one thing may cost, in any currency: a cake costs a million rupiah, each of a hundred sen. Fits 32 bits. */
export const MOST_MINOR = 4_000_000_000;
/** Integer minor units of the currency, as ISO 4217 counts them (cents); `lib/currency.ts` says how many make one. */
export const Minor = Type.Integer({ minimum: 0, maximum: MOST_MINOR });
/** Free text. NUL and lone surrogates are refused: no store keeps them, so they must not get past the door. */
export const TEXT_PATTERN = "^[^\\u0000\\ud800-\\udfff]*$";
export const Text = (maxLength: number) => Type.String({ maxLength, pattern: TEXT_PATTERN });
/** Text that says something. */
export const Name = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: TEXT_PATTERN });
export const Count = (maximum: number) => Type.Integer({ minimum: 0, maximum });
/** Milliseconds since the epoch. */
export const Millis = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000 });
/** Of ISO 4217; whether there is such a one, `isCurrency` says. */
export const Currency = Type.String({ pattern: "^[A-Z]{3}$", maxLength: 3 });
let currencies: ReadonlySet<string> | null = null;
export function isCurrency(code: string): boolean {
  currencies ??= new Set(Intl.supportedValuesOf("currency"));
  return currencies.has(code);
}

export function Strict<P extends TProperties>(properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false });
}

export const Place = Strict({
  lat: Lat,
  lng: Lng,
  address: Type.Optional(Text(200)),
});
export type Place = Static<typeof Place>;

export { type Static, type TObject, type TSchema, Type };
