import t from "tap";
import type { FoundRestaurant, SearchTerms, Suggestions } from "../../protocol/mod.js";
import { asked, HOME, idsOf, openWorld, search } from "./fixtures/world.js";
import { parseSynonyms } from "./synonyms.js";

/** Metres north of home. */
const north = (meters: number) => ({ lat: HOME.lat + meters / 111_195 });

t.test("R-SRC-1: restaurants and dishes in one query, whatever the case, the accents and the plural", async (t) => {
  const w = await openWorld();
  await w.put({ id: "anna", name: "Änna's Kitchen", dishes: ["Crème brûlée", "Green Curry"] });
  await w.put({ id: "siam", name: "Siam", dishes: ["Mango Rice", { name: "Tom Kha", category: "Thai" }] });
  await w.put({ id: "tokyo", name: "東京ラーメン", dishes: ["味噌ラーメン"] });
  const engine = await w.engine();
  const found = async (q: string) => idsOf(await search(engine, { q }));
  t.strictSame(await found("annas kitchen"), ["anna"]);
  t.strictSame(await found("CREME brulees"), ["anna"]);
  t.strictSame(await found("siam mango"), ["siam"], "a word of the house and one of a dish");
  t.strictSame(await found("mango curry"), [], "all words have to be found in one house");
  t.strictSame(await found("thai"), ["siam"], "the cuisine");
  t.strictSame(await found("ラーメン"), ["tokyo"]);
  t.strictSame(await found("gree"), ["anna"], "a beginning");
  t.strictSame((await search(engine, { q: "curry" })).restaurants[0]?.dishes, [
    { itemId: "d1", name: "Green Curry", priceMinor: 1_000 },
  ]);
  t.equal((await search(engine, { q: "?!" })).total, 3, "a text without words asks for nothing");
  t.strictSame(await found("xyzzy"), []);
});

t.test("R-SRC-1, R-SRC-4: one character is a word where scripts know no spaces", async (t) => {
  const w = await openWorld();
  await w.put({ id: "lanzhou", dishes: ["牛肉面"] });
  await w.put({ id: "unagi", dishes: ["鰻丼", "茶"] });
  await w.put({ id: "forno", dishes: ["Pizza"] });
  const engine = await w.engine();
  const found = async (q: string) => idsOf(await search(engine, { q }));
  for (const part of ["牛", "肉", "面", "牛 面"]) t.strictSame(await found(part), ["lanzhou"], part);
  t.strictSame(await found("鰻"), ["unagi"]);
  t.strictSame(await found("茶"), ["unagi"], "the whole name");
  t.strictSame(await found("馬"), []);
  t.strictSame(await found("p"), [], "a letter is none");
  const { suggestions } = await asked<Suggestions>(engine, "suggest", { ...HOME, q: "牛" });
  t.match(suggestions, [{ kind: "dish", text: "牛肉面" }]);
});

t.test(
  "R-SRC-1: a dish of a script without spaces is found by its end, and by a word of another script in it",
  async (t) => {
    const w = await openWorld();
    await w.put({ id: "bangkok", dishes: ["ข้าวผัดกะเพราหมูสับราดข้าวไข่ดาวพิเศษ"] });
    await w.put({ id: "tokyo", name: "CoCo壱番屋", dishes: ["BBQチキンピザMサイズ", "ラーメン", "7種のチーズ"] });
    const engine = await w.engine();
    const found = async (q: string) => idsOf(await search(engine, { q }));
    for (const typed of ["ไข่ดาว", "พิเศษ"]) t.strictSame(await found(typed), ["bangkok"], typed);
    for (const typed of ["coco", "bbq", "BBQ チキン", "BBQチキン", "チーズ", "壱番屋", "らーめん", "ﾗｰﾒﾝ"]) {
      t.strictSame(await found(typed), ["tokyo"], typed);
    }
  },
);

t.test("R-SRC-1: what scripts write with marks, or with one letter for another, is found without", async (t) => {
  const w = await openWorld();
  await w.put({ id: "beirut", dishes: ["أرز بالدجاج", "قهوة", "كبـــاب"] });
  await w.put({ id: "haifa", dishes: ["חוּמוּס"] });
  await w.put({ id: "delhi", dishes: ["पिज़्ज़ा"] });
  await w.put({ id: "athens", dishes: ["Γύρος"] });
  const engine = await w.engine();
  const found = async (q: string) => idsOf(await search(engine, { q }));
  for (const typed of ["ارز", "أَرُزّ", "قهوه", "کباب"]) t.strictSame(await found(typed), ["beirut"], typed);
  t.strictSame(await found("חומוס"), ["haifa"]);
  t.strictSame(await found("पिज्जा"), ["delhi"]);
  for (const typed of ["ΓΥΡΟΣ", "γυροσ"]) {
    const { restaurants, corrections } = await search(engine, { q: typed });
    t.strictSame([idsOf({ restaurants }), corrections], [["athens"], []], typed);
  }
});

t.test("R-SRC-1: typos are understood and told, other words for the same are known", async (t) => {
  const w = await openWorld();
  await w.put({ id: "forno", dishes: ["Pizza Margherita"] });
  await w.put({ id: "osaka", dishes: ["Salmon Sushi"] });
  await w.put({ id: "smash", dishes: ["Cheeseburger", "Chips"] });
  await w.put({ id: "gelato", dishes: ["Dondurma"] });
  const table = parseSynonyms({
    equal: [
      ["fries", "chips", "french fries"],
      ["ice cream", "dondurma"],
    ],
    also: { japanese: ["sushi"], italian: ["pizza"] },
  });
  const engine = await w.engine({ synonyms: table });
  const found = async (q: string) => idsOf(await search(engine, { q }));
  for (const typo of ["piza", "pzza", "pizzza", "ipzza"]) t.strictSame(await found(typo), ["forno"], typo);
  t.strictSame((await search(engine, { q: "piza" })).corrections, [{ typed: "piza", used: "pizza" }]);
  t.strictSame(await found("margarita"), ["forno"], "two edits in a long word");
  t.strictSame(await found("suhsi"), ["osaka"]);
  t.strictSame(await found("tar"), [], "short words forgive nothing");
  t.strictSame(await found("french fries"), ["smash"]);
  t.strictSame(await found("ice creams"), ["gelato"]);
  t.strictSame(await found("burger"), ["smash"], "a part of a word");
  t.strictSame(await found("japanese"), ["osaka"]);
  t.strictSame(await found("sushi"), ["osaka"]);
  t.strictSame(await found("japanees"), ["osaka"], "a word that no menu has, typed wrongly, for what one has");
  t.strictSame((await search(engine, { q: "italien" })).corrections, [{ typed: "italien", used: "italian" }]);
  t.strictSame(await found("icecreem"), [], "a phrase is no word");
  t.strictSame(await found("jappanezze"), [], "too many edits");
  t.throws(() => parseSynonyms({ equal: [["a", 1]], also: {} }), /equal/);
  t.throws(() => parseSynonyms({ equal: [], also: null }), /also/);
});

t.test("R-SRC-1: who is near, delivers here and is open; by distance, rating, time and price", async (t) => {
  const w = await openWorld();
  await w.put({ id: "near", ...north(300), dishes: [{ name: "A", priceMinor: 900, prepMinutes: 40 }] });
  await w.put({ id: "far", ...north(4_000), dishes: [{ name: "A", priceMinor: 100, prepMinutes: 1 }] });
  await w.put({ id: "farther", ...north(9_000), radius: 20_000 });
  await w.put({ id: "beyond", ...north(6_000), radius: 5_000 });
  await w.put({ id: "closed", open: false });
  await w.put({
    id: "sold-out",
    dishes: [
      { name: "A", available: false },
      { name: "B", stock: 4, left: 0 },
    ],
  });
  const engine = await w.engine();
  const found = async (query: object) => idsOf(await search(engine, query));
  t.strictSame(await found({ sort: "distance" }), ["near", "far", "farther"]);
  t.strictSame(await found({ sort: "eta" }), ["far", "near", "farther"]);
  t.strictSame(await found({ sort: "price" }), ["far", "near", "farther"]);
  t.strictSame(await found({ sort: "distance", radiusMeters: 5_000 }), ["near", "far"]);
  t.strictSame(await found({ sort: "distance", open: false }), ["closed", "near", "far", "farther"]);
  t.strictSame(await found({ sort: "distance", delivers: false }), ["near", "far", "beyond", "farther"]);
  t.strictSame(await found({ sort: "distance", delivers: false, radiusMeters: 1_000 }), ["near"]);
  const [near] = (await search(engine, { sort: "distance" })).restaurants;
  t.match(near, { distanceMeters: 300, open: true, delivers: true, etaMinutes: 41, priceBand: Number });
  // The edge of an area goes through the cell: the point decides.
  await w.put({ id: "edge", ...north(1_050), radius: 1_000 });
  await engine.feed.catchUp();
  t.notOk((await found({})).includes("edge"));
  t.ok((await found({ lat: HOME.lat + 0.0009 })).includes("edge"), "in the same cell a hundred metres on");
});

t.test("R-SRC-1 R-RAT-1: what people said counts, the more the more of them said it", async (t) => {
  const w = await openWorld();
  for (const id of ["good", "loved-by-one", "bad", "new"]) await w.put({ id });
  w.ratings.set("good", { average: 4.6, count: 300 });
  w.ratings.set("loved-by-one", { average: 5, count: 1 });
  w.ratings.set("bad", { average: 2, count: 50 });
  const engine = await w.engine();
  const found = async (query: object) => idsOf(await search(engine, query));
  t.strictSame(await found({ sort: "rating" }), ["good", "loved-by-one", "new", "bad"]);
  t.strictSame(await found({}), ["good", "loved-by-one", "new", "bad"], "all else being equal");
  t.strictSame(await found({ minRating: 4.5 }), ["good", "loved-by-one"]);
  t.match((await search(engine, { minRating: 4.5 })).restaurants[0]?.rating, { average: 4.6, count: 300 });
  w.ratings.delete("good");
  w.ratings.set("new", { average: 5, count: 500 });
  await engine.feed.readRatings();
  t.strictSame(await found({ sort: "rating" }), ["new", "loved-by-one", "good", "bad"]);
  t.strictSame(await found({ minRating: 4.5, sort: "rating" }), ["new", "loved-by-one"]);
});

t.test("R-SRC-4: counts say what there would be, and filters do what the counts say", async (t) => {
  const w = await openWorld();
  const prices = [100, 200, 300, 400, 500, 600, 700, 800];
  for (const [i, priceMinor] of prices.entries()) {
    await w.put({ id: `r${i}`, dishes: [{ name: "A", priceMinor, category: i < 3 ? "Thai" : "Pizza" }] });
  }
  const engine = await w.engine();
  const { facets, total } = await search(engine);
  t.strictSame(facets.cuisine, [
    { value: "Pizza", count: 5 },
    { value: "Thai", count: 3 },
  ]);
  t.strictSame(facets.price.map(({ value, count }) => [value, count]).sort(), [
    ["1", 2],
    ["2", 2],
    ["3", 2],
    ["4", 2],
  ]);
  t.equal(total, 8);
  const thai = await search(engine, { cuisine: ["THAI"] });
  t.strictSame(idsOf(thai).toSorted(), ["r0", "r1", "r2"]);
  t.equal(thai.facets.cuisine.length, 2, "its own choice aside");
  t.strictSame(thai.facets.price.map(({ value }) => value).sort(), ["1", "2"], "all others kept");
  t.strictSame(idsOf(await search(engine, { cuisine: ["thai"], price: ["2"] })), ["r2"]);
  t.equal((await search(engine, { cuisine: ["thai", "pizza"] })).total, 8, "any of these");
  t.equal((await search(engine, { cuisine: ["nothing"] })).total, 0);
  t.equal((await search(engine, { diet: ["vegan"] })).total, 0);
});

t.test("R-SRC-1: pages follow each other, whatever happens between them", async (t) => {
  const w = await openWorld();
  const ids = Array.from({ length: 30 }, (_, i) => `r${String(i).padStart(2, "0")}`);
  for (const [i, id] of ids.entries()) await w.put({ id, ...north(i * 20) });
  const engine = await w.engine();
  const query = { sort: "distance", limit: 7 } as const;
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; ; page++) {
    const results = await search(engine, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...idsOf(results));
    t.equal(results.total, page < 2 ? 30 : 29);
    cursor = results.nextCursor;
    if (cursor === undefined) break;
    if (page === 1) {
      await w.put({ id: "r02", ...north(40), open: false });
      await w.put({ id: "r20", ...north(400), dishes: ["Changed"] });
      await engine.feed.catchUp();
    }
  }
  t.strictSame(seen, ids);
  const first = await search(engine, query);
  const wrong = [
    { ...query, cursor: `${first.nextCursor}A` },
    { ...query, cursor: "AAAA" },
    { ...query, cursor: first.nextCursor!, q: "soup" },
    { ...query, cursor: first.nextCursor!, open: false },
    { ...query, cursor: first.nextCursor!, lat: 42 },
  ];
  for (const each of wrong) {
    t.strictSame(await engine.ask("search", { ...HOME, ...each }), { ok: false, code: "cursor_invalid" });
  }
  const shorter = { ...HOME, ...query, limit: 3, cursor: first.nextCursor! };
  t.match(await engine.ask("search", shorter), { ok: true }, "a page may have another length");
});

t.test("R-SRC-4: suggestions are what can be had here, as typed so far", async (t) => {
  const w = await openWorld();
  await w.put({ id: "a", name: "Pizzeria Otto", dishes: [{ name: "Pizza Diavola", category: "pizza" }, "Chips"] });
  await w.put({ id: "b", name: "Pizza Norte", dishes: [{ name: "Pizza Diavola", category: "pizza" }] });
  await w.put({ id: "c", name: "Pizza Far", lat: 48 });
  await w.put({ id: "d", name: "Pizza Closed", open: false });
  const engine = await w.engine();
  const suggested = async (q: string) =>
    (await asked<Suggestions>(engine, "suggest", { ...HOME, q })).suggestions.map(
      ({ kind, text, restaurants, restaurantId }) => [kind, text, restaurants, restaurantId],
    );
  t.strictSame(await suggested("piz"), [
    ["dish", "Pizza Diavola", 2, undefined],
    ["cuisine", "pizza", 2, undefined],
    ["restaurant", "Pizza Norte", 1, "b"],
    ["restaurant", "Pizzeria Otto", 1, "a"],
  ]);
  t.strictSame(await suggested("pizza dia"), [["dish", "Pizza Diavola", 2, undefined]]);
  t.strictSame(await suggested("diavolla"), [["dish", "Pizza Diavola", 2, undefined]], "with a typo");
  t.strictSame(await suggested("..."), []);
});

t.test("R-SRC-4: popular is what was ordered most of what is open here", async (t) => {
  const w = await openWorld();
  for (const id of ["a", "b", "c", "d"]) await w.put({ id, open: id !== "d" });
  const { batch, indexEntry, write } = await import("../../store/contract/batches.js");
  const epochs = await w.store.claimShards("test", [0]);
  const orders = ["b", "b", "b", "d", "d", "d", "d", "c"].map((counterparty, i) =>
    write(`o${i}`, { index: indexEntry({ counterparty, status: "delivered", live: false, at: i }) }),
  );
  await w.store.flush(batch(epochs, orders));
  const engine = await w.engine();
  t.strictSame(idsOf(await asked<{ restaurants: FoundRestaurant[] }>(engine, "popular", HOME)), ["b", "c", "a"]);
});

t.test("R-SRC-4 R-GPS-8: what was searched in vain is counted, without people and places", async (t) => {
  const w = await openWorld();
  await w.put({ id: "a", dishes: ["Pizza"] });
  const engine = await w.engine();
  for (const q of ["pizza", "Pizza ", "zebra stew", "call 0555 123 45 67", "me@example.org", " "])
    await search(engine, { q });
  await search(engine, { q: "pizza", cuisine: ["none"] });
  const terms = async (order: string) => (await asked<SearchTerms>(engine, "terms", { order })).terms;
  t.strictSame(await terms("searches"), [
    { text: "pizza", searches: 3, foundNothing: 1 },
    { text: "zebra stew", searches: 1, foundNothing: 1 },
  ]);
  t.equal((await terms("nothing")).length, 2);
  const kept = JSON.stringify(await w.store.search().top(0, "searches", 100));
  t.notMatch(kept, /41\.0|29\.0|555|example/);
  for (let i = 0; i < 3_000; i++) await search(engine, { q: `word${i}` });
  t.equal((await w.store.search().top(0, "searches", 5_000)).length, 2, "none handed over yet");
  await engine.stop();
  t.equal((await w.store.search().top(0, "searches", 5_000)).length, 2_002, "a bounded number was waiting");
});
