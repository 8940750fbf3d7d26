/**
 * What one setting is: a JSON schema for its value, with how it may be given and what to do when it is wrong. The schema
 * of the whole configuration (`schema.ts`) is built from these; help, documents and error messages are read from it.
 */
import { createPrivateKey } from "node:crypto";
import { isIP } from "node:net";
import { type TSchema, type TUnsafe, Type } from "../src/lib/json-type.js";

export interface SettingNotes {
  /** A sentence: what it is for. */
  readonly description: string;
  /** Short names in the environment, beside the long one that every setting has. */
  readonly env?: readonly string[];
  /** Short names on the command line, without the dashes. */
  readonly flags?: readonly string[];
  /** `value`: never printed. `url`: printed without its user and password, which are sent along (`lib/endpoint.ts`). */
  readonly secret?: "value" | "url";
  /** What to do when the value is wrong. Ends a message, so it is a whole sentence. */
  readonly advice?: string;
}

/** Keywords that are ours and not JSON Schema's. */
export const SETTING_KEYWORDS = ["env", "flags", "secret", "advice"] as const;

/** Formats of our own, by name; `load.ts` judges by them. */
export const NETWORK = "network";
export const SIGNING_KEY = "signing-key";
export const ADDRESS = "address";
export const TIME_ZONE = "time-zone";

/**
 * Whether a client of the server will understand its address. The most frequent mistake is a password as it is: what
 * follows its `#`, `/` or `?` is then no host any more, and whoever looks for it blames the network. Several servers of
 * one NATS cluster have commas between them.
 */
export function isAddress(text: string): boolean {
  return (/^(nats|tls):/.test(text) ? text.split(",") : [text]).every((each) => {
    try {
      const { protocol, hostname, username, password, pathname, hash } = new URL(each.trim());
      decodeURIComponent(`${username}${password}`);
      if (/^https?:$/.test(protocol)) return hostname !== "";
      // PostgreSQL may be reached by a socket in a folder.
      return hash === "" && !pathname.includes("@") && (hostname !== "" || protocol.startsWith("postgres"));
    } catch {
      return false;
    }
  });
}

/** The text of a private Ed25519 key. */
export function isSigningKey(text: string): boolean {
  try {
    return createPrivateKey(text).asymmetricKeyType === "ed25519";
  } catch {
    return false;
  }
}

export function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export type SettingType = "integer" | "number" | "boolean" | "string" | "list" | "map";

export const integer = (minimum: number, maximum: number, notes: SettingNotes) =>
  Type.Integer({ minimum, maximum, ...notes });

export const number = (minimum: number, maximum: number, notes: SettingNotes) =>
  Type.Number({ minimum, maximum, ...notes });

export const boolean = (notes: SettingNotes) => Type.Boolean({ ...notes });

export const text = (maxLength: number, notes: SettingNotes, pattern?: string) =>
  Type.String({ minLength: 1, maxLength, ...(pattern === undefined ? {} : { pattern }), ...notes });

/** A text that may be missing: null means "not set". */
export const optionalText = (
  maxLength: number,
  notes: SettingNotes,
  shape: { readonly pattern?: string; readonly minLength?: number; readonly format?: string } = {},
): TUnsafe<string | null> =>
  Type.Unsafe<string | null>({ type: ["string", "null"], minLength: 1, maxLength, ...shape, ...notes });

export const oneOf = <const V extends readonly string[]>(values: V, notes: SettingNotes): TUnsafe<V[number]> =>
  Type.Unsafe<V[number]>({ type: "string", enum: values, ...notes });

export const list = (maxItems: number, maxLength: number, notes: SettingNotes) =>
  Type.Array(Type.String({ minLength: 1, maxLength }), { maxItems, ...notes });

/** IP addresses, and networks as `10.0.0.0/8`. */
export const networks = (maxItems: number, notes: SettingNotes) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 50, format: NETWORK }), { maxItems, ...notes });

export const listOf = <const V extends readonly string[]>(values: V, notes: SettingNotes): TUnsafe<V[number][]> =>
  Type.Unsafe<V[number][]>({
    type: "array",
    items: { type: "string", enum: values },
    uniqueItems: true,
    maxItems: values.length,
    ...notes,
  });

/** A name → one of a few words, for example a mode for each zone that differs from the default. */
export const mapOf = <const V extends readonly string[]>(
  values: V,
  maxProperties: number,
  notes: SettingNotes,
): TUnsafe<Record<string, V[number]>> =>
  Type.Unsafe<Record<string, V[number]>>({
    type: "object",
    additionalProperties: { type: "string", enum: values },
    maxProperties,
    ...notes,
  });

/** One setting, found in the schema. */
export interface Setting extends SettingNotes {
  /** For example `http.port`. */
  readonly key: string;
  readonly path: readonly string[];
  readonly type: SettingType;
  readonly optional: boolean;
  /** What is allowed, in words. */
  readonly allowed: string;
  /** The name in the environment that every setting has, for example `SWIFT_EATS_HTTP_PORT`. */
  readonly longEnv: string;
}

export const ENV_PREFIX = "SWIFT_EATS_";

interface Keywords extends Partial<SettingNotes> {
  readonly type?: string | readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly maxProperties?: number;
  readonly enum?: readonly string[];
  readonly items?: { readonly enum?: readonly string[]; readonly format?: string };
  readonly additionalProperties?: false | { readonly enum?: readonly string[] };
  readonly properties?: Readonly<Record<string, TSchema>>;
}

/** Every setting of a schema, in the schema's order. */
export function settingsOf(schema: TSchema, path: readonly string[] = []): readonly Setting[] {
  const keywords = schema as Keywords;
  if (keywords.properties !== undefined) {
    return Object.entries(keywords.properties).flatMap(([name, child]) => settingsOf(child, [...path, name]));
  }
  const types = typeof keywords.type === "string" ? [keywords.type] : (keywords.type ?? []);
  const optional = types.includes("null");
  return [
    {
      key: path.join("."),
      path,
      type: typeOf(types),
      optional,
      allowed: allowedBy(keywords, types, optional),
      longEnv: ENV_PREFIX + path.map(upperSnake).join("_"),
      description: keywords.description ?? "",
      env: keywords.env ?? [],
      flags: keywords.flags ?? [],
      ...(keywords.secret === undefined ? {} : { secret: keywords.secret }),
      ...(keywords.advice === undefined ? {} : { advice: keywords.advice }),
    },
  ];
}

/** The sections of a schema with their descriptions: every object in it, outermost first. */
export function sectionsOf(
  schema: TSchema,
  path: readonly string[] = [],
): readonly { readonly key: string; readonly description: string }[] {
  const keywords = schema as Keywords;
  if (keywords.properties === undefined) return [];
  const own = path.length === 0 ? [] : [{ key: path.join("."), description: keywords.description ?? "" }];
  return [
    ...own,
    ...Object.entries(keywords.properties).flatMap(([name, child]) => sectionsOf(child, [...path, name])),
  ];
}

function typeOf(types: readonly string[]): SettingType {
  if (types.includes("integer")) return "integer";
  if (types.includes("number")) return "number";
  if (types.includes("boolean")) return "boolean";
  if (types.includes("array")) return "list";
  if (types.includes("object")) return "map";
  return "string";
}

function allowedBy(keywords: Keywords, types: readonly string[], optional: boolean): string {
  const bounds = `from ${keywords.minimum} to ${keywords.maximum}`;
  if (types.includes("integer")) return `a whole number ${bounds}`;
  if (types.includes("number")) return `a number ${bounds}`;
  if (types.includes("boolean")) return "true or false";
  if (types.includes("object")) {
    const words = keywords.additionalProperties === false ? [] : (keywords.additionalProperties?.enum ?? []);
    return `at most ${keywords.maxProperties} pairs name=word separated by commas, a word being one of ${words.join(", ")}`;
  }
  if (keywords.items?.enum !== undefined) return `a list, separated by commas, of ${keywords.items.enum.join(", ")}`;
  if (keywords.items?.format === NETWORK) {
    return `a list of at most ${keywords.maxItems} addresses or networks, separated by commas`;
  }
  if (types.includes("array")) return `a list of at most ${keywords.maxItems} texts, separated by commas`;
  if (keywords.format === SIGNING_KEY) return "a private Ed25519 key as PEM, or nothing";
  if (keywords.format === TIME_ZONE) return "a time zone by its IANA name, or nothing";
  if (keywords.enum !== undefined) return `one of ${keywords.enum.join(", ")}`;
  if (keywords.format === ADDRESS) {
    const signs = "what a password has of # / ? % is written %23 %2F %3F %25";
    return `an address matching ${keywords.pattern}; ${signs}${optional ? "; or nothing" : ""}`;
  }
  const matching = keywords.pattern === undefined ? "" : ` matching ${keywords.pattern}`;
  return `a text of ${keywords.minLength} to ${keywords.maxLength} characters${matching}${optional ? ", or nothing" : ""}`;
}

function upperSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
