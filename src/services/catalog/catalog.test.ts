import t from "tap";
import type { IndexRow, MirrorEntry } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import type { MenuView } from "../../protocol/mod.js";
import { createCatalog } from "./mod.js";

function world() {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} };
  const menu = (menuVersion: number, restaurantId = "r1", lat = 41): MenuView => ({
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
  });
  const rows: MenuView[] = [];
  const state = { down: false, reads: 0, release: null as (() => void) | null };
  const copy = new Map<string, MirrorEntry>();
  const catalog = createCatalog({
    clock,
    copy: { get: (key) => copy.get(key) ?? null },
    index: {
      async queryIndex(query) {
        state.reads++;
        if (state.down) throw new Error("away");
        return rows
          .filter((row) => query.keys === undefined || query.keys.includes(row.restaurantId))
          .map((row) => ({ key: row.restaurantId, at: row.menuVersion, view: row as unknown as Json }) as IndexRow);
      },
    },
  });
  return {
    catalog,
    rows,
    state,
    menu,
    mirror: (value: MenuView) =>
      copy.set(`menu:${value.restaurantId}`, {
        key: "",
        version: [1, 1],
        value: value as unknown as Json,
        expiresAt: 1e9,
      }),
    pass(ms: number) {
      now += ms;
    },
  };
}

t.test("R-RST-3: a menu is read once a second at most, however many ask, and is ready as bytes", async (t) => {
  const w = world();
  w.rows.push(w.menu(1));
  const all = await Promise.all(Array.from({ length: 1000 }, () => w.catalog.ready("r1")));
  t.equal(w.state.reads, 1);
  t.ok(
    all.every((ready) => ready === all[0]),
    "the same bytes for all",
  );
  t.same(JSON.parse(new TextDecoder().decode(all[0]!.json)), w.menu(1));
  w.pass(999);
  t.equal(w.catalog.ready("r1"), all[0]);
  t.equal(w.state.reads, 1);
  w.rows[0] = w.menu(2);
  w.pass(2);
  t.equal(w.catalog.ready("r1"), all[0], "just over its time nobody waits");
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  t.equal((await w.catalog.menu("r1"))?.menuVersion, 2, "the next one has the new menu");
  t.equal(await w.catalog.ready("none"), null);
});

t.test("R-SRC-2: a change in this process's sight shows at once; an older one never comes back", async (t) => {
  const w = world();
  w.rows.push(w.menu(1));
  await w.catalog.ready("r1");
  w.mirror(w.menu(5));
  t.equal((await w.catalog.menu("r1"))?.menuVersion, 5);
  w.pass(5_000);
  t.equal((await w.catalog.menu("r1"))?.menuVersion, 5, "the index is behind");
});

t.test("R-CLU-5: without the index menus and the list go on for a while, then say so", async (t) => {
  const w = world();
  w.rows.push(w.menu(1), w.menu(1, "r2", 41.2));
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
