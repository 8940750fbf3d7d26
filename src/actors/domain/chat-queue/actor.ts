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

const TTL_MS = 24 * 60 * 60_000;
/** Of rooms that have left, so many times as many are known by their last version, as messages about them may come twice. */
const GONE_SHARE = 2;

export function chatQueueActor(mostRooms = 500): ActorDefinition<ChatQueueContract, null, QueueMemory> {
  const ofStatus = (status: string) =>
    ({
      kind: "chat-room",
      scope: `support/${status}`,
      live: true,
      from: { at: 0, key: "" },
      limit: mostRooms,
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
            if (!isOpen(view) || shown++ >= mostRooms) continue;
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
        // One that comes back waits behind those that are there; one that is there keeps its place.
        if (!wasOpen) rooms.delete(view.roomId);
        rooms.set(view.roomId, view);
        bound(rooms, mostRooms);
        ctx.emit("rooms", view.roomId, isOpen(view) ? asJson(view) : null, TTL_MS);
        return null;
      },
    },
  });
}

/** Those that have left go first, then those that were heard of last. */
function bound(rooms: QueueMemory["rooms"], mostRooms: number): void {
  const open = [...rooms.values()].filter(isOpen);
  const gone = rooms.size - open.length;
  let spare = gone - mostRooms * GONE_SHARE;
  for (const [roomId, view] of rooms) {
    if (spare <= 0) break;
    if (isOpen(view)) continue;
    rooms.delete(roomId);
    spare--;
  }
  for (const { roomId } of open.slice(mostRooms)) rooms.delete(roomId);
}
