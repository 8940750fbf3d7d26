/**
 * Search the quick way against the plain way: columns, lists that are kept and texts that are written once give, to the
 * letter, what looking at every restaurant and writing every answer anew gives.
 */
import fc from "fast-check";
import t from "tap";
import { distanceMeters } from "../../lib/geo.js";
import type { Json } from "../../lib/json.js";
import type { FoundRestaurant, SearchQuery } from "../../protocol/mod.js";
import { Catalogue, type Kept } from "./catalogue.js";
import { cellOf } from "./cells.js";
import { HOME } from "./fixtures/world.js";
import { RankedLists } from "./lists.js";
import { bestFirst } from "./order.js";
import { type PageDeps, pageOf } from "./page.js";
import { Places, throughTheEarth } from "./places.js";
import { type Plan, Plans } from "./plan.js";
import { DEFAULT_RANK_WEIGHTS, dishesOf, etaMinutes, type RankQuery, type RankSort, rankOf } from "./rank.js";
import { searchable } from "./restaurant.js";
import { createSynonyms, NO_SYNONYMS } from "./synonyms.js";

const weights = DEFAULT_RANK_WEIGHTS;

function plainFound({ catalogue }: PageDeps, kept: Kept, query: SearchQuery, plan: Plan | null, diets: number) {
  const meters = distanceMeters(query, kept.point);
  const band = catalogue.bandOf(kept);
  const found: FoundRestaurant = {
    restaurantId: kept.restaurantId,
    name: kept.name,
    lat: kept.point.lat,
    lng: kept.point.lng,
    distanceMeters: Math.round(meters),
    open: kept.open,
    delivers: kept.covers(query),
    cuisines: kept.cuisines.map((id) => catalogue.cuisineNames[id]!),
    diets: catalogue.dietNames.filter((_, id) => (kept.diets & (1 << id)) !== 0),
    ...(band === null ? {} : { priceBand: band }),
    ...(kept.rating === null ? {} : { rating: kept.rating }),
    currency: kept.currency,
    deliveryFeeMinor: kept.deliveryFeeMinor,
    ...(kept.minimumOrderMinor === null ? {} : { minimumOrderMinor: kept.minimumOrderMinor }),
    etaMinutes: etaMinutes(kept, meters, weights),
    ...(kept.imageUrl === null ? {} : { imageUrl: kept.imageUrl }),
    menuVersion: kept.menuVersion,
    dishes:
      plan === null
        ? []
        : dishesOf(kept, plan, diets, 3).map(({ dish }) => ({
            itemId: kept.dishIds[dish]!,
            name: catalogue.vocabulary.text(kept.dishTexts[dish]!),
            priceMinor: kept.dishPrices[dish]!,
            ...(kept.dishImages?.[dish] == null ? {} : { imageUrl: kept.dishImages[dish] }),
          })),
  };
  return found;
}

/** Every restaurant is ranked, every filter asked of each; no limit and no cursor. */
function plainly(deps: PageDeps, query: SearchQuery, plan: Plan | null, ranked: RankQuery) {
  const { catalogue } = deps;
  const all = Array.from({ length: catalogue.size }, (_, slot) => catalogue.at(slot)).flatMap((kept, slot) => {
    const rank = kept === null ? null : rankOf(catalogue, slot, ranked, weights);
    return kept === null || rank === null ? [] : [{ kept, ...rank, band: catalogue.bandOf(kept) }];
  });
  const listed = all.filter(
    ({ kept }) =>
      (query.open === false || kept.open) &&
      (query.delivers === false || kept.covers(query)) &&
      (query.radiusMeters === undefined || distanceMeters(query, kept.point) <= query.radiusMeters) &&
      (query.minRating === undefined || (kept.rating?.average ?? 0) >= query.minRating),
  );
  const diets = catalogue.dietsOf(query.diet ?? []);
  const is = {
    cuisine: ({ kept }: (typeof listed)[number]) =>
      query.cuisine === undefined ||
      kept.cuisines.some((id) => query.cuisine!.some((name) => catalogue.cuisineOf(name) === id)),
    diet: (one: (typeof listed)[number]) => diets !== null && (one.diets & diets) === diets,
    price: ({ band }: (typeof listed)[number]) =>
      query.price === undefined || (band !== null && query.price.map(Number).includes(band)),
  };
  const counts = (values: readonly string[]) =>
    [...new Set(values)]
      .map((value) => ({ value, count: values.filter((each) => each === value).length }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  const results = listed
    .filter((one) => is.cuisine(one) && is.diet(one) && is.price(one))
    .sort((a, b) => b.score - a.score || (a.kept.restaurantId < b.kept.restaurantId ? -1 : 1));
  return {
    restaurants: results.map(({ kept }) => plainFound(deps, kept, query, plan, diets ?? 0)),
    total: results.length,
    facets: {
      cuisine: counts(
        listed
          .filter((one) => is.diet(one) && is.price(one))
          .flatMap(({ kept }) => kept.cuisines.map((id) => catalogue.cuisineNames[id]!)),
      ),
      diet: counts(
        listed
          .filter((one) => is.cuisine(one) && is.price(one))
          .flatMap((one) => catalogue.dietNames.filter((_, id) => (one.diets & (1 << id)) !== 0)),
      ),
      price: counts(
        listed
          .filter((one) => is.cuisine(one) && is.diet(one))
          .flatMap(({ band }) => (band === null ? [] : [String(band)])),
      ),
    },
  };
}

const DIETS = ["vegan", "vegetarian", "halal"];
const CUISINES = ["Thai", "pizza", "Köfte 🍢", 'the "grill"'];
const TEXTS = ["Green Curry", "Pizza Diavola", "Soup", "Sütlaç", "Cheeseburger", "Tea\u2028Time", "Curry Soup"];
const step = fc.integer({ min: -12, max: 12 }).map((n) => n * 0.0019);

const change = fc.record({
  id: fc.integer({ min: 0, max: 40 }),
  at: fc.record({ lat: step, lng: step }),
  open: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  radius: fc.constantFrom(300, 1_500, 6_000),
  polygon: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  name: fc.constantFrom(...TEXTS, 'Quo"te', "Tab\there"),
  cuisines: fc.subarray(CUISINES),
  image: fc.boolean(),
  minimum: fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined }),
  dishes: fc.array(
    fc.record({
      name: fc.constantFrom(...TEXTS),
      priceMinor: fc.integer({ min: 0, max: 5 }),
      diets: fc.subarray(DIETS),
      image: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  rating: fc.option(fc.record({ average: fc.constantFrom(1, 3.5, 5), count: fc.integer({ min: 1, max: 9 }) })),
  removed: fc.integer({ min: 0, max: 8 }).map((n) => n === 0),
  onlyRated: fc.boolean(),
  bands: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
const options = {
  q: fc.constantFrom("curry", "piza", "soup curry", "chee", "sutlac", "tea", "nothing"),
  delivers: fc.boolean(),
  open: fc.boolean(),
  radiusMeters: fc.constantFrom(400, 3_000),
  cuisine: fc.subarray(CUISINES, { minLength: 1 }),
  diet: fc.subarray(DIETS, { minLength: 1 }),
  price: fc.subarray(["1", "2", "3", "4"] as const, { minLength: 1 }).map((bands) => [...bands]),
  minRating: fc.constantFrom(0, 3, 4),
};
const sort = fc.constantFrom<RankSort>("relevance", "distance", "price", "eta", "rating", "popularity");
/** Few of its options at once, so that something is found. */
const question = fc.subarray(Object.keys(options) as (keyof typeof options)[], { maxLength: 2 }).chain((some) =>
  fc.record({
    at: fc.record({ lat: step, lng: step }),
    sort,
    filters: fc.record(options, { requiredKeys: [] }).map((all) => {
      const chosen = Object.entries(all).filter(([name]) => some.includes(name as keyof typeof options));
      return Object.fromEntries(chosen) as typeof all;
    }),
  }),
);

type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

function apply(catalogue: Catalogue, change: Change, version: number): void {
  const { id, at, open, radius, polygon, name, cuisines, image, minimum, dishes, rating, removed, onlyRated, bands } =
    change;
  const restaurantId = `r${id}`;
  if (removed) catalogue.remove(restaurantId);
  else if (onlyRated && catalogue.find(restaurantId) !== null) catalogue.setRating(restaurantId, rating);
  else {
    const [lat, lng] = [HOME.lat + at.lat, HOME.lng + at.lng];
    const corner = (north: number, east: number) => ({ lat: lat + north, lng: lng + east });
    const view = {
      ...{ restaurantId, menuVersion: version, open, name, lat, lng, cuisines, currency: id % 3 === 0 ? "TRY" : "EUR" },
      ...{ taxPerMille: 0, deliveryFeeMinor: id * 10, deliveryRadiusMeters: radius },
      ...(polygon ? { deliveryPolygon: [corner(0.01, 0), corner(-0.01, 0.02), corner(-0.01, -0.02)] } : {}),
      ...(image ? { image: `/images/${id}.webp` } : {}),
      ...(minimum === undefined ? {} : { minimumOrderMinor: minimum }),
      items: dishes.map((dish, i) => ({
        ...{ itemId: `d${i}`, name: dish.name, priceMinor: dish.priceMinor, diets: dish.diets },
        ...(dish.image ? { image: `/images/${id}-${i}.webp` } : {}),
      })),
    };
    catalogue.put(searchable(view as unknown as Json)!, version, 0);
    catalogue.setRating(restaurantId, rating);
    catalogue.setPopularity(restaurantId, (id % 5) / 5);
  }
  if (bands) catalogue.judgeBands();
}

t.test("R-SRC-1 R-SRC-3: quick answers are to the letter those of the plain way", (t) => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 30, maxLength: 60 }),
      fc.array(fc.tuple(fc.array(change, { maxLength: 2 }), question), { minLength: 5, maxLength: 25 }),
      (first, rest) => {
        const catalogue = new Catalogue();
        const plans = new Plans(catalogue.vocabulary, createSynonyms(NO_SYNONYMS), 16);
        const lists = new RankedLists(catalogue, weights, 1e6);
        const deps = { catalogue, weights };
        let version = 0;
        for (const each of first) apply(catalogue, each, ++version);
        for (const [changes, { at, sort, filters }] of rest) {
          for (const each of changes) apply(catalogue, each, ++version);
          const query = { lat: HOME.lat + at.lat, lng: HOME.lng + at.lng, ...filters } satisfies SearchQuery;
          const plan = plans.of(query.q ?? "");
          const withinMeters = query.delivers === false ? 20_000 : null;
          const ranked = { cell: cellOf(query), plan, sort, withinMeters } as const;
          const { restaurants, total, facets, end } = pageOf(deps, lists.listOf(ranked), query, plan, null, 100);
          const plain = plainly(deps, query, plan, ranked);
          t.equal(restaurants, JSON.stringify(plain.restaurants));
          t.strictSame({ total, facets, end }, { total: plain.total, facets: plain.facets, end: null });
          found += total;
        }
      },
    ),
    { numRuns: 40 },
  );
  t.ok(found > 500, "there was something to compare");
  t.end();
});

t.test("R-SRC-1: many scores in order are what comparing each pair gives", (t) => {
  const score = fc.oneof(
    fc.constantFrom(0, -0, 1, 1 + Number.EPSILON, 1 + 2 ** -30, -1, -1 - Number.EPSILON, 5e-324, -5e-324),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.array(score, { maxLength: 200 }), (some) => {
      const scores = Float64Array.from(some);
      const compare = (a: number, b: number): number =>
        scores[a] === scores[b] ? b - a : scores[a]! > scores[b]! ? -1 : 1;
      t.strictSame([...bestFirst(scores, compare)], [...scores.keys()].sort(compare));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test("R-SRC-1: nobody within reach is passed over, anywhere on the globe", (t) => {
  const point = fc.record({
    lat: fc.oneof(fc.constantFrom(-90, 90, 0), fc.double({ min: -90, max: 90, noNaN: true })),
    lng: fc.oneof(fc.constantFrom(-180, 180, 0), fc.double({ min: -180, max: 180, noNaN: true })),
  });
  const house = fc.record({ at: point, reach: fc.constantFrom(0, 500, 5_000, 3_000_000) });
  fc.assert(
    fc.property(
      fc.array(house, { maxLength: 30 }),
      point,
      fc.option(fc.constantFrom(1_000, 8_000_000)),
      (all, from, within) => {
        const places = new Places();
        // All have moved once.
        for (const slot of all.keys()) places.set(slot, from, 5_000);
        for (const [slot, { at, reach }] of all.entries()) places.set(slot, at, reach);
        // Somebody who is right here, and somebody who has gone.
        places.set(2_000, from, 0);
        places.set(2_001, from, 0);
        places.clear(2_001);
        const near = [...places.near(from, 200, within)];
        const meters = (slot: number): number => distanceMeters(all[slot]!.at, from) - 200;
        const isNear = (slot: number): boolean => meters(slot) <= (within ?? all[slot]!.reach);
        const expected = [...all.keys()].filter(isNear);
        t.strictSame(
          expected.filter((slot) => !near.includes(slot)),
          [],
        );
        t.strictSame(
          near.filter((slot) => slot >= 2_000),
          [2_000],
        );
        for (const [slot, { at, reach }] of all.entries()) {
          const reaches = places.reaches(slot, throughTheEarth(from));
          if (reaches !== null) t.equal(reaches, distanceMeters(at, from) <= reach);
        }
        // Straight through the earth is shorter, by a metre for some hundred kilometres.
        const near10 = near.filter((slot) => slot < 2_000 && (within ?? all[slot]!.reach) < 10_000);
        t.strictSame(
          near10.filter((slot) => meters(slot) > (within ?? all[slot]!.reach) + 2),
          [],
        );
      },
    ),
    { numRuns: 200 },
  );
  t.end();
});
