/** Numbers, money and times as people read them, in the reader's own language. */
import { moneyText } from "../../src/lib/currency.js";

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.NumberFormat();

export const formatClock = (atMs: number): string => clockTime.format(atMs);
export const formatCount = (count: number): string => whole.format(count);

/** `minor` in the currency's smallest unit. */
export const formatMoney = (minor: number, currency: string): string => moneyText(minor, currency);

/** Reasons are a person's words or a code such as `pickup_too_late`. */
export const formatReason = (reason: string): string => reason.replaceAll("_", " ");

export function formatAgo(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** When something is expected, seen from now: “in 4–7 min”, or the two times when it is far. */
export function formatArrival(fromMs: number, toMs: number, nowMs: number): string {
  const first = Math.max(0, fromMs - nowMs);
  const last = Math.max(0, toMs - nowMs);
  if (last <= 5000) return "any moment";
  if (last < 100_000) return `in ${Math.round(first / 1000)}–${Math.round(last / 1000)} s`;
  if (last < 3_600_000) {
    const early = Math.floor(first / 60_000);
    const late = Math.ceil(last / 60_000);
    return early === late ? `in ${late} min` : `in ${early}–${late} min`;
  }
  return `${shortTime.format(fromMs)}–${shortTime.format(toMs)}`;
}

/** The end of an id tells two apart; the whole of it tells nobody anything. */
export function shortId(id: string): string {
  const tail = id.replace(/[^A-Za-z0-9]/g, "").slice(-4);
  return tail.toUpperCase();
}
