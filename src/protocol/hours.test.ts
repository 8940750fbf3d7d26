import fc from "fast-check";
import t from "tap";
import {
  instantsOf,
  isTimeZone,
  lastTimeOfDay,
  nextChange,
  nextTimeOfDay,
  type OpeningHours,
  openAt,
  openSince,
  wallTime,
} from "./hours.js";
import { closedBecause, doorsChangeAt } from "./menus.js";
import { delivers } from "./pricing.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);
const daily = (from: string, to: string, timeZone = "Europe/Berlin"): OpeningHours => ({
  timeZone,
  weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from, to })),
});

t.test("R-RST-1: a week with exceptions, by the restaurant's own clock", async (t) => {
  const hours: OpeningHours = {
    timeZone: "Europe/Istanbul",
    weekly: [
      { day: 5, from: "18:00", to: "02:00" },
      { day: 6, from: "11:00", to: "15:00" },
    ],
    exceptions: [
      { date: "2026-11-28", spans: [{ from: "20:00", to: "22:00" }], reason: "a wedding" },
      { date: "2026-12-04", spans: [] },
    ],
  };
  // Istanbul is UTC+3 all the year; the 20th of November 2026 is a Friday.
  t.notOk(openAt(hours, at("2026-11-20T14:59:59.999Z")));
  t.ok(openAt(hours, at("2026-11-20T15:00:00Z")));
  t.ok(openAt(hours, at("2026-11-20T22:59:59Z")), "past midnight");
  t.notOk(openAt(hours, at("2026-11-20T23:00:00Z")), "the end is not in it");
  t.ok(openAt(hours, at("2026-11-21T08:00:00Z")), "Saturday's own");
  t.notOk(openAt(hours, at("2026-11-27T21:30:00Z")), "the exception takes its whole date");
  t.notOk(openAt(hours, at("2026-11-28T08:00:00Z")));
  t.ok(openAt(hours, at("2026-11-28T17:00:00Z")));
  t.notOk(openAt(hours, at("2026-12-04T16:00:00Z")), "closed all day");
  t.equal(nextChange(hours, at("2026-11-20T12:00:00Z")), at("2026-11-20T15:00:00Z"));
  t.equal(nextChange(hours, at("2026-11-27T15:00:00Z")), at("2026-11-27T21:00:00Z"), "midnight, not two o'clock");
  t.equal(nextChange(hours, at("2026-11-28T19:00:00Z")), at("2026-12-05T08:00:00Z"), "over a Friday off");
  t.equal(nextChange({ timeZone: "UTC", weekly: [] }, 0), null, "never open");
  t.equal(nextChange(daily("00:00", "24:00"), at("2026-03-28T00:00:00Z")), null, "always open, summer time and all");
  t.equal(nextChange(daily("09:00", "09:00"), at("2026-01-01T00:00:00Z")), null, "from nine to nine is always");
  t.equal(
    nextChange(
      { timeZone: "UTC", weekly: [], exceptions: [{ date: "2027-05-01", spans: [{ from: "10:00", to: "11:00" }] }] },
      1_790_000_000_000,
    ),
    at("2027-05-01T10:00:00Z"),
    "one day, far ahead",
  );
});

t.test("R-RST-1: where summer time skips or repeats an hour, the wall decides", async (t) => {
  // Berlin: on 2026-03-29 the wall goes from 01:59 to 03:00, on 2026-10-25 from 02:59 back to 02:00.
  t.same(instantsOf("Europe/Berlin", Date.UTC(2026, 2, 29, 2, 30)), []);
  t.same(instantsOf("Europe/Berlin", Date.UTC(2026, 9, 25, 2, 30)), [
    at("2026-10-25T00:30:00Z"),
    at("2026-10-25T01:30:00Z"),
  ]);
  const spring = daily("20:00", "02:30");
  t.ok(openAt(spring, at("2026-03-29T00:59:59Z")));
  t.notOk(openAt(spring, at("2026-03-29T01:00:00Z")), "three o'clock follows");
  t.equal(nextChange(spring, at("2026-03-29T00:00:00Z")), at("2026-03-29T01:00:00Z"));
  t.equal(nextChange(daily("02:15", "02:45"), at("2026-03-29T00:00:00Z")), at("2026-03-30T00:15:00Z"), "skipped");
  const autumn = daily("20:00", "02:30");
  t.ok(openAt(autumn, at("2026-10-25T00:10:00Z")));
  t.ok(openAt(autumn, at("2026-10-25T01:10:00Z")), "and once more");
  t.equal(wallTime("Asia/Kathmandu", 0), 5.5 * HOUR, "a quarter of an hour's zone, as it was then");
  t.ok(isTimeZone("America/Argentina/Buenos_Aires"));
  t.notOk(isTimeZone("Europe/Atlantis"));
  // Lord Howe Island's summer time is half an hour.
  t.equal(
    nextChange(daily("08:00", "20:00", "Australia/Lord_Howe"), at("2026-10-03T22:00:00Z")),
    at("2026-10-04T09:00:00Z"),
  );
});

const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"];
const time = fc
  .tuple(fc.nat(23), fc.constantFrom("00", "15", "30", "45"))
  .map(([h, m]) => `${String(h).padStart(2, "0")}:${m}`);
const someHours: fc.Arbitrary<OpeningHours> = fc.record({
  timeZone: fc.constantFrom(...ZONES),
  weekly: fc.array(fc.record({ day: fc.integer({ min: 1, max: 7 }), from: time, to: time }), { maxLength: 8 }),
  exceptions: fc.array(
    fc.record({
      date: fc
        .integer({ min: 0, max: 30 })
        .map((day) => new Date(at("2026-03-20T00:00:00Z") + day * DAY).toISOString().slice(0, 10)),
      spans: fc.array(fc.record({ from: time, to: time }), { maxLength: 2 }),
    }),
    { maxLength: 3 },
  ),
});

t.test("R-RST-5: every date has every time of day once, also where the clocks change", async (t) => {
  const skipped = at("2026-03-29T01:00:00Z");
  t.equal(nextTimeOfDay("Europe/Berlin", "02:30", at("2026-03-29T00:00:00Z")), skipped);
  t.equal(nextTimeOfDay("Europe/Berlin", "02:30", skipped), at("2026-03-30T00:30:00Z"));
  t.equal(lastTimeOfDay("Europe/Berlin", "02:30", at("2026-03-29T12:00:00Z")), skipped);
  t.equal(lastTimeOfDay("Europe/Berlin", "02:30", skipped - 1), at("2026-03-28T01:30:00Z"));
  // Cairo's summer time begins at midnight: the 24th of April 2026 begins at one.
  t.equal(nextTimeOfDay("Africa/Cairo", "00:00", at("2026-04-23T12:00:00Z")), at("2026-04-23T22:00:00Z"));
  const first = at("2026-10-25T00:30:00Z");
  t.equal(nextTimeOfDay("Europe/Berlin", "02:30", first - 1), first);
  t.equal(nextTimeOfDay("Europe/Berlin", "02:30", first), at("2026-10-26T01:30:00Z"), "not once more an hour later");
  t.equal(lastTimeOfDay("Europe/Berlin", "02:30", at("2026-10-25T12:00:00Z")), first);
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES, "Africa/Cairo", "America/Santiago", "America/Havana", "Asia/Beirut"),
      time,
      fc.integer({ min: at("2025-12-01T00:00:00Z"), max: at("2026-12-01T00:00:00Z") }),
      (zone, time, instant) => {
        const next = nextTimeOfDay(zone, time, instant);
        const last = lastTimeOfDay(zone, time, instant);
        if (last > instant || next <= instant) return false;
        // The one follows the other, and between them lies a day, or an hour more or less.
        if (nextTimeOfDay(zone, time, last) !== next || lastTimeOfDay(zone, time, next - 1) !== last) return false;
        return Math.abs(next - last - DAY) <= HOUR;
      },
    ),
    { numRuns: 100 },
  );
});

t.test("R-RST-1: nothing changes before the next change, and something does at it", async (t) => {
  // Around both changes of the clocks of 2026 in the north, and one in the south.
  const start = fc.integer({ min: at("2026-03-20T00:00:00Z"), max: at("2026-04-08T00:00:00Z") });
  fc.assert(
    fc.property(someHours, start, (hours, after) => {
      const now = openAt(hours, after);
      const change = nextChange(hours, after);
      if (change !== null && (change <= after || openAt(hours, change) === now || openAt(hours, change - 1) !== now)) {
        return false;
      }
      // Every edge lies on a quarter of an hour.
      const until = Math.min(change ?? Number.POSITIVE_INFINITY, after + 9 * DAY);
      for (let each = Math.ceil(after / (15 * MINUTE)) * 15 * MINUTE; each < until; each += 15 * MINUTE) {
        if (openAt(hours, each) !== now) return false;
      }
      return true;
    }),
    { numRuns: 25 },
  );
  t.pass("twenty-five weeks");
  const saturdays = { weekly: [{ day: 6, from: "18:00", to: "01:00" }] };
  for (const [timeZone, open, closes] of [
    ["Europe/Berlin", "2026-03-28T18:00:00Z", "2026-03-29T00:00:00Z"],
    ["Europe/Berlin", "2026-10-24T17:00:00Z", "2026-10-24T23:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T08:00:00Z", "2026-04-04T14:00:00Z"],
  ] as const) {
    t.equal(nextChange({ timeZone, ...saturdays }, at(open)), at(closes), "before the clock changes, not at it");
  }
});

t.test(
  "R-RST-1, R-ORD-7: since when it is open, through midnights, special days and changes of the clock",
  async (t) => {
    const until = fc.integer({ min: at("2026-03-22T00:00:00Z"), max: at("2026-04-08T00:00:00Z") });
    let open = 0;
    fc.assert(
      fc.property(someHours, until, (hours, until) => {
        if (!openAt(hours, until)) return true;
        open++;
        const from = until - 3 * DAY;
        // Every edge lies on a quarter of an hour.
        let since = Math.floor(until / (15 * MINUTE)) * 15 * MINUTE;
        while (since > from && openAt(hours, since - 1)) since -= 15 * MINUTE;
        return openSince(hours, until, from) === Math.max(from, since);
      }),
      { numRuns: 100 },
    );
    t.ok(open > 5, `${open} were open`);
    const late = daily("18:00", "02:00");
    t.equal(openSince(late, at("2026-03-28T23:30:00Z"), 0), at("2026-03-28T17:00:00Z"), "since yesterday");
    const asked = at("2026-05-30T00:00:00Z");
    t.equal(openSince(daily("00:00", "24:00"), asked + DAY, asked), asked, "always: since it was asked for");
  },
);

t.test("R-RST-1: doors are shut by hand, by a pause, by the hours, by the market", async (t) => {
  const hours = daily("10:00", "20:00", "UTC");
  const noon = at("2026-06-01T12:00:00Z");
  t.equal(closedBecause({}, noon), null, "no hours: by hand alone");
  t.equal(closedBecause({ hours }, noon), null);
  t.equal(closedBecause({ hours }, noon + 9 * HOUR), "hours");
  t.equal(closedBecause({ hours, shut: true }, noon), "shut");
  t.equal(closedBecause({ hours, shut: true }, noon + DAY, true), null, "ahead of its time the hours say");
  t.equal(closedBecause({ shut: true }, noon + DAY, true), "shut", "without hours nobody knows");
  t.equal(closedBecause({ hours, paused: { until: noon + HOUR } }, noon), "paused");
  t.equal(closedBecause({ hours, paused: { until: noon + HOUR } }, noon + HOUR), null);
  t.equal(closedBecause({ hours, paused: {} }, noon + DAY), "paused");
  t.equal(closedBecause({ status: "draft" }, noon), "not_listed");
  t.equal(doorsChangeAt({}, noon), null);
  t.equal(doorsChangeAt({ hours }, noon), at("2026-06-01T20:00:00Z"));
  t.equal(doorsChangeAt({ hours, paused: { until: noon + HOUR } }, noon), noon + HOUR);
  t.equal(doorsChangeAt({ hours, paused: { until: noon + 10 * HOUR } }, noon), at("2026-06-02T10:00:00Z"));
  t.equal(doorsChangeAt({ hours, paused: {} }, noon), null);
  t.equal(doorsChangeAt({ hours, shut: true }, noon), null);
});

t.test("R-RST-1: a delivery area is a polygon, also across the date line; else a radius", async (t) => {
  const square = (lat: number, lng: number, half: number) => [
    { lat: lat - half, lng: lng - half },
    { lat: lat - half, lng: lng + half },
    { lat: lat + half, lng: lng + half },
    { lat: lat + half, lng: lng - half },
  ];
  const wrap = (lng: number): number => ((((lng + 180) % 360) + 360) % 360) - 180;
  fc.assert(
    fc.property(
      fc.double({ min: -70, max: 70, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
      (lat, lng, up, right) => {
        // On an edge a point may be either.
        fc.pre(Math.abs(Math.abs(up) - 1) > 1e-6 && Math.abs(Math.abs(right) - 1) > 1e-6);
        const deliveryPolygon = square(lat, lng, 1).map((corner) => ({ ...corner, lng: wrap(corner.lng) }));
        const point = { lat: lat + up, lng: wrap(lng + right) };
        const area = { lat, lng, deliveryRadiusMeters: 1, deliveryPolygon };
        return delivers(area, point) === (Math.abs(up) < 1 && Math.abs(right) < 1);
      },
    ),
  );
  const bay = { lat: 0, lng: 0, deliveryRadiusMeters: 1, deliveryPolygon: [...square(0, 0, 2), { lat: 0, lng: 1 }] };
  t.ok(delivers(bay, { lat: 1, lng: 1.5 }));
  t.notOk(delivers(bay, { lat: 0, lng: -1 }), "what is cut out of it is out");
  t.ok(delivers({ lat: 0, lng: 0, deliveryRadiusMeters: 112_000 }, { lat: 1, lng: 0 }));
  t.notOk(delivers({ lat: 0, lng: 0, deliveryRadiusMeters: 111_000 }, { lat: 1, lng: 0 }));
});
