/** The one way a room changes: its lines, its revision, what its listeners and the agents' queue see of it. */
import type { ChatNotice, ChatSide } from "../../../protocol/mod.js";
import { ChatQueue, QUEUE_KEY } from "../chat-queue/messages.js";
import { asJson } from "../json.js";
import { type OpenRoom, type RoomContext, roomView } from "./state.js";

export const STATE_TTL_MS = 24 * 60 * 60_000;

export type Line =
  | { readonly type: "chat.notice"; readonly body: ChatNotice }
  | { readonly type: "chat.message"; readonly body: object; readonly side: ChatSide };

/** Commits `next` with these lines, numbered on from the newest. Whoever speaks has read what stood there before. */
export function save<R extends OpenRoom>(ctx: RoomContext, next: R, lines: readonly Line[] = []): R {
  let { top, reads } = next;
  for (const line of lines) {
    top++;
    if (line.type === "chat.message") reads = { ...reads, [line.side]: top };
    ctx.push("talk", line.type, asJson(line.body));
  }
  const room: R = { ...next, top, reads, revision: next.revision + 1, changedAt: ctx.now };
  const before = ctx.state;
  ctx.become(room);
  const view = roomView(ctx.key, room);
  if (ctx.hasSubscribers("state")) ctx.emit("state", "room", asJson(view), STATE_TTL_MS);
  if (room.kind === "support") {
    // That it waits, or has an agent, must arrive. What was said meanwhile may be lost: the next word brings it again.
    if (before.kind === "support" && before.standing === room.standing)
      ctx.cast(ChatQueue, QUEUE_KEY, "roomMoved", view);
    else ctx.tell(ChatQueue, QUEUE_KEY, "roomMoved", view);
  }
  return room;
}
