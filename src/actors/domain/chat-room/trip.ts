/**
 * A customer and the driver who carries the order: open from the first wish to talk after the pickup until a while after
 * the end. The number by which they call each other comes from a provider, is the same for both, and ends with the
 * delivery.
 */
import type { Json } from "../../../lib/json.js";
import type { EffectResult, Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { ChatSettings } from "../settings.js";
import type { ChatRoomContract, ContactAnswer, ContactRequest } from "./messages.js";
import { type Line, save } from "./save.js";
import { type Contact, type RoomContext, sideOf, type TripRoom } from "./state.js";

export const CONTACT_EFFECT = "contact";
const CONTACT_TIMER = "contact";
/** Of the pause between tries to end a number: a bit more than an hour by the usual settings. */
const MOST_DOUBLINGS = 7;

const notice = (kind: Extract<Line, { type: "chat.notice" }>["body"]["notice"]): readonly Line[] => [
  { type: "chat.notice", body: { notice: kind } },
];
const pairOf = ({ orderId, grant }: TripRoom): string => `${orderId}:${grant}`;

function ask(ctx: RoomContext, n: number, request: ContactRequest): void {
  ctx.effect(CONTACT_EFFECT, `${request.pairId}:${request.step}:${n}`, asJson(request) as Json, "contactDone");
}

/** The provider is told to end it; again by a timer until it has. */
function end(ctx: RoomContext, room: TripRoom): Contact {
  const n = room.contact.n + 1;
  ask(ctx, n, { step: "close", pairId: pairOf(room) });
  return { status: "closing", n };
}

export function openTrip(ctx: RoomContext, input: ChatRoomContract["openTrip"]["input"]): null {
  const room = ctx.state;
  const { orderId, customerId, driverId, grant } = input;
  if (room.kind === "support") return null;
  if (room.kind === "none") {
    if (grant <= room.over) return null;
    save<TripRoom>(ctx, {
      kind: "trip",
      orderId,
      customerId,
      driverId,
      grant,
      standing: { status: "open" },
      contact: { status: "none", n: 0 },
      revision: 0,
      top: 0,
      reads: {},
      openedAt: ctx.now,
      changedAt: ctx.now,
    });
    return null;
  }
  if (grant <= room.grant) return null;
  // Another driver: the one before is out of the room, and of the number.
  if (room.contact.status === "open" || room.contact.status === "opening") {
    ask(ctx, room.contact.n + 1, { step: "close", pairId: pairOf(room) });
  }
  ctx.cancelTimer("close");
  ctx.cancelTimer(CONTACT_TIMER);
  const { driver: _read, ...reads } = room.reads;
  save<TripRoom>(
    ctx,
    {
      ...room,
      driverId,
      grant,
      reads,
      standing: { status: "open" },
      contact: { status: "none", n: room.contact.n + 1 },
    },
    notice("driver_changed"),
  );
  dismiss(ctx);
  return null;
}

/** Whoever may no longer listen, hears no more. */
function dismiss(ctx: RoomContext): void {
  ctx.readmit("talk");
  ctx.readmit("state");
}

/** Also where it was asked for in vain: that no answer came does not say that no number was opened. */
function mayRing({ status, n }: Contact): boolean {
  return status === "open" || (status === "none" && n > 0);
}

export function tripOver(ctx: RoomContext, settings: ChatSettings, { grant }: { readonly grant: number }): null {
  const room = ctx.state;
  if (room.kind === "none") ctx.become({ kind: "none", over: Math.max(room.over, grant) });
  if (room.kind !== "trip" || room.standing.status !== "open" || grant < room.grant) return null;
  const endsAt = ctx.now + settings.afterDeliveryMs;
  ctx.timer("close", { at: endsAt, run: "close" });
  // One that is only on its way is ended when it has come.
  const contact = mayRing(room.contact) ? end(ctx, room) : room.contact;
  save<TripRoom>(ctx, { ...room, standing: { status: "ending", endsAt }, contact }, notice("ending"));
  return null;
}

export function close(ctx: RoomContext): null {
  const room = ctx.state;
  if (room.kind !== "trip" || room.standing.status !== "ending" || ctx.now < room.standing.endsAt) return null;
  save<TripRoom>(ctx, { ...room, standing: { status: "closed", at: ctx.now } }, notice("closed"));
  dismiss(ctx);
  return null;
}

/** The number, for the two who are on their way to each other and for nobody else. */
export function contact(ctx: RoomContext): { readonly number: string | null } | Rejection {
  const room = ctx.state;
  const side = sideOf(room, ctx.command.caller);
  if (room.kind !== "trip" || side === null || side === "support") return ctx.reject("not_found");
  if (room.standing.status !== "open") return ctx.reject("not_on_the_way", { status: "delivered" });
  switch (room.contact.status) {
    case "open":
      return { number: room.contact.number };
    case "opening":
      return { number: null };
    case "none":
    case "closing":
    case "closed": {
      // Whoever waits for a number asks many times a second: a provider that has said no hears of it now and then.
      if (room.contact.status === "none" && ctx.now < (room.contact.notBefore ?? 0)) return ctx.reject("unavailable");
      const n = room.contact.n + 1;
      const { customerId, driverId } = room;
      ask(ctx, n, { step: "open", pairId: pairOf(room), customerId, driverId });
      save<TripRoom>(ctx, { ...room, contact: { status: "opening", n } });
      return { number: null };
    }
  }
}

export function contactDone(ctx: RoomContext, settings: ChatSettings, result: EffectResult<ContactAnswer>): null {
  const room = ctx.state;
  if (room.kind !== "trip") return null;
  const { contact: current } = room;
  const asked = Number(result.key.slice(result.key.lastIndexOf(":") + 1));
  // The answer to something older: another driver's number, or one that was asked to be closed meanwhile.
  if (asked !== current.n) return null;
  if (current.status === "opening") {
    if (!result.ok || result.value.outcome !== "open") {
      if (room.standing.status !== "open") {
        save<TripRoom>(ctx, { ...room, contact: end(ctx, room) });
        return null;
      }
      const notBefore = ctx.now + settings.contactRetryMs;
      save<TripRoom>(ctx, { ...room, contact: { status: "none", n: current.n, notBefore } });
      return null;
    }
    const opened: TripRoom = { ...room, contact: { status: "open", n: current.n, number: result.value.number } };
    save(ctx, room.standing.status === "open" ? opened : { ...opened, contact: end(ctx, opened) });
    return null;
  }
  if (current.status !== "closing") return null;
  if (result.ok && result.value.outcome === "closed") {
    save<TripRoom>(ctx, { ...room, contact: { status: "closed", n: current.n } });
    return null;
  }
  // A refusal ends nothing either: whoever mends what the provider finds wrong, finds the number closed soon after.
  const pauseMs = settings.contactRetryMs * 2 ** Math.min(current.n - 2, MOST_DOUBLINGS);
  ctx.timer(CONTACT_TIMER, { at: ctx.now + pauseMs, run: "retryContact" });
  return null;
}

/** A number that stays open by mistake is asked to be closed until it is. */
export function retryContact(ctx: RoomContext): null {
  const room = ctx.state;
  if (room.kind === "trip" && room.contact.status === "closing")
    save<TripRoom>(ctx, { ...room, contact: end(ctx, room) });
  return null;
}
