/**
 * The chat room: lines in one order for everybody, who may read and write them, and whose turn it is.
 *
 * Owns: the numbering of what is said, admission, receipts, the agents' claim. Does not own: the lines themselves, which
 * the channel `talk` keeps in the store for ever, or whether a customer and an order belong together (whoever opens it
 * has proved that).
 *
 * Invariants: a line is heard and acknowledged only once it is committed; a repeated command says nothing twice; of two
 * agents at most one has a conversation; whoever may no longer be in the room hears nothing that is said after that.
 */
import type { ChatLine } from "../../../protocol/mod.js";
import {
  type ActorDefinition,
  type Caller,
  defineActor,
  type KeptEvent,
  type ReadContext,
  Rejection,
} from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import { ChatRoom, type ChatRoomContract } from "./messages.js";
import { STATE_TTL_MS } from "./save.js";
import { emptyRoomMemory, noRoom, type RoomMemory, type RoomState, roomIndex, roomView, sideOf } from "./state.js";
import * as support from "./support.js";
import * as talk from "./talk.js";
import * as trip from "./trip.js";

type Read = ReadContext<RoomState, RoomMemory>;

/** In memory, for those who come back. What is older comes from the history. */
const KEPT_LINES = 64;
/** Of a snapshot: so many of the newest lines, and no more bytes than leave room in a socket's queue. */
const SHOWN_LINES = 50;
const SHOWN_BYTES = 48 * 1024;

const admit = (ctx: Read, caller: Caller): true | Rejection =>
  sideOf(ctx.state, caller) === null ? new Rejection("not_found") : true;

function newest(kept: readonly KeptEvent[]): readonly ChatLine[] {
  const lines: ChatLine[] = [];
  let bytes = 0;
  for (let i = kept.length - 1; i >= 0 && lines.length < SHOWN_LINES; i--) {
    const line = kept[i] as KeptEvent;
    bytes += JSON.stringify(line.body).length * 2;
    if (bytes > SHOWN_BYTES && lines.length > 0) break;
    lines.push(line as unknown as ChatLine);
  }
  return lines.reverse();
}

export function chatRoomActor({
  chat: settings,
}: DomainSettings): ActorDefinition<ChatRoomContract, RoomState, RoomMemory> {
  return defineActor<ChatRoomContract, RoomState, RoomMemory>({
    ref: ChatRoom,
    version: 1,
    durability: "commit",
    idleMs: 5 * 60_000,
    init: noRoom,
    volatile: emptyRoomMemory,
    index: roomIndex,
    channels: {
      talk: {
        delivery: "reliable",
        admit,
        snapshot: (_ctx, _caller, kept) => ({
          snapshot: { body: asJson({ lines: newest(kept) }), ttlMs: STATE_TTL_MS },
        }),
        keep: KEPT_LINES,
        archive: true,
      },
      state: {
        delivery: "latest",
        admit,
        snapshot: (ctx) =>
          ctx.state.kind === "none"
            ? {}
            : { room: { body: asJson(roomView(ctx.key, ctx.state)), ttlMs: STATE_TTL_MS } },
      },
    },
    volatileCommands: ["typing", "look"],
    commands: {
      say: (ctx, input) => talk.say(ctx, input),
      read: (ctx, input) => talk.read(ctx, input),
      typing: (ctx) => talk.typing(ctx, settings),
      claim: (ctx) => support.claim(ctx),
      transfer: (ctx, { agentId }) => support.transfer(ctx, agentId),
      resolve: (ctx) => support.resolve(ctx),
      reopen: (ctx) => support.reopen(ctx),
      openSupport: (ctx, input) => support.openSupport(ctx, input),
      look(ctx) {
        const { state } = ctx;
        if (state.kind === "none" || sideOf(state, ctx.command.caller) === null) return ctx.reject("not_found");
        return roomView(ctx.key, state);
      },
      forgetPerson: (ctx, input) => talk.forgetPerson(ctx, input),
      contact: (ctx) => trip.contact(ctx),
      openTrip: (ctx, input) => trip.openTrip(ctx, input),
      tripOver: (ctx, input) => trip.tripOver(ctx, settings, input),
      contactDone: (ctx, result) => trip.contactDone(ctx, settings, result),
      close: (ctx) => trip.close(ctx),
      retryContact: (ctx) => trip.retryContact(ctx),
    },
  });
}
