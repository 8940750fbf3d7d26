import t from "tap";
import { distanceMeters } from "../../src/lib/geo.js";
import { seededRandom } from "../../src/lib/random.js";
import {
  answerOffer,
  cityGeoJson,
  cookingMinutes,
  createCity,
  createHabits,
  demandAt,
  fillBasket,
  measuredFix,
  nextOrderAt,
  placeAlong,
  straightRoads,
} from "./mod.js";

const options = { seed: 7, restaurants: 20, drivers: 60, customers: 100 };

t.test("R-SIM-1: one seed is one city, another seed another", async (t) => {
  const text = (seed: number) => JSON.stringify({ ...createCity({ ...options, seed }), roads: null });
  t.equal(text(7), text(7));
  t.not(text(7), text(8));
});

t.test(
  "R-SIM-1: every restaurant can be reached from every home along streets, no shorter than the crow flies",
  async (t) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const city = createCity({ ...options, seed });
      t.ok(city.network.nodes.length > 200, `seed ${seed}: a city of ${city.network.nodes.length} crossings`);
      for (let i = 0; i < 60; i++) {
        const from = city.customers[i]!.home;
        const to = city.restaurants[i % 20]!.at;
        const route = city.roads.route(from, to);
        t.strictSame(route.points[0], from);
        t.strictSame(route.points.at(-1), to);
        t.ok(route.meters >= distanceMeters(from, to) - 1);
        t.ok(route.meters < distanceMeters(from, to) * 4 + 2000, "no absurd detour");
        t.ok(
          route.metersAt.every((meters, index) => index === 0 || meters >= route.metersAt[index - 1]!),
          "distance never falls",
        );
      }
    }
  },
);

t.test(
  "the cheapest way is really the cheapest: no route is longer than going through any third crossing",
  async (t) => {
    const city = createCity({ ...options, seed: 3 });
    const nodes = city.network.nodes;
    for (let i = 0; i < 40; i++) {
      const from = nodes[(i * 17) % nodes.length]!;
      const to = nodes[(i * 71 + 5) % nodes.length]!;
      const cost = (a: typeof from, b: typeof from) => {
        const route = city.roads.route(a, b);
        let sum = 0;
        for (let n = 1; n < route.points.length; n++) {
          const edge = city.network.edges.find((edge) => {
            const [p, q] = [nodes[edge.from]!, nodes[edge.to]!];
            return (
              (p === route.points[n] && q === route.points[n - 1]) ||
              (q === route.points[n] && p === route.points[n - 1])
            );
          })!;
          sum += edge.meters * (edge.class === "minor" ? 1.35 : 1);
        }
        return sum;
      };
      if (from === to) continue;
      const direct = cost(from, to);
      for (let n = 0; n < 6; n++) {
        const via = nodes[(i * 31 + n * 53) % nodes.length]!;
        if (via === from || via === to) continue;
        t.ok(direct <= cost(from, via) + cost(via, to) + 1e-6);
      }
    }
  },
);

t.test("R-SIM-1: a traveller moves on along the route and loses signal in tunnels", async (t) => {
  let tunnels = 0;
  for (const seed of [1, 2, 3, 4]) {
    const city = createCity({ ...options, seed });
    for (let i = 0; i < 40; i++) {
      const route = city.roads.route(city.customers[i]!.home, city.restaurants[i % 20]!.at);
      let last = placeAlong(route, 0);
      t.strictSame(last.point, route.points[0]);
      for (let meters = 50; meters <= route.meters + 50; meters += 50) {
        const next = placeAlong(route, meters);
        t.ok(distanceMeters(last.point, next.point) <= 51, "never faster than asked");
        last = next;
      }
      t.strictSame(last.point, route.points.at(-1));
      for (const tunnel of route.tunnels) {
        tunnels++;
        t.equal(placeAlong(route, (tunnel.from + tunnel.to) / 2).inTunnel, true);
        t.equal(placeAlong(route, tunnel.from - 1).inTunnel, false);
      }
    }
  }
  t.ok(tunnels > 0, "some routes go through a tunnel");
});

t.test("straight roads stretch the distance by the street factor", async (t) => {
  const [a, b] = [
    { lat: 4.8, lng: -75.7 },
    { lat: 4.82, lng: -75.69 },
  ];
  const route = straightRoads(1.35).route(a, b);
  t.ok(Math.abs(route.meters - distanceMeters(a, b) * 1.35) < 1e-6);
  t.ok(distanceMeters(placeAlong(route, route.meters / 2).point, { lat: 4.81, lng: -75.695 }) < 1);
  t.strictSame(placeAlong(straightRoads(1.35).route(a, a), 10).point, a);
});

t.test("fixes scatter around the truth within what the phone believes", async (t) => {
  const random = seededRandom(5);
  const truth = { lat: 44.4, lng: 8.9 };
  let farther = 0;
  for (let i = 0; i < 2000; i++) {
    const fix = measuredFix(random, truth);
    if (distanceMeters(fix.point, truth) > fix.accuracyMeters) farther++;
  }
  t.ok(farther > 0 && farther < 100, `${farther} of 2,000 beyond the accuracy`);
});

t.test("R-SIM-1: demand has a lunch and a dinner peak and orders follow the curve", async (t) => {
  const hour = 3_600_000;
  t.equal(demandAt(12 * hour), 1);
  t.ok(demandAt(19 * hour) > 0.8);
  t.ok(demandAt(3 * hour) < 0.05);
  t.equal(demandAt(36 * hour), demandAt(12 * hour));
  const random = seededRandom(11);
  const counts = new Array<number>(24).fill(0);
  for (let at = 0; ; ) {
    at = nextOrderAt(random, at, 400);
    if (at >= 24 * hour) break;
    counts[Math.floor(at / hour)]!++;
  }
  t.ok(counts[12]! > 5 * counts[9]!);
  t.ok(Math.abs(counts[12]! - 400 * 0.85) < 90, `${counts[12]} orders between noon and one`);
});

t.test("R-SIM-1: kitchens take about the menu's time, sometimes much longer; more when busy", async (t) => {
  const city = createCity(options);
  const kitchen = { ...city.restaurants[0]!.kitchen, pace: 1, loadPenalty: 0.05 };
  const mean = (cooking: number) => {
    const random = seededRandom(3);
    let sum = 0;
    for (let i = 0; i < 3000; i++) sum += cookingMinutes(random, kitchen, 12, cooking).actual;
    return sum / 3000;
  };
  t.ok(mean(0) > 11.5 && mean(0) < 16);
  t.ok(mean(10) > mean(0) * 1.3);
});

t.test("R-SIM-1: drivers mostly accept, sometimes decline or ignore, and like near pick-ups better", async (t) => {
  const random = seededRandom(9);
  const habits = { ...createHabits(random), declineChance: 0.05, ignoreChance: 0.02, likesWithinMeters: 3000 };
  const at = { lat: 44.4, lng: 8.9 };
  const share = (pickup: typeof at, answer: string) => {
    let count = 0;
    for (let i = 0; i < 4000; i++) if (answerOffer(random, habits, at, pickup).answer === answer) count++;
    return count / 4000;
  };
  t.ok(share(at, "accept") > 0.9);
  t.ok(share(at, "ignore") > 0.01);
  t.ok(share({ lat: 44.45, lng: 8.9 }, "decline") > 2 * share(at, "decline"));
});

t.test("a basket holds dishes of the menu at its prices", async (t) => {
  const city = createCity(options);
  const random = seededRandom(2);
  for (const restaurant of city.restaurants) {
    const order = fillBasket(random, restaurant.profile, restaurant.id, city.customers[0]!.home);
    t.ok(order.lines.length > 0);
    for (const line of order.lines) {
      const item = restaurant.profile.items.find((item) => item.itemId === line.itemId);
      t.equal(line.unitPriceMinor, item?.priceMinor);
    }
  }
});

t.test("R-SIM-1: the map has streets of both classes, a park, water, and every restaurant", async (t) => {
  const city = createCity(options);
  const map = cityGeoJson(city);
  const count = (kind: string) => map.features.filter((feature) => feature.properties.kind === kind).length;
  t.equal(map.type, "FeatureCollection");
  t.equal(count("restaurant"), 20);
  t.equal(count("park"), 1);
  t.equal(count("water"), 1);
  const streets = map.features.filter((feature) => feature.properties.kind === "street");
  t.strictSame(new Set(streets.map((street) => street.properties.class)), new Set(["major", "minor"]));
  let segments = 0;
  for (const street of streets) {
    t.equal(street.geometry.type, "LineString");
    if (street.geometry.type === "LineString") segments += street.geometry.coordinates.length - 1;
  }
  t.equal(segments, city.network.edges.length, "each block is drawn exactly once");
});
