/**
 * What people say to each other: rooms, their messages, who may be in them. A room's id says what it is: `support:<id>` is
 * a customer with the marketplace's agents, about the order or the customer of that id; `trip:<orderId>` is a customer with
 * the driver who carries the order.
 *
 * Messages and notices share one numbering, the offsets of the channel `room:<roomId>`: they rise by one, without holes.
 */
import { Count, Id, Millis, type Static, Strict, Text, Type } from "./schemas.js";

export const ROOM_KINDS = ["support", "trip"] as const;
export type RoomKind = (typeof ROOM_KINDS)[number];

const ROOM_PATTERN = "^(support|trip):[A-Za-z0-9._:-]{1,64}$";
const roomShape = new RegExp(ROOM_PATTERN);

export const RoomId = Type.String({ pattern: ROOM_PATTERN, maxLength: 72, minLength: 6 });

export function isRoomId(text: string): boolean {
  return roomShape.test(text);
}

export const supportRoomOf = (orderOrCustomerId: string): string => `support:${orderOrCustomerId}`;
export const tripRoomOf = (orderId: string): string => `trip:${orderId}`;

/** The sides of a conversation. Agents are one side, whoever of them speaks. */
export const CHAT_SIDES = ["customer", "driver", "support"] as const;
export type ChatSide = (typeof CHAT_SIDES)[number];
const Side = Type.Enum(CHAT_SIDES);

export const MOST_CHAT_CHARACTERS = 2_000;
const MOST_ATTACHMENTS = 4;
/** Of what a customer said last, as agents see it in their queue. */
export const MOST_EXCERPT_CHARACTERS = 140;

/** Where the bytes are is known by the id; a room never holds them. */
export const ChatAttachment = Strict({
  attachmentId: Id,
  mediaType: Type.String({ pattern: "^[a-z]+/[a-z0-9.+-]{1,60}$", maxLength: 80 }),
  sizeBytes: Count(50_000_000),
  name: Type.Optional(Text(120)),
});
export type ChatAttachment = Static<typeof ChatAttachment>;

const Said = {
  /** The client's own name for the message: by it the sender knows it again. */
  messageId: Id,
  text: Text(MOST_CHAT_CHARACTERS),
  attachments: Type.Optional(Type.Array(ChatAttachment, { maxItems: MOST_ATTACHMENTS })),
};

export const SayBody = Strict({ roomId: RoomId, ...Said });

/** Who spoke. Agents are named by their id; a customer and a driver never learn each other's. */
export const ChatSpeaker = Strict({ side: Side, agentId: Type.Optional(Id) });
export type ChatSpeaker = Static<typeof ChatSpeaker>;

export const ChatMessage = Strict({ ...Said, from: ChatSpeaker });
export type ChatMessage = Static<typeof ChatMessage>;

export const CHAT_NOTICES = [
  /** An agent took the conversation. */
  "claimed",
  /** It went to another agent. */
  "transferred",
  /** It waits for an agent again. */
  "returned",
  "resolved",
  "reopened",
  /** The delivery is over: the room closes soon. */
  "ending",
  "closed",
  /** Another driver carries the order. */
  "driver_changed",
] as const;
export type ChatNoticeKind = (typeof CHAT_NOTICES)[number];

export const ChatNotice = Strict({ notice: Type.Enum(CHAT_NOTICES), agentId: Type.Optional(Id) });
export type ChatNotice = Static<typeof ChatNotice>;

/** One line of a conversation, as history and snapshots give it. As events, message and notice are two types. */
export const ChatLine = Type.Union([
  Strict({ offset: Count(Number.MAX_SAFE_INTEGER), at: Millis, type: Type.Literal("chat.message"), body: ChatMessage }),
  Strict({ offset: Count(Number.MAX_SAFE_INTEGER), at: Millis, type: Type.Literal("chat.notice"), body: ChatNotice }),
]);
export type ChatLine = Static<typeof ChatLine>;

export const RoomSnapshot = Strict({
  /** The newest, oldest first; what is before them is in the history. */
  lines: Type.Array(ChatLine),
});
export type RoomSnapshot = Static<typeof RoomSnapshot>;

export const ROOM_STATUSES = [
  /** Open. In a support room: nothing was said that needs an agent. */
  "open",
  /** A customer waits for an agent. */
  "waiting",
  "assigned",
  "resolved",
  /** The order was delivered; a last word may be said until `endsAt`. */
  "ending",
  "closed",
] as const;
export type RoomStatus = (typeof ROOM_STATUSES)[number];

const Offset = Count(Number.MAX_SAFE_INTEGER);

export const RoomView = Strict({
  roomId: RoomId,
  kind: Type.Enum(ROOM_KINDS),
  /** Rises with every change. */
  version: Offset,
  status: Type.Enum(ROOM_STATUSES),
  /** The order it is about; absent: the customer's own concerns. */
  orderId: Type.Optional(Id),
  /** Of a support room. */
  customerId: Type.Optional(Id),
  /** Who answers it now, or did last. */
  agentId: Type.Optional(Id),
  openedAt: Millis,
  /** Since when an agent is waited for; absent: none is. */
  waitingSince: Type.Optional(Millis),
  endsAt: Type.Optional(Millis),
  /** The newest line's offset, 0 before the first. */
  top: Offset,
  /** Up to where each side has read; absent: nothing. */
  reads: Strict({
    customer: Type.Optional(Offset),
    driver: Type.Optional(Offset),
    support: Type.Optional(Offset),
  }),
  /** The beginning of what the customer of a support room said last. */
  excerpt: Type.Optional(Type.String()),
});
export type RoomView = Static<typeof RoomView>;

/** Somebody writes. Gone when its time to live is. */
export const TypingView = Strict({ side: Side });
export type TypingView = Static<typeof TypingView>;

/** The slot of `room-state:<roomId>` by which a side says that it writes. */
export const typingSlot = (side: ChatSide): string => `typing.${side}`;

/** Key of the one channel `agents`. */
export const AGENTS_KEY = "all";
