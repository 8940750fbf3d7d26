/** The common kinds of settings and the sections that hold them. */
import { type TObject, type TProperties, Type } from "../src/lib/json-type.js";
import { integer, number } from "./setting.js";

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export function section<P extends TProperties>(description: string, properties: P): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, description });
}

/** Milliseconds, whole. */
export const duration = (description: string, maximum: number = DAY_MS, minimum = 0) =>
  integer(minimum, maximum, { description, advice: "Give milliseconds." });

export const meters = (description: string, maximum: number) =>
  number(0, maximum, { description, advice: "Give metres." });

export const count = (description: string, maximum: number, minimum = 1) =>
  integer(minimum, maximum, { description, advice: "Give a count." });
