import t from "tap";
import type { MarketClock } from "../../lib/wall-time.js";
import {
  CUSTOMER_NOTICES,
  KITCHEN_NOTICES,
  NOTIFICATION_LOCALES,
  type NotificationLocale,
} from "../../protocol/mod.js";
import { arrivalText, textOf } from "./texts.js";

t.test("R-COM-3: every text is there in every language, filled in", async (t) => {
  for (const locale of NOTIFICATION_LOCALES) {
    for (const kind of [...CUSTOMER_NOTICES, ...KITCHEN_NOTICES]) {
      const { title, text } = textOf(kind, locale, { restaurant: "Ajiaco", arrives: "12:30", reason: "why" });
      const named = kind === "support_message" || text.includes("Ajiaco");
      t.ok(title.length > 3 && named && !/[{}]/.test(text), `${locale} ${kind}: ${text}`);
    }
  }
  const long = textOf("order_confirmed", "en", { restaurant: "x".repeat(9_999) });
  t.ok(long.text.length <= 480);
});

t.test(
  "R-COM-3: when it arrives is told by the market's clock, in summer and in winter, with its day when it is for later",
  async (t) => {
    const rome = { timeZone: "Europe/Rome", utcOffsetMinutes: 0 };
    const told = (now: string, at: string, locale: NotificationLocale = "en", market: MarketClock = rome): string =>
      arrivalText(Date.parse(at), Date.parse(now), market, locale);
    t.equal(told("2027-03-27T18:00:00Z", "2027-03-27T18:40:00Z"), "19:40");
    // Clocks go forward in the night to 28 March 2027, and back in the night to 31 October.
    t.equal(told("2027-03-28T17:00:00Z", "2027-03-28T17:40:00Z"), "19:40");
    t.equal(told("2027-03-28T00:50:00Z", "2027-03-28T01:10:00Z"), "03:10", "across the hour that there is not");
    t.equal(told("2027-10-31T17:00:00Z", "2027-10-31T17:40:00Z"), "18:40");
    t.equal(told("2027-07-01T21:50:00Z", "2027-07-01T22:20:00Z"), "00:20", "tonight, though the day is another");
    t.equal(told("2027-03-26T18:00:00Z", "2027-03-28T17:30:00Z"), "Sun, Mar 28, 19:30");
    t.equal(told("2027-03-26T18:00:00Z", "2027-03-28T17:30:00Z", "tr"), "28 Mar Paz, 19:30");
    const kathmandu = { timeZone: "Asia/Kathmandu", utcOffsetMinutes: 0 };
    t.equal(told("2027-12-31T18:10:00Z", "2027-12-31T18:20:00Z", "en", kathmandu), "00:05");
    t.equal(told("2027-07-01T12:00:00Z", "2027-07-01T12:30:00Z", "en", { ...rome, timeZone: null }), "12:30");
  },
);
