/** Whether what came over the network has the shape of a `LinkMessage`, so that its receiver may rely on the types. */
import type { LinkMessage } from "../../actors/runtime/link.js";

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
const text: Check = (value) => typeof value === "string";
const whole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const number: Check = (value) => typeof value === "number";
const anything: Check = () => true;
const bytes: Check = (value) => value instanceof Uint8Array;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** Whether an object has all these fields; further ones are a newer node's. */
function shape(checks: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(checks);
  return (value) => {
    if (!isFields(value)) return false;
    for (const [name, check] of entries) if (!check(value[name])) return false;
    return true;
  };
}

const address = shape({ kind: text, key: text });
const caller = shape({ id: text, role: text });
const version: Check = (value) => Array.isArray(value) && value.length === 2 && value.every(number);
const item = shape({ offset: whole, type: text, at: number, body: anything });
const slot = shape({ slot: text, version, at: number, ttlMs: number, body: anything });
const entry = shape({ key: text, version, value: anything, expiresAt: number });
const error = shape({
  code: text,
  temporary: (value) => typeof value === "boolean",
  retryAfterMs: orAbsent(number),
  detail: orAbsent(isFields),
});
const place = shape({ epoch: whole, offset: whole });

const SHAPES: Readonly<Record<LinkMessage["t"], Check>> = {
  ask: shape({
    id: whole,
    to: address,
    name: text,
    input: anything,
    commandId: text,
    bodyHash: text,
    caller,
    notAfter: orNull(number),
  }),
  reply: shape({ id: whole, value: anything }),
  error: shape({ id: whole, error, owner: orAbsent(text) }),
  cast: shape({ to: address, name: text, input: anything, caller: orNull(caller), from: orNull(address) }),
  tell: shape({ from: address, number: whole, to: address, name: text, input: bytes }),
  told: shape({ from: address, number: whole }),
  subscribe: shape({ id: whole, to: address, channel: text, caller, from: orNull(place) }),
  subscribed: shape({
    id: whole,
    epoch: whole,
    top: whole,
    recovered: (value) => typeof value === "boolean",
    events: listOf(item),
    slots: listOf(slot),
  }),
  unsubscribe: shape({ id: whole, to: address, channel: text }),
  acknowledge: shape({ to: address, channel: text, epoch: whole, offset: whole }),
  event: shape({ of: address, channel: text, item }),
  slot: shape({ of: address, channel: text, item: slot }),
  mirror: shape({ entry }),
  credit: shape({ count: whole }),
};

export function isLinkMessage(value: unknown): value is LinkMessage {
  if (!isFields(value) || typeof value.t !== "string" || !Object.hasOwn(SHAPES, value.t)) return false;
  return SHAPES[value.t as LinkMessage["t"]](value);
}
