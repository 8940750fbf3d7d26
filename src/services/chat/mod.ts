/**
 * Conversation as a service (R-COM-1): who may open which room, where rooms are found again, what was said long ago.
 *
 * Owns: the proof that an order and a caller belong together before a room is opened. Does not own: who may speak and
 * read in a room that is open, which the room itself decides; nothing is read from the history before it has.
 */
import { type ActorClient, type ActorStore, actorRef } from "../../actors/runtime/mod.js";
import { type Clock, sleep } from "../../lib/clock.js";
import {
  type CHAT_OPERATIONS,
  type ErrorCode,
  isErrorCode,
  type OperationCaller,
  type OperationHandlers,
  type OperationResult,
  type OrderTracking,
  type RoomView,
  supportRoomOf,
} from "../../protocol/mod.js";
import type { ChatHistory } from "./ports.js";

export { roomForgetter } from "./forget.js";
export { saidReader } from "./kept.js";
export type { ChatHistory } from "./ports.js";

const Room = actorRef<{
  openSupport: { input: { readonly orderId: string | null }; reply: RoomView };
  look: { input: null; reply: RoomView };
  contact: { input: null; reply: { readonly number: string | null } };
}>("chat-room");
const Order = actorRef<{ talk: { input: null; reply: { readonly roomId: string; readonly opening: boolean } } }>(
  "order",
);

const TIMEOUT_MS = 5_000;
const PAGE = 50;
/** A room opens, and a number comes, within moments; whoever waits longer asks again. */
const LOOK_AGAIN_MS = 25;
const LOOKS = 80;
const UNAVAILABLE = { ok: false, code: "unavailable", retryAfterMs: 1_000 } as const;

export function chatOperations(deps: {
  readonly client: Pick<ActorClient, "ask">;
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly history: ChatHistory;
  readonly clock: Clock;
}): OperationHandlers<typeof CHAT_OPERATIONS> {
  const { client, index, history, clock } = deps;
  // Nothing of this is remembered: asking twice is harmless by what the actors make of it.
  const as = ({ id, role }: OperationCaller) => ({ commandId: "", caller: { id, role }, timeoutMs: TIMEOUT_MS });

  type Answer<R> = Awaited<ReturnType<typeof client.ask<{ x: { input: null; reply: R } }, "x">>>;
  function answered<R>(answer: Answer<R>): OperationResult<R> {
    if (answer.ok) return { ok: true, value: answer.value };
    const { code, detail, retryAfterMs } = answer.error;
    const known: ErrorCode = isErrorCode(code) ? code : "internal";
    return {
      ok: false,
      code: known,
      ...(detail === undefined ? {} : { detail }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  async function guarded<T>(work: () => Promise<OperationResult<T>>): Promise<OperationResult<T>> {
    try {
      return await work();
    } catch {
      return UNAVAILABLE;
    }
  }

  const look = async (caller: OperationCaller, roomId: string) =>
    answered(await client.ask(Room, roomId, "look", null, as(caller)));

  /** The order's room, once the order's word has arrived there. */
  async function openTrip(caller: OperationCaller, orderId: string): Promise<OperationResult<RoomView>> {
    const asked = await client.ask(Order, orderId, "talk", null, as(caller));
    if (!asked.ok) return answered<RoomView>(asked);
    const { roomId, opening } = asked.value;
    for (let tries = 0; tries < LOOKS; tries++) {
      const seen = await look(caller, roomId);
      // Not found while it opens: the order's word is still on its way.
      if (seen.ok || seen.code !== "not_found" || !opening) return seen;
      await sleep(clock, LOOK_AGAIN_MS);
    }
    return { ok: false, code: "not_found" };
  }

  const viewsOf = (rows: readonly { readonly view: unknown }[]): RoomView[] => rows.map(({ view }) => view as RoomView);

  return {
    "chat.openSupport": ({ caller, body }) =>
      guarded(async () => {
        const orderId = body.orderId ?? null;
        if (orderId !== null) {
          const [row] = await index.queryIndex({ kind: "order", keys: [orderId], limit: 1 });
          const order = row?.view as unknown as OrderTracking | undefined;
          if (order?.customerId !== caller.id) return { ok: false, code: "not_found" };
        }
        const roomId = supportRoomOf(orderId ?? caller.id);
        return answered(await client.ask(Room, roomId, "openSupport", { orderId }, as(caller)));
      }),
    "chat.openTrip": ({ caller, params }) => guarded(() => openTrip(caller, params.orderId)),
    "chat.mine": ({ caller, query }) =>
      guarded(async () => {
        const limit = query.limit ?? PAGE;
        const whose =
          caller.role === "customer"
            ? { owner: caller.id }
            : { counterparty: `${caller.role === "driver" ? "driver" : "agent"}/${caller.id}`, live: true };
        const rows = await index.queryIndex({ kind: "chat-room", ...whose, limit });
        return { ok: true, value: { rooms: viewsOf(rows) } };
      }),
    "chat.room": ({ caller, params }) => guarded(() => look(caller, params.roomId)),
    "chat.history": ({ caller, params, query }) =>
      guarded(async () => {
        const { roomId } = params;
        const seen = await look(caller, roomId);
        if (!seen.ok) return seen;
        const limit = query.limit ?? PAGE;
        const lines = await history.before(roomId, query.before ?? Number.MAX_SAFE_INTEGER, limit);
        const first = lines[0];
        const more = first !== undefined && first.offset > 1;
        return { ok: true, value: { lines: [...lines], ...(more ? { nextBefore: first.offset } : {}) } };
      }),
    "chat.queue": ({ query }) =>
      guarded(async () => {
        const limit = query.limit ?? PAGE;
        const from = query.cursor === undefined ? { at: 0, key: "" } : readCursor(query.cursor);
        if (from === null) return { ok: false, code: "cursor_invalid" };
        const scope = `support/${query.status ?? "waiting"}`;
        const rows = await index.queryIndex({ kind: "chat-room", scope, live: true, from, limit: limit + 1 });
        const page = rows.slice(0, limit);
        const last = page.at(-1);
        const next = rows.length > limit && last !== undefined ? { next: `${last.at}.${last.key}` } : {};
        return { ok: true, value: { rooms: viewsOf(page), ...next } };
      }),
    "contact.number": ({ caller, params }) =>
      guarded(async () => {
        const opened = await openTrip(caller, params.orderId);
        if (!opened.ok) return opened;
        if (!("value" in opened)) return UNAVAILABLE;
        for (let tries = 0; tries < LOOKS; tries++) {
          const given = answered(await client.ask(Room, opened.value.roomId, "contact", null, as(caller)));
          if (!given.ok) return given;
          const number = "value" in given ? given.value.number : null;
          if (number !== null) return { ok: true, value: { number } };
          await sleep(clock, LOOK_AGAIN_MS);
        }
        return UNAVAILABLE;
      }),
  };
}

/** Where a page of the queue ended; null when it is none of ours. */
function readCursor(text: string): { readonly at: number; readonly key: string } | null {
  const match = /^([0-9]{1,15})\.(.+)$/.exec(text);
  const key = match?.[2] ?? "";
  return match !== null && key.length <= 72 ? { at: Number(match[1]), key } : null;
}
