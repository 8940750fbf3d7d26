import t from "tap";
import { HOME, idsOf, openWorld, search } from "./fixtures/world.js";

const HOUR = 3_600_000;

t.test("R-SRC-1: cuisines, diets, images and the least order are what the profile says", async (t) => {
  const w = await openWorld();
  const dishes = [
    { name: "Pizza Verde", category: "Mains", diets: ["vegan", "halal"], image: "img/verde" },
    { name: "Pizza Prosciutto", category: "Mains", tags: ["smoky"] },
    { name: "Pizza Bianca", category: "Mains", diets: ["vegetarian"] },
  ];
  await w.put({
    id: "a",
    dishes,
    more: { cuisines: ["Italian"], tags: ["Terrace"], minimumOrderMinor: 1_500, image: "img/a" },
  });
  await w.put({ id: "b", dishes: ["Pizza Salami", { name: "Green Salad", diets: ["vegan"] }] });
  const engine = await w.engine();
  const [a] = (await search(engine, { q: "italian" })).restaurants;
  t.match(a, {
    cuisines: ["Italian"],
    diets: ["vegan", "halal", "vegetarian"],
    minimumOrderMinor: 1_500,
    imageUrl: "img/a",
  });
  for (const q of ["terrace", "smoky", "mains"]) t.strictSame(idsOf(await search(engine, { q })), ["a"], q);
  const vegan = await search(engine, { diet: ["vegan"] });
  t.strictSame(idsOf(vegan).toSorted(), ["a", "b"]);
  t.strictSame(
    vegan.facets.diet.map(({ value, count }) => [value, count]),
    [
      ["vegan", 2],
      ["halal", 1],
      ["vegetarian", 1],
    ],
  );
  const veganPizza = await search(engine, { q: "pizza", diet: ["vegan"] });
  t.strictSame(idsOf(veganPizza), ["a"], "the other one's vegan dish is no pizza");
  t.match(veganPizza.restaurants[0]?.dishes, [{ name: "Pizza Verde", imageUrl: "img/verde" }]);
  t.equal(veganPizza.restaurants[0]?.dishes.length, 1);
  t.equal((await search(engine, { diet: ["vegan", "halal"] })).total, 1, "all of these");
});

t.test("R-SRC-1: an area may be a polygon", async (t) => {
  const w = await openWorld();
  const corner = (lat: number, lng: number) => ({ lat: HOME.lat + lat, lng: HOME.lng + lng });
  // A strip to the east, of which its own kitchen is no part.
  const deliveryPolygon = [corner(-0.01, 0.01), corner(0.01, 0.01), corner(0.01, 0.05), corner(-0.01, 0.05)];
  await w.put({ id: "strip", more: { deliveryPolygon } });
  const engine = await w.engine();
  const at = async (lat: number, lng: number) => (await search(engine, corner(lat, lng))).total;
  t.strictSame(await Promise.all([at(0, 0), at(0, 0.03), at(0, 0.0499), at(0, 0.06), at(0.02, 0.03)]), [0, 1, 1, 0, 0]);
});

t.test("R-SRC-1 R-RST-1: who opens or closes by the clock does so in the results", async (t) => {
  const w = await openWorld();
  // Friday, 12:00 in UTC, is 15:00 in Istanbul.
  const hours = { timeZone: "Europe/Istanbul", weekly: [{ day: 5, from: "16:00", to: "18:00" }] };
  const now = w.clock.now();
  await w.put({ id: "evening", open: false, more: { hours, changesAt: now + HOUR } });
  await w.put({ id: "paused", open: false, more: { paused: { until: now + HOUR / 2 }, changesAt: now + HOUR / 2 } });
  await w.put({ id: "draft", more: { status: "draft" } });
  const rarely = { changesMs: HOUR, reconcileMs: 24 * HOUR, popularityMs: 24 * HOUR, ratingsMs: 24 * HOUR };
  const engine = await w.engine({ feed: { ...rarely, doorsMs: 60_000 }, termsFlushMs: HOUR });
  const open = async () => idsOf(await search(engine, { sort: "distance" }));
  const pass = (ms: number) => {
    const until = w.clock.now() + ms;
    while (w.clock.step(until)) {}
    w.clock.moveTo(until);
  };
  t.strictSame(await open(), []);
  pass(HOUR / 2 + 60_000);
  t.strictSame(await open(), ["paused"]);
  pass(HOUR / 2);
  t.strictSame(await open(), ["evening", "paused"]);
  pass(2 * HOUR);
  t.strictSame(await open(), ["paused"]);
  pass(7 * 24 * HOUR - HOUR);
  t.strictSame(await open(), ["evening", "paused"], "a week later again");
  await engine.stop();
});
