/** What commands and channels of conversation are answered with: the part of `replies.ts` that speaks of rooms. */
import { ChatMessage, ChatNotice, ROOM_STATUSES, RoomSnapshot, RoomView, TypingView } from "./chat.js";
import { Count, Millis, Strict, Type } from "./schemas.js";

const Number64 = Count(Number.MAX_SAFE_INTEGER);
const RoomMoved = Strict({ status: Type.Enum(ROOM_STATUSES), version: Number64 });

export const CHAT_COMMAND_REPLIES = {
  "chat.say": {
    summary: "Say something in a room. A customer's word brings a resolved conversation back to the agents.",
    reply: Strict({ offset: Number64, at: Millis }),
    refusals: ["not_found", "forbidden", "not_claimed", "claimed_by_other", "room_closed"],
  },
  "chat.read": {
    summary: "Say up to which line the caller's side has read.",
    reply: Strict({ offset: Number64 }),
    refusals: ["not_found"],
  },
  "chat.typing": {
    summary: "Say that the caller writes. Forgotten within seconds.",
    reply: Strict({ shown: Type.Boolean() }),
    refusals: ["not_found", "room_closed"],
  },
  "chat.claim": {
    summary: "Take a conversation that waits for an agent. Of two who ask at once one gets it.",
    reply: RoomMoved,
    refusals: ["not_found", "claimed_by_other", "illegal_transition"],
  },
  "chat.transfer": {
    summary: "Give a conversation to another agent, or back to the queue.",
    reply: RoomMoved,
    refusals: ["not_found", "claimed_by_other", "illegal_transition"],
  },
  "chat.resolve": {
    summary: "End a conversation with support. The customer's next word opens it again.",
    reply: RoomMoved,
    refusals: ["not_found", "claimed_by_other", "illegal_transition"],
  },
  "chat.reopen": {
    summary: "Bring a resolved conversation back: for an agent's own, for a customer to the queue.",
    reply: RoomMoved,
    refusals: ["not_found", "illegal_transition"],
  },
} as const;

export const CHAT_CHANNEL_MESSAGES = {
  room: { states: { snapshot: RoomSnapshot }, events: { "chat.message": ChatMessage, "chat.notice": ChatNotice } },
  "room-state": {
    states: {
      room: RoomView,
      "typing.customer": TypingView,
      "typing.driver": TypingView,
      "typing.support": TypingView,
    },
    events: {},
  },
  /** One slot for each room, named by its id; null once it neither waits nor has an agent. */
  agents: { states: { "<roomId>": Type.Union([RoomView, Type.Null()]) }, events: {} },
} as const;
