/** What everybody in a room does: say, read, write. */
import { type ChatSpeaker, MOST_EXCERPT_CHARACTERS, typingSlot } from "../../../protocol/mod.js";
import type { Caller, Rejection } from "../../runtime/definition.js";
import type { ChatSettings } from "../settings.js";
import type { ChatRoomContract } from "./messages.js";
import { type Line, save } from "./save.js";
import { type OpenRoom, type RoomContext, sideOf } from "./state.js";

type Say = ChatRoomContract["say"];

/** Why this caller may not speak now, or null. */
function silence(ctx: RoomContext, room: OpenRoom, side: ChatSpeaker["side"]): Rejection | null {
  if (room.kind === "trip") {
    // Agents read what was said between the two; it is not their conversation.
    if (side === "support") return ctx.reject("forbidden");
    return room.standing.status === "closed" ? ctx.reject("room_closed") : null;
  }
  if (side !== "support") return null;
  const { standing } = room;
  if (standing.status !== "assigned") return ctx.reject("not_claimed");
  return standing.agentId === ctx.command.caller?.id
    ? null
    : ctx.reject("claimed_by_other", { agentId: standing.agentId });
}

export function say(ctx: RoomContext, input: Say["input"]): Say["reply"] | Rejection {
  const room = ctx.state;
  const { caller } = ctx.command;
  const side = sideOf(room, caller);
  if (room.kind === "none" || side === null || caller === null) return ctx.reject("not_found");
  const refused = silence(ctx, room, side);
  if (refused !== null) return refused;
  const { messageId, text, attachments = [] } = input;
  if (text.trim() === "" && attachments.length === 0) {
    return ctx.reject("invalid", { path: "/text", problem: "is empty, and nothing is attached" });
  }
  const from: ChatSpeaker = side === "support" ? { side, agentId: caller.id } : { side };
  const message: Line = {
    type: "chat.message",
    side,
    body: { messageId, text, ...(attachments.length === 0 ? {} : { attachments }), from },
  };
  ctx.volatile.typedAt.delete(side);
  if (ctx.hasSubscribers("state")) ctx.emit("state", typingSlot(side), { side }, 0);
  if (room.kind === "trip" || side === "support") {
    return { offset: save(ctx, tellOutside(ctx, room, side), [message]).top, at: ctx.now };
  }
  const { standing } = room;
  const excerpt = [...text].slice(0, MOST_EXCERPT_CHARACTERS).join("");
  const wakes = standing.status === "open" || standing.status === "resolved";
  const reopened: Line = { type: "chat.notice", body: { notice: "reopened" } };
  const after = save(
    ctx,
    { ...room, excerpt, ...(wakes ? { standing: { status: "waiting", since: ctx.now } as const } : {}) },
    standing.status === "resolved" ? [reopened, message] : [message],
  );
  return { offset: after.top, at: ctx.now };
}

/**
 * Whoever is not listening is to be told outside the app that something was written: once until they have read it. Agents
 * have their queue for that.
 */
function tellOutside(ctx: RoomContext, room: OpenRoom, by: ChatSpeaker["side"]): OpenRoom {
  const side = room.kind === "trip" && by === "customer" ? "driver" : "customer";
  const to: Caller =
    side === "driver" && room.kind === "trip"
      ? { role: "driver", id: room.driverId }
      : { role: "customer", id: room.customerId };
  if ((room.told?.[side] ?? 0) > (room.reads[side] ?? 0) || ctx.isHeardBy("talk", to)) return room;
  ctx.publish("chat.unheard", { roomId: ctx.key, kind: room.kind, orderId: room.orderId, to: { ...to }, at: ctx.now });
  return { ...room, told: { ...room.told, [side]: room.top + 1 } };
}

/** Reading on is a change; reading again, or beyond what was said, is none. */
export function read(
  ctx: RoomContext,
  { offset }: ChatRoomContract["read"]["input"],
): ChatRoomContract["read"]["reply"] | Rejection {
  const room = ctx.state;
  const side = sideOf(room, ctx.command.caller);
  if (room.kind === "none" || side === null) return ctx.reject("not_found");
  const before = room.reads[side] ?? 0;
  // An agent who only looks at another's conversation, or at a trip, has not read it for the others.
  if (side === "support" && !isOwn(room, ctx.command.caller?.id)) return { offset: before };
  const upTo = Math.min(offset, room.top);
  if (upTo <= before) return { offset: before };
  save(ctx, { ...room, reads: { ...room.reads, [side]: upTo } });
  return { offset: upTo };
}

const isOwn = (room: OpenRoom, agentId: string | undefined): boolean =>
  room.kind === "support" && room.standing.status === "assigned" && room.standing.agentId === agentId;

/**
 * One of the two is to be forgotten: every line goes, for both, because each answers the other. Not while an agent or a
 * driver may still answer.
 */
export function forgetPerson(
  ctx: RoomContext,
  { personId }: ChatRoomContract["forgetPerson"]["input"],
): ChatRoomContract["forgetPerson"]["reply"] | Rejection {
  const room = ctx.state;
  if (room.kind === "none") return ctx.reject("not_found");
  const isTheirs = room.customerId === personId || (room.kind === "trip" && room.driverId === personId);
  if (!isTheirs) return ctx.reject("not_found");
  const { status } = room.standing;
  if (status !== "closed" && status !== "resolved" && !(room.kind === "support" && status === "open")) {
    return ctx.reject("illegal_transition", { status });
  }
  ctx.trim("talk", Number.POSITIVE_INFINITY);
  save(ctx, room.kind === "support" ? { ...room, excerpt: "" } : room);
  return { forgotten: true };
}

/** Memory only, said at most every half of its time to live. */
export function typing(ctx: RoomContext, settings: ChatSettings): ChatRoomContract["typing"]["reply"] | Rejection {
  const room = ctx.state;
  const side = sideOf(room, ctx.command.caller);
  if (room.kind === "none" || side === null) return ctx.reject("not_found");
  const refused = silence(ctx, room, side);
  if (refused !== null) return refused;
  const before = ctx.volatile.typedAt.get(side) ?? 0;
  if (ctx.now - before < settings.typingMs / 2 || !ctx.hasSubscribers("state")) return { shown: false };
  ctx.volatile.typedAt.set(side, ctx.now);
  ctx.emit("state", typingSlot(side), { side }, settings.typingMs);
  return { shown: true };
}
