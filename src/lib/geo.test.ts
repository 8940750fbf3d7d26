import t from "tap";
import { distanceMeters, type Point, spotDistanceMeters, spotOf } from "./geo.js";
import { seededRandom } from "./random.js";

t.test("the distance between spots is the great circle's, up to 0.1 %", async (t) => {
  const random = seededRandom(5);
  let worst = 0;
  for (let i = 0; i < 5_000; i++) {
    const from: Point = { lat: (random.next() - 0.5) * 140, lng: (random.next() - 0.5) * 360 };
    // Up to 70 km to the north and to the east.
    const perDegree = 111_195 * Math.cos((from.lat * Math.PI) / 180);
    const to = {
      lat: Math.max(-70, Math.min(70, from.lat + ((random.next() - 0.5) * 140_000) / 111_195)),
      lng: from.lng + ((random.next() - 0.5) * 140_000) / perDegree,
    };
    const exact = distanceMeters(from, to);
    worst = Math.max(worst, Math.abs(spotDistanceMeters(spotOf(from), spotOf(to)) - exact) / exact);
  }
  t.ok(worst < 0.001, `worst ${(worst * 100).toFixed(4)} %`);
  t.ok(worst > 0, "they are two ways to ask");
});

t.test("the date line is no way around the world", async (t) => {
  const [west, east] = [
    { lat: 10, lng: 179.99 },
    { lat: 10.01, lng: -179.99 },
  ];
  const exact = distanceMeters(west, east);
  for (const [from, to] of [
    [west, east],
    [east, west],
  ] as const)
    t.ok(Math.abs(spotDistanceMeters(spotOf(from), spotOf(to)) - exact) < exact / 1_000);
});
