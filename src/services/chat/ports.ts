/** What the service of conversation needs of the store. Adapters are in `src/store`; all pass `chat-history.contract.ts`. */
import type { ChatLine } from "../../protocol/mod.js";

export interface ChatHistory {
  /** Lines of a room with an offset below `before`, the newest `limit` of them, oldest first. Only what is committed. */
  before(roomId: string, before: number, limit: number): Promise<readonly ChatLine[]>;
}
