/** What a zone learns from others before it decides. */
import t from "tap";
import type { DispatchView } from "../../../protocol/mod.js";
import { at, CENTRE, createCity, must, restaurant, support } from "../fixtures/city.js";
import { type DomainSettings, defaultDomainSettings as day, EtaModel, zoneOf } from "../mod.js";
import { keepRatings, poorlyRated } from "./knowledge.js";
import { emptyZone } from "./state.js";

const horizon: DomainSettings = { ...day, zone: { ...day.zone, dispatch: "horizon" } };
const MINUTE = 60_000;

/** One order of twenty minutes; what was known when it was offered. `before` runs in a city with two drivers. */
async function firstOffer(before: (city: ReturnType<typeof createCity>) => Promise<void>) {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  await before(city);
  // The one whose name comes first is a little nearer.
  const places = { "d-1": at(300), "d-2": at(-330) };
  for (const [driverId, place] of Object.entries(places)) await city.goOnline(driverId, place);
  await must(city.place("o"));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 20 }, restaurant("r")));
  const acceptedAt = city.kit.now;
  while ((await city.state("o")).offersMade.newest.length === 0) {
    await city.kit.advance(5_000);
    for (const [driverId, place] of Object.entries(places)) await city.fix(driverId, place);
  }
  const { offers, minuteMs } = (await must(city.order("o", "dispatchView", null, support))) as DispatchView;
  t.equal(minuteMs, MINUTE);
  t.same(city.kit.logs, []);
  const madeAfterMs = city.kit.now - acceptedAt;
  const committed = city.kit.store.committed.filter(({ kind }) => kind === "dispatch-matcher");
  t.same(committed, [], "asking costs no commit");
  await city.kit.close();
  const offer = offers[0]!;
  if (offer.evidence?.chosen === undefined) throw new Error("The offer does not say why.");
  return { driverId: offer.driverId, madeAfterMs, evidence: { ...offer.evidence, chosen: offer.evidence.chosen } };
}

t.test("R-DSP-7: what customers think of a driver counts, and support sees it", async (t) => {
  const unrated = await firstOffer(async () => {});
  t.match(unrated, { driverId: "d-1", evidence: { chosen: { rating: { average: 0, count: 0 } } } });
  t.ok((unrated.evidence.terms.ratingMs ?? 0) > 0, "as usual, which is not perfect");
  const rated = await firstOffer(async ({ ratings, kit }) => {
    for (let i = 0; i < 20; i++) {
      const stars = [1, 5] as const;
      for (const [index, rating] of stars.entries()) {
        await ratings.add({
          reviewId: `review-${i}-${index}`,
          orderId: `before-${i}-${index}`,
          rated: "driver",
          ratedId: `d-${index + 1}`,
          authorRole: "customer",
          authorId: `c-${i}`,
          stars: rating,
          text: "",
          at: kit.now,
          hidden: false,
          reports: 0,
        });
      }
    }
  });
  t.match(rated, { driverId: "d-2", evidence: { chosen: { rating: { average: 5, count: 20 } } } });
  t.ok((rated.evidence.terms.ratingMs ?? 0) < (unrated.evidence.terms.ratingMs ?? 0));
});

t.test(
  "R-DSP-2, R-ETA-2: ways that take longer at this hour are planned longer, and drivers asked earlier",
  async (t) => {
    const usual = await firstOffer(async () => {});
    const jammed = await firstOffer(async ({ kit }) => {
      for (let n = 0; n < 60; n++) {
        const way = { vehicle: "bicycle", anyoneMs: 6 * MINUTE, expectedMs: 8 * MINUTE, tookMs: 24 * MINUTE };
        const learned = { deliveredAt: kit.now, stages: [], way, lagMs: null, pickupMs: null, dropoffMs: null };
        kit.client.cast(EtaModel, zoneOf(CENTRE), "learn", learned, { id: "test", role: "system" });
        await kit.advance(1_000);
      }
    });
    const ratio = jammed.evidence.terms.travelMs / usual.evidence.terms.travelMs;
    t.ok(ratio > 1.4 && ratio < 4, `${usual.evidence.chosen.vehicle}: ${ratio} times as long to the restaurant`);
    t.ok(jammed.madeAfterMs < usual.madeAfterMs, `${jammed.madeAfterMs} and usually ${usual.madeAfterMs} ms`);
  },
);

t.test("R-DSP-7: few ratings say little, and a zone remembers as many as it has drivers at the most", async (t) => {
  const memory = emptyZone();
  const zone = { ...day, zone: { ...day.zone, maxDrivers: 2 } };
  keepRatings({ volatile: memory, now: 1 }, zone, [
    ["few", 1, 1],
    ["many", 1, 100],
  ]);
  const usual = poorlyRated(memory, "nobody knows");
  t.ok(usual < poorlyRated(memory, "few") && poorlyRated(memory, "few") < poorlyRated(memory, "many"));
  t.ok(poorlyRated(memory, "many") <= 1);
  keepRatings({ volatile: memory, now: 2 }, zone, [["good", 5, 100]]);
  t.same([...memory.ratings.keys()], ["many", "good"], "the oldest gives way");
  t.ok(poorlyRated(memory, "good") < usual && poorlyRated(memory, "good") >= 0);
});
