/**
 * What may stand in a log line. This file owns the rule of what is personal or secret; it does not own what is said.
 *
 * Invariants: a token, a secret, a phone number, a name's address or a position never leaves by a log, however deep it
 * lies; a line is bounded, whatever is thrown at it; the caller's values are never changed.
 */
export const REDACTED = "[redacted]";

/** Key names whose values are secret or personal, in lower case and without separators. */
const SECRET_KEYS = new Set([
  "token",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "authorization",
  "cookie",
  "setcookie",
  "password",
  "passphrase",
  "secret",
  "operatorsecret",
  "privatekey",
  "databaseurl",
  "connectionstring",
  "paymentmethod",
  "card",
  "phone",
  "phonenumber",
  "contact",
  "email",
  "address",
  "note",
  "lat",
  "lng",
  "latitude",
  "longitude",
  "position",
  "location",
  "destination",
  "fix",
  "fixes",
  "track",
]);

/** Texts that give a secret away whatever they are called: signed tokens, PEM keys, addresses with a password. */
const SECRET_TEXTS: readonly RegExp[] = [
  /\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\bBearer\s+[A-Za-z0-9._~+/-]+=*/gi,
  /(?<=:\/\/)[^\s/@:]*:[^\s/@]+(?=@)/g,
  /(?<![\w.-])\+\d[\d ()-]{7,}\d/g,
  // Bounded on both sides, so that a long line without one is read in one go.
  /[^\s@"'<>(){}[\]:/]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g,
];

const MAX_DEPTH = 6;
const MAX_ENTRIES = 50;
const MAX_TEXT = 4000;

/** A copy that may be written: secrets replaced, errors spelled out, size bounded. */
export function writable(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case "string":
      return textOf(value);
    case "bigint":
    case "symbol":
      return String(value);
    case "function":
      return "[function]";
    case "object":
      return value === null ? null : objectOf(value, depth);
    default:
      return value;
  }
}

/** A text that may be shown to whoever runs the node. */
export const redacted = (text: string): string => textOf(text);

function objectOf(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return errorOf(value, depth);
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof Map) return writable(Object.fromEntries(value), depth);
  if (value instanceof Set) return writable([...value], depth);
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ENTRIES).map((item) => writable(item, depth + 1));
    return value.length > MAX_ENTRIES ? [...items, `[${value.length - MAX_ENTRIES} more]`] : items;
  }
  const copy: Record<string, unknown> = {};
  const entries = Object.entries(value);
  for (const [key, item] of entries.slice(0, MAX_ENTRIES)) {
    copy[key] = isSecretKey(key) && item !== null && item !== undefined ? REDACTED : writable(item, depth + 1);
  }
  if (entries.length > MAX_ENTRIES) copy.more = `[${entries.length - MAX_ENTRIES} more]`;
  return copy;
}

function errorOf(error: Error, depth: number): unknown {
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    type: name,
    message: textOf(message),
    ...(code === undefined ? {} : { code: writable(code, depth + 1) }),
    ...(stack === undefined ? {} : { stack: textOf(stack) }),
    ...(cause === undefined ? {} : { cause: writable(cause, depth + 1) }),
  };
}

function textOf(text: string): string {
  let safe = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  for (const secret of SECRET_TEXTS) safe = safe.replace(secret, REDACTED);
  return safe;
}

function isSecretKey(key: string): boolean {
  return SECRET_KEYS.has(key.toLowerCase().replace(/[-_]/g, ""));
}
