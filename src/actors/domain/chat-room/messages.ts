/** What others may send a room. Its key is the room's id: `support:<id>` or `trip:<orderId>`. */
import type { CommandBody, CommandReplies, RoomView } from "../../../protocol/mod.js";
import { actorRef, type EffectResult } from "../../runtime/definition.js";

/** What a trip's room asks the contact effect to do. The provider sees one key per pair and asking. */
export type ContactRequest =
  | { readonly step: "open"; readonly pairId: string; readonly customerId: string; readonly driverId: string }
  | { readonly step: "close"; readonly pairId: string };

export type ContactAnswer =
  | { readonly outcome: "open"; readonly number: string }
  | { readonly outcome: "closed" }
  /** The provider will never do it. */
  | { readonly outcome: "refused"; readonly reason: string };

export type ChatRoomContract = {
  // Clients
  say: { input: CommandBody<"chat.say">; reply: CommandReplies["chat.say"] };
  read: { input: CommandBody<"chat.read">; reply: CommandReplies["chat.read"] };
  typing: { input: CommandBody<"chat.typing">; reply: CommandReplies["chat.typing"] };
  claim: { input: CommandBody<"chat.claim">; reply: CommandReplies["chat.claim"] };
  transfer: { input: CommandBody<"chat.transfer">; reply: CommandReplies["chat.transfer"] };
  resolve: { input: CommandBody<"chat.resolve">; reply: CommandReplies["chat.resolve"] };
  reopen: { input: CommandBody<"chat.reopen">; reply: CommandReplies["chat.reopen"] };
  // The service of conversation, for the caller whom it has proved to be concerned
  openSupport: { input: { readonly orderId: string | null }; reply: RoomView };
  look: { input: null; reply: RoomView };
  /** The masked number, asked for when there is none. Null: it is on its way. */
  contact: { input: null; reply: { readonly number: string | null } };
  // The service that forgets people
  /** What was said is erased; that somebody wrote, and when it was resolved, stays. Refused while it goes on. */
  forgetPerson: { input: { readonly personId: string }; reply: { readonly forgotten: true } };
  // The order actor
  /** Somebody wants to talk, and this driver carries the order. A greater grant takes the place of a smaller one. */
  openTrip: {
    input: {
      readonly orderId: string;
      readonly customerId: string;
      readonly driverId: string;
      readonly grant: number;
    };
    reply: null;
  };
  /** The order is delivered, or over. */
  tripOver: { input: { readonly grant: number }; reply: null };
  // The contact effect
  contactDone: { input: EffectResult<ContactAnswer>; reply: null };
  // Its own timers
  close: { input: null; reply: null };
  retryContact: { input: null; reply: null };
};

export const ChatRoom = actorRef<ChatRoomContract>("chat-room");
