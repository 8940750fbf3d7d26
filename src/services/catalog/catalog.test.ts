import { brotliDecompressSync, gunzipSync } from "node:zlib";
import t from "tap";
import type { IndexQuery, IndexRow, MirrorEntry } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import type { MenuView } from "../../protocol/mod.js";
import { type CatalogSettings, createCatalog } from "./mod.js";

interface Row {
  readonly menu: MenuView;
  readonly at: number;
}

function world(settings: Partial<CatalogSettings> = {}) {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} };
  const menu = (menuVersion: number, restaurantId = "r1", lat = 41, more: Partial<MenuView> = {}): MenuView => ({
    restaurantId,
    menuVersion,
    open: true,
    name: "n",
    lat,
    lng: 29,
    currency: "TRY",
    taxPerMille: 0,
    deliveryFeeMinor: 0,
    deliveryRadiusMeters: 5000,
    items: [{ itemId: "a", name: "a", priceMinor: menuVersion }],
    ...more,
  });
  const rows = new Map<string, Row>();
  const state = {
    down: false,
    menusDown: false,
    slow: null as Promise<void> | null,
    menuReads: 0,
    feedReads: 0,
    rowsFed: 0,
    viewsRead: 0,
  };
  const hearers: ((entry: MirrorEntry) => void)[] = [];
  const catalog = createCatalog({
    clock,
    copy: {
      listen(keyPrefix, handler) {
        hearers.push((entry) => {
          if (entry.key.startsWith(keyPrefix)) handler(entry);
        });
        return () => {};
      },
    },
    settings,
    index: {
      async queryIndex({ keys, from, views, limit }: IndexQuery) {
        if (views === false) state.feedReads++;
        else if (keys !== undefined) state.menuReads++;
        if (state.down || (state.menusDown && views !== false)) throw new Error("away");
        const found = [...rows]
          .filter(
            ([key, { at }]) =>
              (keys?.includes(key) ?? true) &&
              (from === undefined || at > from.at || (at === from.at && key > from.key)),
          )
          .sort(([a, x], [b, y]) => x.at - y.at || (a < b ? -1 : 1))
          .slice(0, limit);
        if (views !== false) state.viewsRead += found.length;
        else state.rowsFed += found.length;
        // What is read is of when it was asked for.
        if (views !== false && state.slow !== null) await state.slow;
        return found.map(
          ([key, { menu: view, at }]) =>
            ({ key, at, view: views === false ? null : (view as unknown as Json) }) as IndexRow,
        );
      },
    },
  });
  return {
    catalog,
    state,
    menu,
    write: (value: MenuView, at = now) => rows.set(value.restaurantId, { menu: value, at }),
    mirror(value: MenuView) {
      const key = `menu:${value.restaurantId}`;
      for (const hear of hearers) hear({ key, version: [1, 1], value: value as unknown as Json, expiresAt: 1e9 });
    },
    pass(ms: number) {
      now += ms;
    },
    async settle() {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    },
  };
}

t.test("R-RST-3: a menu is read when it changes, however many ask, and is ready as bytes", async (t) => {
  const w = world();
  w.write(w.menu(1));
  const all = await Promise.all(Array.from({ length: 1000 }, () => w.catalog.ready("r1")));
  t.equal(w.state.menuReads, 1);
  t.ok(
    all.every((ready) => ready === all[0]),
    "the same bytes for all",
  );
  t.same(JSON.parse(new TextDecoder().decode(all[0]!.json)), w.menu(1));
  for (let second = 0; second < 100; second++) {
    w.pass(1_000);
    t.equal(await w.catalog.ready("r1"), all[0]);
  }
  t.equal(w.state.menuReads, 1, "not read again");
  w.write(w.menu(2));
  w.pass(600);
  t.equal(w.catalog.current("r1"), null, "just over its time the short way is closed");
  t.equal(w.catalog.ready("r1"), all[0], "and nobody waits");
  await w.settle();
  t.equal(w.catalog.current("r1")?.menuVersion, 2, "the next one has the new menu");
  t.equal(w.state.menuReads, 2);
  t.equal(await w.catalog.ready("none"), null);
  w.write(w.menu(1, "none"));
  w.pass(5_000);
  await w.catalog.ready("none");
  await w.settle();
  t.equal((await w.catalog.menu("none"))?.menuVersion, 1, "what was not there is, once it is written");
});

t.test("R-RST-3: after an import that nothing follows its changes are not read for ever", async (t) => {
  const w = world();
  for (let i = 0; i < 500; i++) w.write(w.menu(1, `r${i}`));
  await w.catalog.ready("r1");
  const read = async (): Promise<number> => {
    const before = w.state.rowsFed;
    w.pass(1_000);
    await w.catalog.ready("r1");
    return w.state.rowsFed - before;
  };
  t.equal(await read(), 500, "for a while they may still be followed by late ones");
  for (let second = 0; second < 60; second++) await read();
  t.equal(await read(), 0);
  w.write(w.menu(2));
  t.equal(await read(), 1);
  await w.settle();
  t.equal(w.catalog.current("r1")?.menuVersion, 2, "and what is new is seen");
});

/** Somebody asks once a second. */
async function minuteOfReads(w: ReturnType<typeof world>): Promise<void> {
  for (let second = 0; second < 60; second++) {
    await w.catalog.ready("r1");
    w.pass(1_000);
  }
}

/** What is served of `r1` once the next change has been looked for. */
async function versionAfterALook(w: ReturnType<typeof world>): Promise<number | undefined> {
  w.pass(1_000);
  await w.catalog.ready("r1");
  await w.settle();
  return w.catalog.current("r1")?.menuVersion;
}

t.test("R-CLU-5: a change of before an outage that is committed after it is found", async (t) => {
  const w = world();
  w.write(w.menu(1));
  await minuteOfReads(w);
  const changedAt = 1_060_000;
  w.state.down = true;
  w.pass(60_000);
  await Promise.resolve(w.catalog.ready("r1")).catch(() => {});
  await w.settle();
  w.state.down = false;
  w.pass(1_000);
  await w.catalog.ready("r1");
  w.write(w.menu(2), changedAt);
  t.equal(await versionAfterALook(w), 2);
});

t.test("R-RST-3: a clock that was ahead hides no change once it is right", async (t) => {
  const w = world();
  w.write(w.menu(1));
  w.write(w.menu(1, "ahead"), 1_000_000 + 3_600_000);
  await minuteOfReads(w);
  w.write(w.menu(2));
  t.equal(await versionAfterALook(w), 2);
});

t.test("R-RST-3: compressed once for all, and small ones not at all", async (t) => {
  const w = world();
  w.write(w.menu(1));
  w.write(
    w.menu(1, "big", 41, {
      items: Array.from({ length: 50 }, (_, i) => ({ itemId: `i${i}`, name: "a dish", priceMinor: i })),
    }),
  );
  const small = (await w.catalog.ready("r1"))!;
  const big = (await w.catalog.ready("big"))!;
  t.equal(small.coding(true, true), "identity");
  t.same([big.coding(true, true), big.coding(false, true), big.coding(false, false)], ["br", "gzip", "identity"]);
  t.same(brotliDecompressSync(big.bytes("br")), Buffer.from(big.json));
  t.same(gunzipSync(big.bytes("gzip")), Buffer.from(big.json));
  t.equal(big.bytes("br"), big.bytes("br"));
  t.equal(big.size, big.json.length + big.bytes("br").length + big.bytes("gzip").length);
});

t.test("R-SRC-2: what changes while a menu is being read is read after it", async (t) => {
  for (const first of [true, false]) {
    const w = world();
    w.write(w.menu(1));
    if (!first) await w.catalog.ready("r1");
    let answer = (): void => {};
    w.state.slow = new Promise((resolve) => {
      answer = resolve;
    });
    w.pass(2_000);
    if (!first) w.write(w.menu(2));
    const reading = w.catalog.ready("r1");
    await w.settle();
    w.pass(1);
    w.write(w.menu(3));
    w.pass(2_000);
    await w.catalog.feed.read();
    answer();
    w.state.slow = null;
    await reading;
    t.equal((await w.catalog.ready("r1"))?.menuVersion, 3, first ? "read first" : "read again");
  }
});

t.test("R-SRC-2: what changes while the list is being read is read after it", async (t) => {
  const w = world();
  const here = { lat: 41, lng: 29 };
  w.write(w.menu(1));
  await w.catalog.near(here, 10, false);
  w.pass(3_000);
  w.write(w.menu(2));
  let answer = (): void => {};
  w.state.slow = new Promise((resolve) => {
    answer = resolve;
  });
  const listing = w.catalog.near(here, 10, false);
  await w.settle();
  w.pass(1);
  w.write(w.menu(3));
  w.pass(1_000);
  await w.catalog.feed.read();
  answer();
  w.state.slow = null;
  await listing;
  t.equal((await w.catalog.near(here, 10, false))[0]?.menuVersion, 3);
});

t.test("R-SRC-2, R-CLU-5: a change whose menu could not be read is read a moment later", async (t) => {
  const w = world();
  w.write(w.menu(1));
  await w.catalog.ready("r1");
  w.pass(2_000);
  w.write(w.menu(2));
  w.state.menusDown = true;
  t.equal((await w.catalog.ready("r1"))?.menuVersion, 1, "the last known is better than none");
  w.state.menusDown = false;
  w.pass(1_000);
  await w.catalog.ready("none");
  t.equal(w.catalog.current("r1"), null, "the short way is closed");
  await w.catalog.ready("r1");
  await w.settle();
  t.equal(w.catalog.current("r1")?.menuVersion, 2);
  await w.catalog.ready("r1");
  t.equal(w.state.menuReads, 4, "and no more than that");
});

t.test("R-SRC-2: a change in this process's sight shows at once; an older one never comes back", async (t) => {
  const w = world();
  w.write(w.menu(1));
  await w.catalog.ready("r1");
  w.mirror(w.menu(5));
  t.equal((await w.catalog.menu("r1"))?.menuVersion, 5);
  w.pass(5_000);
  t.equal((await w.catalog.menu("r1"))?.menuVersion, 5, "the index is behind");
});

t.test(
  "R-SRC-2: a change whose commit took its time is found all the same, at the latest with all the others",
  async (t) => {
    const w = world();
    for (let i = 0; i < 1_500; i++) w.write(w.menu(1, `r${i}`), 500_000);
    await w.catalog.ready("r7");
    await w.catalog.ready("r8");
    w.write(w.menu(1, "other"));
    w.pass(2_000);
    await w.catalog.ready("r7");
    w.write(w.menu(2, "r7"), 1_000_000 - 4_000);
    w.pass(2_000);
    await w.catalog.ready("r7");
    await w.settle();
    t.equal((await w.catalog.menu("r7"))?.menuVersion, 2, "four seconds before what was seen last");
    w.write(w.menu(2, "r8"), 1_000_000 - 60_000);
    w.pass(2_000);
    await w.catalog.ready("r8");
    await w.settle();
    t.equal((await w.catalog.menu("r8"))?.menuVersion, 1);
    w.pass(5 * 60_000);
    await w.catalog.ready("r8");
    await w.settle();
    t.equal((await w.catalog.menu("r8"))?.menuVersion, 2, "within five minutes");
  },
);

t.test("R-CLU-5: without the index menus and the list go on for a while, then say so", async (t) => {
  const w = world();
  w.write(w.menu(1));
  w.write(w.menu(1, "r2", 41.2));
  await w.catalog.ready("r1");
  t.equal((await w.catalog.near({ lat: 41, lng: 29 }, 10, false)).length, 2);
  w.state.down = true;
  w.pass(60_000);
  t.equal((await w.catalog.menu("r1"))?.menuVersion, 1);
  t.same(
    (await w.catalog.near({ lat: 41, lng: 29 }, 10, true)).map((row) => row.restaurantId),
    ["r1"],
  );
  t.same(
    (await w.catalog.near({ lat: 41.2, lng: 29 }, 1, false)).map((row) => row.restaurantId),
    ["r2"],
  );
  await t.rejects(w.catalog.menu("never-read"));
  w.pass(16 * 60_000);
  await t.rejects(w.catalog.menu("r1"), "too old to be trusted");
});

t.test(
  "R-SRC-1: thousands of restaurants are listed, drafts are not, and only what changed is read again",
  async (t) => {
    const w = world();
    for (let i = 0; i < 2_500; i++) w.write(w.menu(1, `r${i}`, 41 + i / 1_000), 7);
    w.write(w.menu(1, "draft", 41, { status: "draft", open: false }));
    const polygon = [
      { lat: 40.9, lng: 28.9 },
      { lat: 40.9, lng: 28.95 },
      { lat: 40.95, lng: 28.95 },
    ];
    w.write(w.menu(1, "r0", 41, { deliveryPolygon: polygon }), 7);
    const near = async (deliversHere = false) =>
      (await w.catalog.near({ lat: 41, lng: 29 }, 3, deliversHere)).map((row) => row.restaurantId);
    t.same(await near(), ["r0", "r1", "r2"]);
    t.same(await near(true), ["r1", "r2", "r3"], "r0 delivers elsewhere");
    t.equal((await w.catalog.near({ lat: 50, lng: 29 }, 5_000, false)).length, 2_500, "far away, too");
    const read = w.state.viewsRead;
    w.write(w.menu(2, "r1", 60));
    w.write(w.menu(1, "new", 41));
    w.pass(3_000);
    t.same(await near(), ["new", "r0", "r2"]);
    t.equal(w.state.viewsRead - read, 2);
  },
);

t.test("R-ENG-7: menus kept are bounded by number and by bytes; those asked for stay longer", async (t) => {
  const w = world({ maxMenus: 10 });
  for (let i = 0; i < 40; i++) w.write(w.menu(1, `r${i}`));
  for (let i = 0; i < 40; i++) {
    await w.catalog.ready(`r${i}`);
    await w.catalog.ready("r0");
  }
  const reads = w.state.menuReads;
  await w.catalog.ready("r0");
  t.equal(w.state.menuReads, reads, "asked for again and again");
  await w.catalog.ready("r1");
  t.equal(w.state.menuReads, reads + 1, "let go");
  const tight = world({ maxBytes: 1_000 });
  for (let i = 0; i < 40; i++) tight.write(tight.menu(1, `r${i}`));
  for (let i = 0; i < 40; i++) await tight.catalog.ready(`r${i}`);
  const before = tight.state.menuReads;
  for (let i = 0; i < 40; i++) await tight.catalog.ready(`r${i}`);
  t.ok(tight.state.menuReads - before > 30, "hardly any fit");
});
