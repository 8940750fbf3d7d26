import type { Json } from "../../lib/json.js";
import { decode } from "../../lib/msgpack.js";
import type { ChatLine } from "../../protocol/mod.js";
import type { ChatHistory } from "../../services/chat/ports.js";
import { addressOf, type MemoryTables } from "./tables.js";

/** The twin of the history on PostgreSQL: it reads the same events, of the actor store's tables. */
export function createMemoryChatHistory(tables: Pick<MemoryTables, "actors">): ChatHistory {
  return {
    async before(roomId, before, limit) {
      const room = tables.actors.get(addressOf({ kind: "chat-room", key: roomId }));
      const events = room?.channels.get("talk")?.events ?? [];
      return events
        .filter(({ offset }) => offset < before)
        .slice(-limit)
        .map(({ offset, type, at, body }) => ({ offset, type, at, body: decode<Json>(body) }) as unknown as ChatLine);
    },
  };
}
