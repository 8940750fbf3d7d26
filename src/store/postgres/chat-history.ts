/** What was said in a room: the events of its channel, which the flush wrote with everything else that changed. */
import type { Clock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import { type Log, silentLog } from "../../lib/log.js";
import { decode } from "../../lib/msgpack.js";
import type { ChatLine } from "../../protocol/mod.js";
import type { ChatHistory } from "../../services/chat/ports.js";
import { openConnections } from "./connection.js";

export interface PostgresChatHistory extends ChatHistory {
  close(): Promise<void>;
}

const MAX_WAITING = 256;
const BEFORE = `
SELECT "offset"::float8 AS "offset", type, at, body FROM channel_event
  WHERE kind = 'chat-room' AND key = $1 AND channel = 'talk' AND "offset" < $2::bigint
  ORDER BY "offset" DESC LIMIT $3::int`;

/** Connects when first used; a lost connection is replaced. */
export function createPostgresChatHistory(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresChatHistory {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats conversation",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "conversation" }),
  });
  return {
    before: (roomId, before, limit) =>
      connections.run(async (client) => {
        const { rows } = await client.query<{ offset: number; type: string; at: number; body: Uint8Array }>(BEFORE, [
          roomId,
          before,
          limit,
        ]);
        return rows
          .map(({ offset, type, at, body }) => ({ offset, type, at, body: decode<Json>(body) }) as unknown as ChatLine)
          .reverse();
      }),
    close: () => connections.close(),
  };
}
