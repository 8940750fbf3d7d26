/**
 * How a message looks on the line. Those that go by thousands a second (asks, their answers, casts and slots) are lists,
 * whose places have no names to write, read and look up; the others are maps, as they are.
 */

import type { LinkMessage } from "../../actors/runtime/link.js";
import type { Mutable } from "../../lib/mutable.js";
import { isLinkMessage } from "./messages.js";

type Of<T extends LinkMessage["t"]> = Extract<LinkMessage, { t: T }>;

/** The first place of a list. */
const ASK = 1;
const REPLY = 2;
const CAST = 3;
const SLOT = 4;

export function flat(message: LinkMessage): unknown {
  switch (message.t) {
    case "ask": {
      const { id, to, name, input, commandId, bodyHash, caller, notAfter } = message;
      const mayWait = message.mayWait === true;
      return [ASK, mayWait, id, to.kind, to.key, name, input, commandId, bodyHash, caller.id, caller.role, notAfter];
    }
    case "reply":
      return [REPLY, message.mayWait === true, message.id, message.value];
    case "cast": {
      const { to, name, input, caller, from } = message;
      const by = caller === null ? null : [caller.id, caller.role];
      return [
        CAST,
        to.kind,
        to.key,
        name,
        input,
        by,
        from === null ? null : from.kind,
        from === null ? null : from.key,
      ];
    }
    case "slot": {
      const { of, channel, item } = message;
      const { slot, version, at, ttlMs, body } = item;
      return [SLOT, of.kind, of.key, channel, slot, version[0], version[1], at, ttlMs, body];
    }
    default:
      return message;
  }
}

/** Null for whatever is no message. */
export function messageOf(value: unknown): LinkMessage | null {
  if (!Array.isArray(value)) return isLinkMessage(value) ? value : null;
  switch (value[0]) {
    case ASK:
      return askOf(value);
    case REPLY:
      return replyOf(value);
    case CAST:
      return castOf(value);
    case SLOT:
      return slotOf(value);
    default:
      return null;
  }
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function askOf(list: readonly unknown[]): Of<"ask"> | null {
  const [, mayWait, id, kind, key, name, input, commandId, bodyHash, callerId, role, notAfter] = list;
  if (list.length < 12 || !isId(id) || !isText(kind) || !isText(key) || !isText(name) || !isText(commandId))
    return null;
  if (!isText(bodyHash) || !isText(callerId) || !isText(role) || !(notAfter === null || isNumber(notAfter)))
    return null;
  const to = { kind, key };
  const caller = { id: callerId, role };
  const ask: Mutable<Of<"ask">> = { t: "ask", id, to, name, input, commandId, bodyHash, caller, notAfter };
  if (mayWait === true) ask.mayWait = true;
  return ask;
}

function replyOf(list: readonly unknown[]): Of<"reply"> | null {
  const [, mayWait, id, value] = list;
  if (list.length < 4 || !isId(id)) return null;
  const reply: Mutable<Of<"reply">> = { t: "reply", id, value };
  if (mayWait === true) reply.mayWait = true;
  return reply;
}

function castOf(list: readonly unknown[]): Of<"cast"> | null {
  const [, kind, key, name, input, by, fromKind, fromKey] = list;
  if (list.length < 8 || !isText(kind) || !isText(key) || !isText(name)) return null;
  const from = fromKind === null ? null : { kind: fromKind as string, key: fromKey as string };
  if (from !== null && !(isText(from.kind) && isText(from.key))) return null;
  const [id, role] = by === null ? [null, null] : Array.isArray(by) ? by : [];
  if (id !== null && !(isText(id) && isText(role))) return null;
  const caller = id === null ? null : { id, role: role as string };
  return { t: "cast", to: { kind, key }, name, input, caller, from };
}

function slotOf(list: readonly unknown[]): Of<"slot"> | null {
  const [, kind, key, channel, slot, epoch, counter, at, ttlMs, body] = list;
  if (list.length < 10 || !isText(kind) || !isText(key) || !isText(channel) || !isText(slot)) return null;
  if (!isNumber(epoch) || !isNumber(counter) || !isNumber(at) || !isNumber(ttlMs)) return null;
  const item: Of<"slot">["item"] = {
    slot,
    version: [epoch, counter],
    at,
    ttlMs,
    body: body as Of<"slot">["item"]["body"],
  };
  return { t: "slot", of: { kind, key }, channel, item };
}
