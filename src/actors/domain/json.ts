import type { Json } from "../../lib/json.js";

/**
 * A value of our own types as the engine wants it. Interfaces have no index signature, so the compiler cannot see that
 * they are plain data; every caller passes numbers, strings, booleans, arrays and objects of them only.
 */
export function asJson(value: unknown): Json {
  return value as Json;
}
