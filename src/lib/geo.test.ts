import t from "tap";
import { distanceMeters, isSimplePolygon, type Point, spotDistanceMeters, spotOf } from "./geo.js";
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

t.test("a polygon whose edges cross or that encloses nothing is not simple", async (t) => {
  const polygon = (...corners: readonly (readonly [number, number])[]): readonly Point[] =>
    corners.map(([lat, lng]) => ({ lat, lng }));
  const square = polygon([0, 0], [0, 1], [1, 1], [1, 0]);
  t.ok(isSimplePolygon(square));
  t.ok(isSimplePolygon(square.toReversed()), "either way round");
  t.ok(isSimplePolygon(polygon([10, 179.9], [10, -179.9], [10.1, -179.9], [10.1, 179.9])), "across the date line");
  t.ok(isSimplePolygon(polygon([0, 0], [0, 2], [2, 2], [1, 1])), "a notch");
  t.ok(isSimplePolygon(polygon([0, 0], [0, 0], [0, 1], [1, 1], [1, 0])), "a corner that is there twice");
  t.ok(isSimplePolygon(polygon([0, 0], [0, 0.001], [0.001, 0.001])), "a hundred metres");
  t.notOk(isSimplePolygon(polygon([0, 0], [1, 1], [0, 1], [1, 0])), "a bow tie");
  t.notOk(isSimplePolygon(polygon([0, 0], [0, 3], [3, 3], [3, 2], [-1, 1])), "one edge through another");
  t.notOk(isSimplePolygon(polygon([0, 0], [1, 1], [2, 2])), "a line");
  t.notOk(isSimplePolygon(polygon([0, 0], [0, 0], [0, 0])), "a point");
  const round = Array.from({ length: 200 }, (_, i) => {
    const angle = (i * Math.PI) / 100;
    return { lat: 48 + 0.1 * Math.sin(angle), lng: 16 + 0.1 * Math.cos(angle) };
  });
  t.ok(isSimplePolygon(round));
  t.notOk(isSimplePolygon(round.with(50, round[120]!).with(120, round[50]!)), "two corners in each other's place");
});
