/** The compiler checks most of this file: a type that no longer is what its schema says does not compile. */
import t from "tap";
import { COMMANDS, type CommandReplies, type CommandType } from "./commands.js";
import type { DispatchView } from "./dispatch.js";
import type { MenuView } from "./menus.js";
import type {
  DriverEvent,
  DriverSnapshot,
  GpsAck,
  InboxSnapshot,
  OrderView,
  PositionView,
  TabletEvent,
  TrackedOrder,
  ZoneLive,
} from "./orders.js";
import * as replies from "./replies.js";
import type { Static, TSchema } from "./schemas.js";

type Frozen<T> = T extends readonly unknown[] | object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;
/** With every optional field there: without this, one that only one side has would fit the other. */
type Whole<T> = T extends readonly unknown[] | object ? { readonly [K in keyof T]-?: Whole<T[K]> } : T;
type Fit<A, B> = [A] extends [B] ? ([B] extends [A] ? true : "type is wider") : "schema is wider";
/** `true` when each fits where the other is wanted, whatever may be written to or left out. */
type Same<A, B> = Fit<Frozen<A>, Frozen<B>> extends true ? Fit<Whole<A>, Whole<B>> : Fit<Frozen<A>, Frozen<B>>;
type Said<S extends TSchema, T> = Same<Static<S>, T>;
type Events<E extends { type: string; body: unknown }> = { [T in E["type"]]: Extract<E, { type: T }>["body"] };
type SchemasOf<T extends Record<string, TSchema>> = { [K in keyof T]: Static<T[K]> };
const holds = <T extends true>(_: T): void => undefined;

t.test("R-PRO-2: what the documents say of answers is what the code's types say", async (t) => {
  holds<Said<typeof replies.OrderViewReply, OrderView>>(true);
  holds<Said<typeof replies.PositionReply, PositionView>>(true);
  holds<Said<typeof replies.TrackedOrderReply, TrackedOrder>>(true);
  holds<Said<typeof replies.MenuReply, MenuView>>(true);
  holds<Said<typeof replies.DriverSnapshotReply, DriverSnapshot>>(true);
  holds<Said<typeof replies.InboxSnapshotReply, InboxSnapshot>>(true);
  holds<Said<typeof replies.ZoneLiveReply, ZoneLive>>(true);
  holds<Said<typeof replies.DispatchReply, DispatchView>>(true);
  holds<Said<typeof replies.GpsAckReply, GpsAck>>(true);
  holds<Same<SchemasOf<typeof replies.CHANNEL_MESSAGES.driver.events>, Events<DriverEvent>>>(true);
  holds<Same<SchemasOf<typeof replies.CHANNEL_MESSAGES.restaurant.events>, Events<TabletEvent>>>(true);
  type Replies = typeof replies.COMMAND_REPLIES;
  type SameReplies = {
    [T in CommandType]: T extends `order.${string}` ? true : Said<Replies[T]["reply"], CommandReplies[T]>;
  }[CommandType];
  holds<SameReplies>(true);
  holds<Said<Replies["order.place"]["reply"], CommandReplies["order.place"]>>(true);
  t.strictSame(Object.keys(replies.COMMAND_REPLIES).sort(), Object.keys(COMMANDS).sort());
});
