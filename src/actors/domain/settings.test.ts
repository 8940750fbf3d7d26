import t from "tap";
import { defaultDomainSettings as day, scaleDurations } from "./mod.js";

t.test("R-ORD-8: a faster day divides what people and kitchens take, and nothing else", async (t) => {
  const fast = scaleDurations(day, 10);
  t.equal(fast.order.acceptDeadlineMs, day.order.acceptDeadlineMs / 10);
  t.equal(fast.order.offerMs, day.order.offerMs / 10);
  t.equal(fast.order.minuteMs, 6_000);
  t.equal(fast.order.defaultPrepMs, day.order.defaultPrepMs / 10);
  t.equal(fast.zone.matchSlackMs, day.zone.matchSlackMs / 10);
  t.equal(fast.travel.speedMetersPerSecond, day.travel.speedMetersPerSecond * 10);
  t.equal(fast.driver.maxSpeedMetersPerSecond, day.driver.maxSpeedMetersPerSecond * 10);
  t.equal(fast.driver.teleportMeters, day.driver.teleportMeters * 10);
  for (const same of [
    "gpsTripMs",
    "gpsAvailableMs",
    "gpsTokenMs",
    "presenceMs",
    "liveMs",
    "positionMirrorMs",
  ] as const) {
    t.equal(fast.driver[same], day.driver[same], same);
  }
  t.equal(fast.order.placementDeadlineMs, day.order.placementDeadlineMs, "a bank is as slow as ever");
  t.equal(fast.zone.presenceTtlMs, day.zone.presenceTtlMs);
});

t.test("R-ORD-8: however fast the day, a phone has two seconds to answer an offer", async (t) => {
  const fastest = scaleDurations(day, 10_000);
  t.equal(fastest.order.offerMs, 2_000);
  t.ok(fastest.driver.stalledMs >= 4 * fastest.driver.gpsTripMs);
  t.equal(scaleDurations(day, 1), day);
  for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => scaleDurations(day, wrong), RangeError);
});
