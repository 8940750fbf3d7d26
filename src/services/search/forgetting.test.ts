/**
 * Menus that are written again and again leave texts and words behind. They are forgotten, and whatever is asked is
 * answered to the letter as by a catalogue that forgets nothing.
 */
import fc from "fast-check";
import t from "tap";
import type { Json } from "../../lib/json.js";
import { Catalogue } from "./catalogue.js";
import { cellOf } from "./cells.js";
import { HOME } from "./fixtures/world.js";
import { RankedLists } from "./lists.js";
import { pageOf } from "./page.js";
import { Plans } from "./plan.js";
import { DEFAULT_RANK_WEIGHTS } from "./rank.js";
import { searchable } from "./restaurant.js";
import { suggestionsFor } from "./suggest.js";
import { createSynonyms } from "./synonyms.js";

const weights = DEFAULT_RANK_WEIGHTS;
const synonyms = createSynonyms({ equal: [["soup", "corba"]], also: {} });

interface Menu {
  readonly id: number;
  readonly name: string;
  readonly dishes: readonly string[];
}

function viewOf(
  { id, name, restaurantId = `r${id}` }: Menu & { readonly restaurantId?: string },
  items: readonly object[],
  version: number,
): Json {
  const view = {
    ...{ restaurantId, menuVersion: version, open: true, name, lat: HOME.lat, lng: HOME.lng + id * 0.001 },
    ...{ currency: "TRY", taxPerMille: 0, deliveryFeeMinor: 100, deliveryRadiusMeters: 5_000, items },
  };
  return view as unknown as Json;
}

function put(catalogue: Catalogue, menu: Menu, version: number): void {
  const items = menu.dishes.map((dish, i) => ({ itemId: `${dish} ${version}-${i}`, name: dish, priceMinor: 100 + i }));
  catalogue.put(searchable(viewOf(menu, items, version))!, version, 0);
}

t.test("R-SRC-1: a menu that is written again and again leaves nothing behind for ever", (t) => {
  const catalogue = new Catalogue();
  const plans = new Plans(catalogue.vocabulary, synonyms, 16);
  const dishes = (version: number) => Array.from({ length: 50 }, (_, i) => `Special${version}x${i} soup`);
  for (let version = 1; version <= 850; version++) {
    put(catalogue, { id: 1, name: "Lokanta", dishes: dishes(version) }, version);
    const { texts, words } = catalogue.vocabulary;
    if (texts > 20_200 || words > 20_200) t.fail(`${texts} texts and ${words} words`);
  }
  t.equal(plans.of("special850x7")?.fitting.texts.length, 1);
  t.equal(plans.of("special3x7 soup")?.corrections.length, 1, "what nobody has had for long is no word any more");
  t.end();
});

t.test("R-SRC-1, R-SRC-4: headings that one menu has had take no cuisine from anybody else", (t) => {
  const catalogue = new Catalogue();
  const write = (id: string, headings: readonly string[], version: number): void => {
    const items = headings.map((category, i) => ({ itemId: `i${i}`, name: `Dish ${i}`, priceMinor: 100, category }));
    const menu = { id: 1, name: id, dishes: [] };
    catalogue.put(searchable(viewOf({ ...menu, restaurantId: id }, items, version))!, version, 0);
  };
  write("siam", ["Thai"], 1);
  for (let version = 1; version <= 300; version++) {
    write(
      "daily",
      Array.from({ length: 16 }, (_, i) => `Day ${version} course ${i}`),
      version,
    );
  }
  write("addis", ["Ethiopian", "thai"], 1);
  const cuisinesOf = (id: string) => catalogue.find(id)!.cuisines.map((cuisine) => catalogue.cuisineNames[cuisine]);
  t.same(cuisinesOf("addis"), ["Ethiopian", "Thai"]);
  t.same(cuisinesOf("siam"), ["Thai"]);
  t.same(cuisinesOf("daily").length, 16);
  t.equal(catalogue.cuisineOf("Day 7 course 1"), undefined);
  t.ok(catalogue.cuisineNames.length < 64, `${catalogue.cuisineNames.length} numbers for nineteen`);
  catalogue.remove("siam");
  t.same(cuisinesOf("addis"), ["Ethiopian", "Thai"]);
  catalogue.remove("addis");
  t.equal(catalogue.cuisineOf("thai"), undefined);
  t.end();
});

const STEMS = ["curry", "soup", "corba", "burger", "cheeseburger", "special"];
/**
 * Most come and go, some are had by several. No more words begin alike than a search looks at: of more, those that nobody
 * has any more would take the place of others.
 */
const dish = fc.tuple(fc.constantFrom(...STEMS), fc.option(fc.integer({ min: 0, max: 50 }), { freq: 5 }));
const dishName = dish.map(([stem, n]) => (n === null ? `green ${stem}` : `Taste${n} ${stem}`));
const menu = fc.record({
  id: fc.integer({ min: 0, max: 4 }),
  name: fc.constantFrom("Lokanta", "Green House", "Curry Club"),
  dishes: fc.array(dishName, { maxLength: 6 }),
});
const typed = fc.constantFrom(
  "curry",
  "soup",
  "green sou",
  "taste",
  "burger",
  "special",
  "chee",
  "lok",
  "nothing here",
);

t.test("R-SRC-1 R-SRC-3: what is forgotten changes no answer", (t) => {
  let forgotten = 0;
  let found = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(menu, fc.boolean(), typed), { minLength: 20, maxLength: 120 }), (steps) => {
      const both = [0, Number.POSITIVE_INFINITY].map((spare) => {
        const catalogue = new Catalogue(spare);
        const lists = new RankedLists(catalogue, weights, 1e6);
        return { catalogue, lists, plans: new Plans(catalogue.vocabulary, synonyms, 16) };
      });
      const everything = { cell: cellOf(HOME), plan: null, sort: "relevance", withinMeters: null } as const;
      for (const [version, [change, gone, q]] of steps.entries()) {
        const [few, all] = both.map(({ catalogue, lists, plans }) => {
          if (gone && version % 3 === 0) catalogue.remove(`r${change.id}`);
          else if (change.dishes.length > 0) put(catalogue, change, version + 1);
          const plan = plans.of(q)!;
          const list = lists.listOf({ ...everything, plan });
          const page = pageOf({ catalogue, weights }, list, HOME, plan, null, 100);
          return { page, suggested: suggestionsFor(catalogue, lists.listOf(everything), HOME, q, 20) };
        });
        t.strictSame(few, all);
        found += all!.page.total;
      }
      const [few, all] = both.map(({ catalogue }) => catalogue.vocabulary);
      forgotten += all!.texts - few!.texts;
      t.ok(few!.words <= all!.words);
    }),
    { numRuns: 40 },
  );
  t.ok(forgotten > 500 && found > 500, `${forgotten} texts were forgotten, ${found} restaurants found`);
  t.end();
});
