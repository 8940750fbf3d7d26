import t from "tap";
import { dateAfter, daysBetween } from "./calendar.js";

const at = (text: string): number => Date.parse(text);

t.test("R-ORD-7: tomorrow is the next day, also where a day has 23 hours or 25", async (t) => {
  const rome = (from: string, to: string): number => daysBetween(at(from), at(to), "Europe/Rome");
  // Clocks go forward in the night to 28 March 2027.
  t.equal(rome("2027-03-27T23:30:00+01:00", "2027-03-28T12:30:00+02:00"), 1);
  t.equal(rome("2027-03-27T23:30:00+01:00", "2027-03-29T00:30:00+02:00"), 2, "24 hours later it is the day after");
  // And back in the night to 31 October 2027.
  t.equal(rome("2027-10-31T00:10:00+02:00", "2027-10-31T23:50:00+01:00"), 0, "24.67 hours later it is still today");
  t.equal(rome("2027-10-31T00:10:00+02:00", "2027-11-01T12:00:00+01:00"), 1);
  t.equal(rome("2026-12-31T23:59:00+01:00", "2027-01-01T00:01:00+01:00"), 1);
  t.equal(rome("2026-06-02T00:01:00+02:00", "2026-06-01T23:59:00+02:00"), -1);
  t.equal(daysBetween(at("2026-06-01T23:59:00Z"), at("2026-06-02T00:01:00Z"), "Pacific/Kiritimati"), 0);
  t.equal(daysBetween(0, 0), 0);
});

t.test("R-RST-1: days follow each other as a calendar has them, none twice and none left out", async (t) => {
  const dates = (from: string, timeZone: string): readonly string[] =>
    [0, 1, 2].map((days) => dateAfter(at(from), days, timeZone));
  // A day of 25 hours: 24 hours after its first minutes it is still the same.
  t.strictSame(dates("2027-10-31T00:10:00+02:00", "Europe/Rome"), ["2027-10-31", "2027-11-01", "2027-11-02"]);
  // Before one of 23 hours: 24 hours after a quarter to midnight it is over.
  t.strictSame(dates("2027-03-27T23:45:00+01:00", "Europe/Rome"), ["2027-03-27", "2027-03-28", "2027-03-29"]);
  t.strictSame(dates("2026-12-30T23:00:00-05:00", "America/Bogota"), ["2026-12-30", "2026-12-31", "2027-01-01"]);
});
