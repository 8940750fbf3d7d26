/** A customer and the marketplace's agents: who opens, who answers, who is next. Of two agents who claim, the first has it. */
import type { RoomView } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import type { ChatRoomContract } from "./messages.js";
import { type Line, save } from "./save.js";
import { type RoomContext, roomView, type SupportRoom, sideOf } from "./state.js";

type Moved = ChatRoomContract["claim"]["reply"];

/** Opening again gives what there is. The service has proved that the order, if one is named, is the caller's. */
export function openSupport(
  ctx: RoomContext,
  { orderId }: ChatRoomContract["openSupport"]["input"],
): RoomView | Rejection {
  const { caller } = ctx.command;
  const room = ctx.state;
  if (room.kind !== "none") {
    return sideOf(room, caller) === "customer" ? roomView(ctx.key, room) : ctx.reject("not_found");
  }
  if (caller?.role !== "customer") return ctx.reject("not_found");
  const opened: SupportRoom = {
    kind: "support",
    customerId: caller.id,
    orderId,
    standing: { status: "open" },
    excerpt: "",
    revision: 0,
    top: 0,
    reads: {},
    openedAt: ctx.now,
    changedAt: ctx.now,
  };
  return roomView(ctx.key, save(ctx, opened));
}

/** The room as an agent may change it, and the agent's id; or the refusal. */
function asAgent(ctx: RoomContext): { readonly room: SupportRoom; readonly agentId: string } | Rejection {
  const room = ctx.state;
  const { caller } = ctx.command;
  if (caller === null || sideOf(room, caller) !== "support") return ctx.reject("not_found");
  if (room.kind !== "support") return ctx.reject("not_found");
  return { room, agentId: caller.id };
}

const moved = (room: SupportRoom): Moved => ({ status: room.standing.status, version: room.revision });
const notice = (body: Extract<Line, { type: "chat.notice" }>["body"]): readonly Line[] => [
  { type: "chat.notice", body },
];

/** Also of a conversation that nobody has asked for yet, or that was resolved: an agent may speak first. */
export function claim(ctx: RoomContext): Moved | Rejection {
  const agent = asAgent(ctx);
  if (!("room" in agent)) return agent;
  const { room, agentId } = agent;
  const { standing } = room;
  if (standing.status === "assigned") {
    return standing.agentId === agentId ? moved(room) : ctx.reject("claimed_by_other", { agentId: standing.agentId });
  }
  const next: SupportRoom = { ...room, standing: { status: "assigned", agentId, since: ctx.now } };
  return moved(save(ctx, next, notice({ notice: "claimed", agentId })));
}

/** Only the agent who has it gives it away; an admin may take it from anybody. */
export function transfer(ctx: RoomContext, to: string | undefined): Moved | Rejection {
  const agent = asAgent(ctx);
  if (!("room" in agent)) return agent;
  const { room, agentId } = agent;
  const { standing } = room;
  if (standing.status !== "assigned") return ctx.reject("illegal_transition", { status: standing.status });
  if (standing.agentId !== agentId && ctx.command.caller?.role !== "admin") {
    return ctx.reject("claimed_by_other", { agentId: standing.agentId });
  }
  if (to === standing.agentId) return moved(room);
  const next: SupportRoom = {
    ...room,
    standing:
      to === undefined ? { status: "waiting", since: ctx.now } : { status: "assigned", agentId: to, since: ctx.now },
  };
  return moved(
    save(ctx, next, notice(to === undefined ? { notice: "returned" } : { notice: "transferred", agentId: to })),
  );
}

export function resolve(ctx: RoomContext): Moved | Rejection {
  const room = ctx.state;
  const side = sideOf(room, ctx.command.caller);
  if (room.kind !== "support" || side === null) return ctx.reject("not_found");
  const { standing } = room;
  if (standing.status === "resolved") return moved(room);
  if (side === "support") {
    if (standing.status !== "assigned") return ctx.reject("illegal_transition", { status: standing.status });
    if (standing.agentId !== ctx.command.caller?.id && ctx.command.caller?.role !== "admin") {
      return ctx.reject("claimed_by_other", { agentId: standing.agentId });
    }
  }
  const agentId = standing.status === "assigned" ? standing.agentId : null;
  const next: SupportRoom = { ...room, standing: { status: "resolved", agentId, at: ctx.now } };
  return moved(save(ctx, next, notice({ notice: "resolved" })));
}

/** An agent takes it up again; a customer waits for one again. */
export function reopen(ctx: RoomContext): Moved | Rejection {
  const room = ctx.state;
  const side = sideOf(room, ctx.command.caller);
  if (room.kind !== "support" || side === null) return ctx.reject("not_found");
  if (room.standing.status !== "resolved") return ctx.reject("illegal_transition", { status: room.standing.status });
  const agentId = side === "support" ? (ctx.command.caller?.id ?? null) : null;
  const next: SupportRoom = {
    ...room,
    standing:
      agentId === null ? { status: "waiting", since: ctx.now } : { status: "assigned", agentId, since: ctx.now },
  };
  return moved(save(ctx, next, notice({ notice: "reopened", ...(agentId === null ? {} : { agentId }) })));
}
