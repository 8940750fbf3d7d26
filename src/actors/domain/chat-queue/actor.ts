/**
 * The agents' queue, live: tells every agent which conversations wait and who has which. It decides nothing, a room does;
 * it keeps nothing, the index does.
 *
 * Invariants: of one room an older picture never follows a newer one; so many rooms are kept at the most, and beyond that
 * those that have waited longest.
 */
import type { RoomView } from "../../../protocol/mod.js";
import { type ActorDefinition, defineActor, Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import { ChatQueue, type ChatQueueContract } from "./messages.js";
import { emptyQueue, isOpen, type QueueMemory } from "./state.js";

const MOST_ROOMS = 500;
const TTL_MS = 24 * 60 * 60_000;
/** Of a room that has left, its last version is known for as long as messages about it may come twice. */
const GONE_KEPT = 1_000;

export function chatQueueActor(): ActorDefinition<ChatQueueContract, null, QueueMemory> {
  const ofStatus = (status: string) =>
    ({
      kind: "chat-room",
      scope: `support/${status}`,
      live: true,
      from: { at: 0, key: "" },
      limit: MOST_ROOMS,
    }) as const;
  return defineActor<ChatQueueContract, null, QueueMemory>({
    ref: ChatQueue,
    version: 1,
    durability: "volatile",
    idleMs: 30 * 60_000,
    init: () => null,
    volatile: emptyQueue,
    hydrate: {
      queries: () => [ofStatus("waiting"), ofStatus("assigned")],
      apply(ctx, rows) {
        for (const row of rows) ctx.volatile.rooms.set(row.key, row.view as unknown as RoomView);
      },
    },
    channels: {
      rooms: {
        delivery: "latest",
        admit: (_ctx, caller) =>
          caller.role === "support" || caller.role === "admin" ? true : new Rejection("not_found"),
        snapshot(ctx) {
          const slots: Record<string, { body: ReturnType<typeof asJson>; ttlMs: number }> = {};
          let shown = 0;
          for (const [roomId, view] of ctx.volatile.rooms) {
            if (!isOpen(view) || shown++ >= MOST_ROOMS) continue;
            slots[roomId] = { body: asJson(view), ttlMs: TTL_MS };
          }
          return slots;
        },
      },
    },
    commands: {
      roomMoved(ctx, view) {
        const { rooms } = ctx.volatile;
        const known = rooms.get(view.roomId);
        if (known !== undefined && known.version >= view.version) return null;
        const wasOpen = known !== undefined && isOpen(known);
        if (!wasOpen && !isOpen(view)) return null;
        rooms.delete(view.roomId);
        rooms.set(view.roomId, view);
        bound(rooms);
        ctx.emit("rooms", view.roomId, isOpen(view) ? asJson(view) : null, TTL_MS);
        return null;
      },
    },
  });
}

function bound(rooms: QueueMemory["rooms"]): void {
  let gone = 0;
  for (const view of rooms.values()) if (!isOpen(view)) gone++;
  for (const [roomId, view] of rooms) {
    if (gone <= GONE_KEPT && rooms.size <= MOST_ROOMS + GONE_KEPT) return;
    if (isOpen(view) && gone > GONE_KEPT) continue;
    if (!isOpen(view)) gone--;
    rooms.delete(roomId);
  }
}
