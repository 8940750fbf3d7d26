import t from "tap";
import { eventually, MENU, pause, startHarness } from "../fixtures/harness.js";

t.test("R-RST-3: menus from ready bytes, with ETag and compression; nearby restaurants; a driver's work", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const items = Array.from({ length: 60 }, (_, i) => ({
    itemId: `i${i}`,
    name: `A dish with a name ${i}`,
    priceMinor: i,
  }));
  await h.tell("restaurant", "r1", "list", { ...MENU, items });
  await h.tell("restaurant", "far", "list", { ...MENU, restaurantId: "far", lat: 41.3 });
  const menu = await h.http("GET", "/v1/restaurants/r1/menu", { headers: { "accept-encoding": "gzip" } });
  t.equal(menu.headers.get("content-encoding"), "gzip");
  t.same(menu.body.items.length, 60);
  await h.tell("restaurant", "r1", "list", { ...MENU, items, menuVersion: 2, open: false });
  await eventually(
    "the change is seen",
    async () => (await h.http("GET", "/v1/restaurants/r1/menu")).body.open === false,
  );
  const near = await h.http("GET", "/v1/restaurants?lat=41.01&lng=29.01&limit=5");
  t.same(
    near.body.restaurants.map((each: { restaurantId: string }) => each.restaurantId),
    ["r1", "far"],
  );
  const delivering = await h.http("GET", "/v1/restaurants?lat=41.01&lng=29.01&delivers=true");
  t.same(
    delivering.body.restaurants.map((each: { restaurantId: string }) => each.restaurantId),
    ["r1"],
  );
  const packed = await h.http("GET", "/v1/restaurants/r1/menu", { headers: { "accept-encoding": "gzip, br" } });
  t.equal(packed.headers.get("content-encoding"), "br");
  t.same(packed.body.items.length, 60);
  const short = await h.http("GET", "/v1/restaurants/r1/menu");
  const long = await h.http("GET", "/v1/restaurants/r1/menu", { token: h.token("customer", "c1") });
  t.same(long.body, short.body, "with a token and without");
  for (const name of ["etag", "cache-control", "vary", "content-type", "x-content-type-options"]) {
    t.equal(short.headers.get(name), long.headers.get(name), name);
  }
  await h.tell("restaurant", "draft", "list", { ...MENU, restaurantId: "draft", status: "draft", open: false });
  // RFC 9110 8.8.3: each coding is a representation of its own, on the short way and on the long one.
  const tags = new Set<string>();
  for (const who of [{}, { token: h.token("customer", "c1") }]) {
    for (const coding of ["identity", "gzip;q=0, br;q=0", "gzip", "x, br"]) {
      const read = (ifNoneMatch: string) =>
        h.http("GET", "/v1/restaurants/r1/menu", {
          ...who,
          headers: { "accept-encoding": coding, ...(ifNoneMatch === "" ? {} : { "if-none-match": ifNoneMatch }) },
        });
      const tag = (await read("")).headers.get("etag")!;
      tags.add(tag);
      for (const said of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
        const unchanged = await read(said);
        t.equal(unchanged.status, 304, `${coding}: ${said}`);
        t.same([unchanged.headers.get("etag"), unchanged.headers.get("vary")], [tag, "accept-encoding"]);
      }
      t.equal((await read('"m1"')).status, 200);
    }
  }
  t.equal(tags.size, 3, [...tags].join());
  const seenBy = async (role?: "customer" | "restaurant" | "admin", id = "x") =>
    (await h.http("GET", "/v1/restaurants/draft/menu", role === undefined ? {} : { token: h.token(role, id) })).status;
  t.same(
    [await seenBy(), await seenBy("customer"), await seenBy("restaurant", "other")],
    [404, 404, 404],
    "R-RST-1: a draft is not there for others",
  );
  t.same([await seenBy("restaurant", "draft"), await seenBy("admin"), await seenBy()], [200, 200, 404]);
  h.breakIndex(true);
  await pause(150);
  t.equal((await h.http("GET", "/v1/restaurants/r1/menu")).status, 200, "R-CLU-5: menus go on without the store");
  t.match((await h.http("GET", "/v1/drivers/me/work", { token: h.token("driver", "d1") })).body, { pushed: 0 });
});
