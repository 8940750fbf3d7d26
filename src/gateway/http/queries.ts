/** What stands behind the `?`, read by its schema: the same strictness for operations and for the gateway's own reads. */
import {
  Id,
  Lat,
  Lng,
  Millis,
  readQuery,
  type Static,
  Strict,
  type TObject,
  Type,
  validateSchema,
} from "../../protocol/mod.js";
import { type Answer, problem } from "./answer.js";

/** The gateway's own reads; the documents show the same. */
export const NearbyQuery = Strict({
  lat: Lat,
  lng: Lng,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  delivers: Type.Optional(Type.Boolean()),
});
export const HistoryQuery = Strict({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  before: Type.Optional(Millis),
});
export const NewsQuery = Strict({ zone: Type.Optional(Id) });

type Query<T> = { readonly ok: true; readonly values: T } | { readonly ok: false; readonly answer: Answer };

export function queryOf<S extends TObject>(schema: S, text: string): Query<Static<S>> {
  const values = readQuery(schema, text);
  const wrong = validateSchema(schema, values);
  return wrong === null
    ? { ok: true, values: values as Static<S> }
    : { ok: false, answer: problem("invalid", { ...wrong }) };
}
