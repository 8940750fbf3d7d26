/**
 * Search against a naive scan: whatever happens to the catalogue and whatever is asked meanwhile, the lists in memory say
 * what a look at every restaurant says.
 */
import fc from "fast-check";
import t from "tap";
import { distanceMeters } from "../../lib/geo.js";
import type { SearchQuery, SearchResults } from "../../protocol/mod.js";
import { HOME, idsOf, type MadeRestaurant, openWorld, search } from "./fixtures/world.js";
import { editDistance, editsAllowed } from "./typos.js";
import { wordsOf } from "./words.js";

const WORDS = ["pizza", "pide", "soup", "green", "curry", "chicken", "burger", "cheeseburger", "tea", "kofte", "rice"];
const place = fc.record({ lat: fc.integer({ min: -12, max: 12 }), lng: fc.integer({ min: -12, max: 12 }) });
/** Steps of about 200 metres, so that areas' edges run through cells. */
const at = ({ lat, lng }: { lat: number; lng: number }) => ({
  lat: HOME.lat + lat * 0.0019,
  lng: HOME.lng + lng * 0.0023,
});
const name = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }).map((words) => words.join(" "));

const change = fc.record({
  id: fc.integer({ min: 0, max: 11 }).map((n) => `r${n}`),
  place,
  open: fc.boolean(),
  radius: fc.constantFrom(300, 900, 2_000, 5_000),
  name,
  dishes: fc.array(fc.record({ name, soldOut: fc.boolean(), priceMinor: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
  removed: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});
const question = fc.record(
  {
    place,
    q: fc.oneof(name, fc.constantFrom("piza", "burgr", "chiken curry", "gre", "kofta", "nothing")),
    delivers: fc.boolean(),
    open: fc.boolean(),
    radiusMeters: fc.constantFrom(200, 1_000, 3_000),
    sort: fc.constantFrom("relevance", "distance", "price", "eta"),
  },
  { requiredKeys: ["place"] },
);
const step = fc.oneof({ weight: 2, arbitrary: change }, { weight: 3, arbitrary: question });

type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;
type Kept = MadeRestaurant & { readonly at: { lat: number; lng: number }; readonly texts: readonly string[] };

/** Whether a typed word is meant by one of these words; `known`: words that were ever sold, of which none is a typo. */
function isMeant(typed: string, words: readonly string[], known: ReadonlySet<string>): boolean {
  return words.some(
    (word) =>
      word === typed ||
      (typed.length >= 2 && word.startsWith(typed)) ||
      (typed.length >= 4 && word.includes(typed)) ||
      (!known.has(typed) && editDistance(typed, word, editsAllowed(typed.length)) <= editsAllowed(typed.length)),
  );
}

function naive(restaurants: Iterable<Kept>, query: SearchQuery, known: ReadonlySet<string>): string[] {
  const radius = query.radiusMeters ?? (query.delivers === false ? 10_000 : Number.POSITIVE_INFINITY);
  const found: string[] = [];
  for (const { id, at, open, radius: reach, texts } of restaurants) {
    const meters = distanceMeters(query, at);
    const words = texts.flatMap((text) => wordsOf(text));
    if (query.open !== false && open === false) continue;
    if (query.delivers !== false && meters > reach!) continue;
    if (meters > radius) continue;
    if (wordsOf(query.q ?? "").every((typed) => isMeant(typed, words, known))) found.push(id);
  }
  return found.sort();
}

t.test(
  "R-SRC-1 R-SRC-3: a list in memory is what a scan of all restaurants gives, whatever changed since",
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 40 }), async (steps) => {
        const w = await openWorld();
        const settings = { feed: { changesMs: 1e9 } };
        const kept = await w.engine(settings);
        // Its lists are made anew for every question.
        const forgetful = await w.engine({ ...settings, maxListBytes: 0 });
        const restaurants = new Map<string, Kept>();
        const known = new Set<string>();
        const asked: SearchQuery[] = [];
        const check = async (query: SearchQuery): Promise<void> => {
          const [one, other] = [await search(kept, query), await search(forgetful, query)];
          t.strictSame(one, other);
          const expected = naive(restaurants.values(), query, known);
          t.strictSame([...idsOf(one)].sort(), expected, JSON.stringify(query));
          t.equal(one.total, expected.length);
          t.strictSame(await inPages(query), idsOf(one), "page by page the same");
          isSorted(one, query);
        };
        const inPages = async (query: SearchQuery): Promise<string[]> => {
          const ids: string[] = [];
          let cursor: string | undefined;
          do {
            const page: SearchResults = await search(kept, {
              ...query,
              limit: 2,
              ...(cursor === undefined ? {} : { cursor }),
            });
            ids.push(...idsOf(page));
            cursor = page.nextCursor;
          } while (cursor !== undefined);
          return ids;
        };
        const isSorted = ({ restaurants: found }: SearchResults, { sort }: SearchQuery): void => {
          if (sort !== "distance") return;
          // Ranked from the middle of the cell, which is at most 200 metres away.
          for (const [i, { distanceMeters: meters }] of found.entries())
            if (i > 0) t.ok(meters >= found[i - 1]!.distanceMeters - 400);
        };
        for (const each of steps) {
          if ("id" in each) {
            await apply(each, restaurants, known, w);
            await Promise.all([kept.feed.catchUp(), forgetful.feed.catchUp()]);
          } else {
            const { place: where, ...query } = each;
            asked.push({ ...at(where), ...query });
            await check(asked.at(-1)!);
          }
        }
        for (const query of asked.slice(-5)) await check(query);
        await Promise.all([kept.stop(), forgetful.stop()]);
      }),
      { numRuns: 25 },
    );
  },
);

async function apply(
  { id, place: where, open, radius, name: house, dishes, removed }: Change,
  restaurants: Map<string, Kept>,
  known: Set<string>,
  w: Awaited<ReturnType<typeof openWorld>>,
): Promise<void> {
  if (removed) {
    restaurants.delete(id);
    await w.remove(id);
    return;
  }
  const items = dishes.map((dish) => ({ name: dish.name, priceMinor: dish.priceMinor, available: !dish.soldOut }));
  const made: MadeRestaurant = { id, name: house, ...at(where), open, radius, dishes: items };
  await w.put(made);
  const sold = items.filter(({ available }) => available).map((item) => item.name);
  if (sold.length === 0) {
    restaurants.delete(id);
    return;
  }
  for (const word of [house, ...sold].flatMap((text) => wordsOf(text))) known.add(word);
  restaurants.set(id, { ...made, at: at(where), texts: [house, ...sold] });
}
