/** What others may send the agents' queue. There is one. */
import { AGENTS_KEY, type RoomView } from "../../../protocol/mod.js";
import { actorRef } from "../../runtime/definition.js";

export const QUEUE_KEY = AGENTS_KEY;

export type ChatQueueContract = {
  /** The whole picture each time: the last one heard is enough. */
  roomMoved: { input: RoomView; reply: null };
};

export const ChatQueue = actorRef<ChatQueueContract>("chat-queue");
