/**
 * Builds JSON Schema whose TypeScript type is known: TypeBox's types, without TypeBox at run time. Its almost 400 modules
 * are read by every thread of a node before it answers, which was a fifth of the processor time of a start
 * (docs/decisions/one-schema-for-settings.md).
 *
 * Invariant: what is built serialises to the same JSON, byte for byte, as TypeBox's own (`json-type.test.ts`).
 */
import type { Type as TypeBox } from "typebox";

export type { Static, TObject, TProperties, TSchema, TUnsafe } from "typebox";

type Builders = Pick<
  typeof TypeBox,
  | "Array"
  | "Boolean"
  | "Enum"
  | "Integer"
  | "Literal"
  | "Null"
  | "Number"
  | "Object"
  | "Optional"
  | "String"
  | "Tuple"
  | "Union"
  | "Unknown"
  | "Unsafe"
>;

type Schema = Readonly<Record<string, unknown>>;

/** Hidden from JSON: of a property, that its object does well without it. */
const OPTIONAL = "~optional";

const plain =
  (type: string) =>
  (options?: Schema): Schema => ({ type, ...options });

const builders = {
  Array: (items: Schema, options?: Schema): Schema => ({ type: "array", items, ...options }),
  Boolean: plain("boolean"),
  Enum: (values: readonly unknown[], options?: Schema): Schema => ({ enum: values, ...options }),
  Integer: plain("integer"),
  Literal: (value: unknown, options?: Schema): Schema => ({ type: typeof value, const: value, ...options }),
  Null: plain("null"),
  Number: plain("number"),
  Object: (properties: Readonly<Record<string, Schema>>, options?: Schema): Schema => {
    const required = Object.keys(properties).filter((name) => !(OPTIONAL in (properties[name] as Schema)));
    return { type: "object", ...(required.length > 0 ? { required } : {}), properties, ...options };
  },
  Optional: (schema: Schema): Schema => Object.defineProperty({ ...schema }, OPTIONAL, { value: true }),
  String: plain("string"),
  Tuple: (items: readonly Schema[], options?: Schema): Schema => ({
    type: "array",
    additionalItems: false,
    items,
    minItems: items.length,
    ...options,
  }),
  Union: (anyOf: readonly Schema[], options?: Schema): Schema => ({ anyOf, ...options }),
  Unknown: (options?: Schema): Schema => ({ ...options }),
  Unsafe: (schema: Schema): Schema => ({ ...schema }),
};

export const Type = builders as unknown as Builders;
