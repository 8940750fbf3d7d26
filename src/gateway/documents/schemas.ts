/** The code's schemas as a document shows them: what is named is referred to, unions of words are one list. */
import type { Json, JsonObject } from "../../lib/json.js";
import { NAMED_SCHEMAS, type TSchema } from "../../protocol/mod.js";

/** OpenAPI 3.1 speaks JSON Schema 2020-12, AsyncAPI 3 draft 7: they write tuples differently. */
export type Dialect = "2020-12" | "draft-07";

const plain = (schema: unknown): Json => JSON.parse(JSON.stringify(schema ?? {})) as Json;
const textOf = (schema: unknown): string => JSON.stringify(schema);

export class DocumentSchemas {
  readonly #dialect: Dialect;
  readonly #named = new Map<string, string>();
  readonly #used = new Map<string, TSchema>();
  readonly #catalogue: Readonly<Record<string, TSchema>>;

  constructor(dialect: Dialect, more: Readonly<Record<string, TSchema>> = {}) {
    this.#dialect = dialect;
    this.#catalogue = { ...NAMED_SCHEMAS, ...more };
    for (const [name, schema] of Object.entries(this.#catalogue)) this.#named.set(textOf(schema), name);
  }

  /** A schema, by reference where it has a name. */
  of(schema: TSchema): JsonObject {
    return this.#written(plain(schema)) as JsonObject;
  }

  /** Every named schema that was referred to, directly or by another. */
  components(): JsonObject {
    const written: Record<string, Json> = {};
    // Writing one may refer to more.
    for (let before = -1; before !== this.#used.size; ) {
      before = this.#used.size;
      for (const [name, schema] of [...this.#used]) written[name] ??= this.#members(plain(schema) as JsonObject);
    }
    return Object.fromEntries(Object.entries(written).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #written(value: Json): Json {
    if (Array.isArray(value)) return value.map((each) => this.#written(each as Json));
    if (value === null || typeof value !== "object") return value;
    const name = this.#named.get(textOf(value));
    if (name === undefined) return this.#members(value as JsonObject);
    this.#used.set(name, this.#catalogue[name]!);
    return { $ref: `#/components/schemas/${name}` };
  }

  #members(schema: JsonObject): JsonObject {
    const words = wordsOf(schema.anyOf);
    if (words !== null) return words;
    const written: Record<string, Json> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (value === undefined) continue;
      if (key === "properties") {
        written[key] = Object.fromEntries(
          Object.entries(value as JsonObject).map(([name, each]) => [name, this.#written(each as Json)]),
        );
      } else if (key === "items" && Array.isArray(value)) {
        const items = value.map((each) => this.#written(each as Json));
        if (this.#dialect === "draft-07") written.items = items;
        else written.prefixItems = items;
      } else if (key === "additionalItems") {
        written[this.#dialect === "draft-07" ? key : "items"] = value;
      } else if (key === "enum" && Array.isArray(value)) {
        written.type ??= typeof value[0] === "string" ? "string" : "number";
        written.enum = value;
      } else if (key === "const" || key === "examples") written[key] = value;
      else written[key] = this.#written(value);
    }
    return written;
  }
}

/** A union of constants of one type is an enumeration. */
function wordsOf(anyOf: Json | undefined): JsonObject | null {
  if (!Array.isArray(anyOf) || anyOf.length === 0) return null;
  const options = anyOf as readonly JsonObject[];
  const type = options[0]!.type;
  if (!options.every((each) => each?.const !== undefined && each.type === type)) return null;
  return { ...(type === undefined ? {} : { type }), enum: options.map((each) => each.const as Json) };
}
