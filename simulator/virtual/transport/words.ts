/** A message as text, for stories. Never part of a trace's hash. */
import { CODECS, OP, SERVER_FRAME_LIMITS } from "../../../src/protocol/mod.js";

const LONGEST = 300;
const NAMES = new Map(Object.entries(OP).map(([name, op]) => [op as number, name.toUpperCase()]));

export function wordsOf(way: "up" | "down", message: Uint8Array | string): string {
  const arrow = way === "up" ? "says" : "hears";
  return `${arrow} ${textOf(message).slice(0, LONGEST)}`;
}

function textOf(message: Uint8Array | string): string {
  if (typeof message === "string") return message;
  const decoded = CODECS.msgpack.decode(message, SERVER_FRAME_LIMITS);
  if (!decoded.ok) return Buffer.from(message).toString();
  const { value } = decoded;
  if (!Array.isArray(value)) return JSON.stringify(value);
  const [op, ...rest] = value as readonly unknown[];
  return `${NAMES.get(op as number) ?? String(op)} ${JSON.stringify(rest)}`;
}
