/** What people are told: refusals as sentences that say what to do, an order's steps, times. */
import { type OrderStatus, type OrderView, SwiftEatsError } from "../../sdk/mod.js";

const SENTENCES: Readonly<Record<string, string>> = {
  invalid: "Something in this is not as it should be.",
  malformed: "Something in this is not as it should be.",
  too_large: "This is too long to be sent.",
  not_found: "That is not there any more.",
  key_reused: "This was sent before with other details. Try again.",
  expired: "This came too late, so nothing was done.",
  unauthenticated: "Please sign in again.",
  token_expired: "Please sign in again.",
  forbidden: "This account may not do that.",
  overloaded: "We are very busy. Try again in a moment.",
  rate_limited: "That was a bit fast. Try again in a moment.",
  timeout: "No answer came in time. Try again: nothing is done twice.",
  unavailable: "We cannot reach that right now. Try again in a moment.",
  internal: "Something broke on our side. Try again in a moment.",
  draining: "This node is restarting. Try again in a moment.",
  network: "There is no connection right now.",
  closed: "The connection was closed.",
  queue_full: "Too much is waiting to be sent. Wait for the connection.",
  restaurant_closed: "The restaurant is not taking orders at the moment.",
  restaurant_unknown: "This restaurant is not listed any more.",
  out_of_area: "The restaurant does not deliver to this address.",
  item_unavailable: "Something in this order has just sold out.",
  price_changed: "A price has changed since you looked.",
  payment_declined: "The payment was declined. Try another way to pay.",
  payment_failed: "The bank does not answer. No money was taken.",
  illegal_transition: "The order has moved on, so this is not possible any more.",
  order_not_assignable: "This order is not waiting for a driver.",
  offer_expired: "This offer has expired.",
  offer_taken: "Another driver was faster.",
  offer_withdrawn: "This offer was withdrawn.",
  driver_busy: "The driver is already on a trip.",
  driver_offline: "The driver is not on shift.",
  not_your_trip: "This order is not on your trip any more.",
  email_taken: "There is an account with this e-mail address already. Sign in instead.",
  wrong_credentials: "E-mail or password is not right.",
  account_banned: "This account has been closed. Write to us if you think that is a mistake.",
  role_missing: "This account does not have access here.",
  session_ended: "Please sign in again.",
  too_many: "That is more than can be kept.",
  cursor_invalid: "This list has changed. Start again.",
  promotion_refused: "This code does not count for this order.",
  below_minimum: "This is less than the restaurant's minimum order.",
  options_invalid: "Something that was chosen with a dish is not possible any more.",
  refund_too_large: "That is more than what is left of the payment.",
  claimed_by_other: "Another agent has this conversation.",
  not_claimed: "Take the conversation first.",
  room_closed: "This conversation is over.",
  not_on_the_way: "You can reach each other from the pickup until the delivery.",
  stock_too_low: "There are not that many left.",
};

/** A sentence for whatever went wrong. A code without a sentence is shown as words, with what the node says of it. */
export function failureText(error: unknown): string {
  if (!(error instanceof SwiftEatsError)) return error instanceof Error ? error.message : String(error);
  const sentence = SENTENCES[error.code] ?? `${capital(error.code.replaceAll("_", " "))}.`;
  const problem = error.code === "invalid" ? error.detail?.problem : undefined;
  return typeof problem === "string" ? `${sentence} (${problem})` : sentence;
}

export const hasCode = (error: unknown, code: string): error is SwiftEatsError =>
  error instanceof SwiftEatsError && error.code === code;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** Where an order is, as its customer is told. */
export const STATUS_TITLE: Readonly<Record<OrderStatus, string>> = {
  placed: "Sending your order",
  confirmed: "Waiting for the restaurant",
  accepted: "The restaurant has your order",
  preparing: "Your food is being prepared",
  ready: "Your food is ready",
  picked_up: "On its way to you",
  delivered: "Delivered",
  cancelled: "Cancelled",
  rejected: "The restaurant could not take it",
  undeliverable: "It could not be delivered",
};

type TimelineKind = OrderView["timeline"][number]["kind"];

export const STEP_LABEL: Readonly<Record<TimelineKind, string>> = {
  placed: "Order placed",
  confirmed: "Payment reserved",
  accepted: "Accepted by the restaurant",
  preparing: "In the kitchen",
  ready: "Ready for pickup",
  picked_up: "Picked up",
  delivered: "Delivered",
  cancelled: "Cancelled",
  rejected: "Turned down",
  undeliverable: "Could not be delivered",
  driver_assigned: "Driver found",
  driver_unassigned: "Looking for another driver",
  driver_near: "Driver is near",
  driver_arrived: "Driver has arrived",
  eta_changed: "New arrival time",
  escalated: "It takes longer than it should",
  payment_captured: "Paid",
  payment_voided: "Reservation released",
  payment_refunded: "Refunded",
  payment_refund_refused: "Refund was not possible",
};

const hoursMinutes = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayMonth = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

export const timeOfDay = (atMs: number): string => hoursMinutes.format(atMs);
export const dayOf = (atMs: number): string => dayMonth.format(atMs);
/** A time window of the day: “18:40–18:55”. */
export const timeRange = (fromMs: number, toMs: number): string => {
  const [first, last] = [timeOfDay(fromMs), timeOfDay(toMs)];
  return first === last ? first : `${first}–${last}`;
};

/** How long from now as whole minutes, the range that is quoted before ordering: “25–35 min”. */
export function minutesRange(fromMs: number, toMs: number, nowMs: number): string {
  const first = Math.max(1, Math.floor((fromMs - nowMs) / 60_000));
  const last = Math.max(first, Math.ceil((toMs - nowMs) / 60_000));
  return first === last ? `${last} min` : `${first}–${last} min`;
}

export function distanceText(meters: number): string {
  if (meters < 950) return `${Math.max(10, Math.round(meters / 10) * 10)} m`;
  return `${(meters / 1000).toFixed(meters < 9_950 ? 1 : 0)} km`;
}
