/** Schemas as people read them: a notation like TypeScript's, with bounds beside; and examples made of them. */
import type { Json, JsonObject } from "../../lib/json.js";

type Components = Readonly<Record<string, JsonObject>>;
const DEEPEST = 6;

/** `lat: number  // −90 … 90`, one line a field. */
export function notation(schema: JsonObject, indent = ""): string {
  const { $ref, anyOf, allOf } = schema;
  if (typeof $ref === "string") return nameOf($ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (Array.isArray(anyOf)) return anyOf.map((each) => notation(each as JsonObject, indent)).join(" | ");
  if (Array.isArray(allOf)) return allOf.map((each) => notation(each as JsonObject, indent)).join(" & ");
  switch (schema.type) {
    case "object":
      return objectNotation(schema, indent);
    case "array":
      return arrayNotation(schema, indent);
    case "string":
    case "number":
    case "integer":
    case "boolean":
    case "null":
      return schema.type;
    default:
      return "any";
  }
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

function objectNotation(schema: JsonObject, indent: string): string {
  const fields = Object.entries((schema.properties ?? {}) as Components);
  const open = schema.additionalProperties === true;
  if (fields.length === 0) return open ? "{ … }" : "{ }";
  const required = new Set((schema.required ?? []) as readonly string[]);
  const inner = `${indent}  `;
  const lines = fields.map(([name, each]) => {
    const bounds = boundsOf(each);
    const key = /^[\w$]+$/.test(name) ? name : JSON.stringify(name);
    return `${inner}${key}${required.has(name) ? "" : "?"}: ${notation(each, inner)}${bounds === "" ? "" : `  // ${bounds}`}`;
  });
  if (open) lines.push(`${inner}…`);
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function arrayNotation(schema: JsonObject, indent: string): string {
  const places = (schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : null)) as
    | readonly JsonObject[]
    | null;
  if (places !== null) return `[${places.map((each) => notation(each, indent)).join(", ")}]`;
  const item = notation((schema.items ?? {}) as JsonObject, indent);
  return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
}

function boundsOf(schema: JsonObject): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const range = (from: unknown, to: unknown, unit: string): string =>
    from === undefined && to === undefined
      ? ""
      : `${from ?? 0} … ${to === Number.MAX_SAFE_INTEGER ? "2^53" : (to ?? "")}${unit}`;
  if (minimum !== undefined || maximum !== undefined) return range(minimum, maximum, "");
  if (schema.type === "string" && maxLength !== undefined) return range(minLength, maxLength, " characters");
  if (schema.type === "array" && !Array.isArray(schema.items)) return range(minItems, maxItems, " entries");
  return "";
}

/** What fields of these names hold in examples: one restaurant, one order, one place. */
const EXAMPLES: Readonly<Record<string, Json>> = {
  restaurantId: "r-0001",
  orderId: "o-0001",
  roomId: "support:o-0001",
  driverId: "d-0001",
  itemId: "pizza",
  offerId: "of-0001",
  lat: 4.651,
  lng: -74.08,
  currency: "COP",
  quantity: 2,
  unitPriceMinor: 21_000,
  priceMinor: 21_000,
  tipMinor: 3_000,
  note: "The bell is broken",
  name: "Trattoria",
  reason: "changed my mind",
  address: "Calle 26 # 13-19",
  prepMinutes: 15,
  ttlSeconds: 3600,
  baseTs: 1_790_000_000_000,
  timeZone: "America/Bogota",
  password: "correct horse battery staple",
  text: "piza",
};

/** Optional, but an example without them would say little. */
const SHOWN: ReadonlySet<string> = new Set(["lat", "lng", "email"]);

/** For texts that have to look like something. */
const TEXTS = [
  "example",
  "12:00",
  "COP",
  "2026-12-25",
  "+573001234567",
  "maria@example.org",
  "America/Bogota",
  "1",
  "a1b2c3",
];

/** A small value that the schema takes. `components` holds what it refers to; most optional fields are left out. */
export function exampleOf(schema: JsonObject, components: Components, name = "", depth = 0): Json {
  if (depth > DEEPEST) return null;
  const { $ref } = schema;
  if (typeof $ref === "string") return exampleOf(components[nameOf($ref)] ?? {}, components, name, depth + 1);
  const { examples, anyOf } = schema;
  if (Array.isArray(examples)) return examples[0] as Json;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0] as Json;
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0] as JsonObject, components, name, depth + 1);
  switch (schema.type) {
    case "object": {
      const required = new Set((schema.required ?? []) as readonly string[]);
      const fields = Object.entries((schema.properties ?? {}) as Components);
      const shown = fields.filter(([each]) => required.has(each) || SHOWN.has(each));
      return Object.fromEntries(shown.map(([each, inner]) => [each, exampleOf(inner, components, each, depth + 1)]));
    }
    case "array": {
      const places = schema.prefixItems as readonly JsonObject[] | undefined;
      if (places !== undefined) return places.map((each) => exampleOf(each, components, name, depth + 1));
      const count = Math.max(1, Number(schema.minItems ?? 1));
      return Array.from({ length: count }, () =>
        exampleOf((schema.items ?? {}) as JsonObject, components, name, depth + 1),
      );
    }
    case "string":
      return Object.hasOwn(EXAMPLES, name) && typeof EXAMPLES[name] === "string" ? EXAMPLES[name] : textFor(schema);
    case "number":
    case "integer": {
      const usual = Object.hasOwn(EXAMPLES, name) ? EXAMPLES[name] : undefined;
      const { minimum, maximum } = schema;
      if (typeof usual === "number" && usual >= Number(minimum ?? usual) && usual <= Number(maximum ?? usual))
        return usual;
      return Math.max(Number(minimum ?? 0), 0);
    }
    case "boolean":
      return true;
    default:
      return null;
  }
}

function textFor(schema: JsonObject): string {
  const { pattern, minLength, maxLength } = schema;
  const least = Number(minLength ?? 0);
  const most = Number(maxLength ?? Number.MAX_SAFE_INTEGER);
  const fits = (text: string): boolean =>
    text.length >= least && text.length <= most && (typeof pattern !== "string" || new RegExp(pattern, "u").test(text));
  const text = TEXTS.find(fits);
  return text ?? "example".padEnd(least, "x").slice(0, most);
}
