/** Conversation by HTTP: opening rooms, finding them again, what was said long ago, the agents' queue, the masked number. */
import { ChatLine, RoomId, RoomView } from "../chat.js";
import { Count, Id, type Static, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

const staff = ["support", "admin"] as const;
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100 }));

export const HistoryPage = Strict({
  /** Oldest first. */
  lines: Type.Array(ChatLine),
  /** Ask for the lines before this offset; absent at the beginning of the conversation. */
  nextBefore: Type.Optional(Count(Number.MAX_SAFE_INTEGER)),
});
export type HistoryPage = Static<typeof HistoryPage>;

export const CHAT_OPERATIONS = operations({
  "chat.openSupport": {
    method: "POST",
    path: "/v1/me/support-room",
    summary:
      "The caller's room with support, about one of their orders or about nothing in particular. Made when first asked for.",
    access: ["customer"],
    tier: "command",
    keyed: false,
    body: Strict({ orderId: Type.Optional(Id) }),
    reply: RoomView,
    refusals: ["not_found", "unavailable"],
  },
  "chat.openTrip": {
    method: "POST",
    path: "/v1/orders/:orderId/room",
    summary:
      "The room of an order's customer and its driver, from the pickup until a while after the delivery. Made when first asked for.",
    access: ["customer", "driver"],
    tier: "command",
    keyed: false,
    params: Strict({ orderId: Id }),
    reply: RoomView,
    refusals: ["not_found", "not_on_the_way", "unavailable"],
  },
  "chat.mine": {
    method: "GET",
    path: "/v1/me/rooms",
    summary:
      "The caller's rooms, those that changed last first: a customer's all, of a driver and an agent those that go on.",
    access: ["customer", "driver", ...staff],
    tier: "browse",
    query: Strict({ limit: Limit }),
    reply: Strict({ rooms: Type.Array(RoomView) }),
    refusals: ["unavailable"],
  },
  "chat.room": {
    method: "GET",
    path: "/v1/rooms/:roomId",
    summary: "How a room stands, and how far each side has read.",
    access: ["customer", "driver", ...staff],
    tier: "browse",
    params: Strict({ roomId: RoomId }),
    reply: RoomView,
    refusals: ["not_found", "unavailable"],
  },
  "chat.history": {
    method: "GET",
    path: "/v1/rooms/:roomId/messages",
    summary: "What was said in a room, page by page towards its beginning.",
    access: ["customer", "driver", ...staff],
    tier: "browse",
    params: Strict({ roomId: RoomId }),
    query: Strict({ before: Type.Optional(Count(Number.MAX_SAFE_INTEGER)), limit: Limit }),
    reply: HistoryPage,
    refusals: ["not_found", "unavailable"],
  },
  "chat.queue": {
    method: "GET",
    path: "/v1/support/queue",
    summary: "Conversations that wait for an agent, those that have waited longest first; or those that have one.",
    access: staff,
    tier: "browse",
    query: Strict({
      status: Type.Optional(Type.Enum(["waiting", "assigned"])),
      cursor: Type.Optional(Text(120)),
      limit: Limit,
    }),
    reply: Strict({ rooms: Type.Array(RoomView), next: Type.Optional(Type.String()) }),
    refusals: ["cursor_invalid", "unavailable"],
  },
  "contact.number": {
    method: "GET",
    path: "/v1/orders/:orderId/contact",
    summary:
      "The number by which an order's customer and its driver reach each other, the same for both: from the pickup to the delivery.",
    access: ["customer", "driver"],
    tier: "command",
    params: Strict({ orderId: Id }),
    reply: Strict({ number: Type.String() }),
    refusals: ["not_found", "not_on_the_way", "unavailable"],
  },
});
