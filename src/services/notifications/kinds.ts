/** What is told, to whom by default how, and for how long it is worth telling. Data. */
import {
  CUSTOMER_NOTICES,
  type CustomerNotice,
  isTerminal,
  type NoticeKind,
  type NotificationChannel,
  type NotificationWishes,
  type OrderStatus,
} from "../../protocol/mod.js";

const MINUTE_MS = 60_000;

interface Kind {
  /** By which ways unless the recipient wishes otherwise. */
  readonly ways: readonly NotificationChannel[];
  /** From the event on. */
  readonly worthMs: number;
}

export const KINDS: Readonly<Record<NoticeKind, Kind>> = {
  order_confirmed: { ways: ["push"], worthMs: 30 * MINUTE_MS },
  eta_changed: { ways: ["push"], worthMs: 10 * MINUTE_MS },
  driver_near: { ways: ["push"], worthMs: 5 * MINUTE_MS },
  order_delivered: { ways: ["push"], worthMs: 24 * 60 * MINUTE_MS },
  order_cancelled: { ways: ["push", "email"], worthMs: 24 * 60 * MINUTE_MS },
  trip_message: { ways: ["push"], worthMs: 10 * MINUTE_MS },
  support_message: { ways: ["push"], worthMs: 24 * 60 * MINUTE_MS },
  // The way is the step's: see `plan.ts`. Until the order's own deadline.
  order_waiting: { ways: [], worthMs: 30 * MINUTE_MS },
  restaurant_paused: { ways: ["push", "email"], worthMs: 24 * 60 * MINUTE_MS },
  restaurant_offline: { ways: ["sms", "email"], worthMs: 60 * MINUTE_MS },
};

export const DEFAULT_WISHES: NotificationWishes = { locale: "en", kinds: {} };

const isCustomerNotice = (kind: NoticeKind): kind is CustomerNotice =>
  (CUSTOMER_NOTICES as readonly string[]).includes(kind);

const UNDER_WAY: ReadonlySet<NoticeKind> = new Set(["order_confirmed", "eta_changed", "driver_near"]);

/**
 * Whether what an order has come to since makes this untrue. Whoever heard that it is over is not told after that when it
 * will be there, nor is a kitchen called for what it has answered.
 */
export function isOvertaken(kind: NoticeKind, status: OrderStatus | undefined): boolean {
  if (status === undefined) return false;
  if (kind === "order_waiting") return status !== "placed" && status !== "confirmed";
  return UNDER_WAY.has(kind) && isTerminal(status);
}

/** The ways a recipient is told this by. What is about a kitchen's orders nobody can wish away. */
export function waysOf(kind: NoticeKind, wishes: NotificationWishes): readonly NotificationChannel[] {
  const usual = KINDS[kind].ways;
  return isCustomerNotice(kind) ? (wishes.kinds[kind] ?? usual) : usual;
}
