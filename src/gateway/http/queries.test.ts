/** What stands behind the `?` of the gateway's own reads, and their pages. */
import t from "tap";
import { eventually, startHarness, trackingOf } from "../fixtures/harness.js";

t.test("R-PRO-5: what stands behind a ? is read as strictly as a body, by its schema", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  for (const [field, query] of [
    ["delivers", "delivers=banana"],
    ["delivers", "delivers=1"],
    ["delivers", "delivers=TRUE"],
    ["limit", "limit=1.5"],
    ["limit", "limit=1e1"],
    ["lat", "lat=2"],
    ["other", "other=1"],
  ] as const) {
    const answer = await h.http("GET", `/v1/restaurants?lat=1&lng=1&${query}`);
    t.match(answer.body.error, { code: "invalid", detail: { path: `/${field}` } }, query);
  }
  const token = h.token("customer", "c1");
  for (const query of ["limit=0", "limit=1.5", "limit=0x10", "limit=1&limit=2", "before=1.5", "before=8640000000001"]) {
    const { error } = (await h.http("GET", `/v1/orders?${query}`, { token })).body;
    t.match(error, { code: "invalid", detail: { path: `/${query.slice(0, query.indexOf("="))}` } }, query);
  }
  t.equal((await h.http("GET", "/v1/restaurants?lat=1&lng=1&limit=10&delivers=false")).status, 200);
});

t.test("R-TRK-5: a customer's orders, page by page", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  for (let i = 1; i <= 7; i++) {
    const tracking = trackingOf(`o${i}`, 1, "placed", null, i === 4 ? "c2" : "c1");
    await h.tell("order", `o${i}`, "show", {
      tracking: { ...tracking, view: { ...tracking.view, placedAt: 1000 + i } },
      viewFirst: true,
    });
  }
  const seen: string[] = [];
  let before = "";
  for (;;) {
    const page = await h.http("GET", `/v1/orders?limit=2${before}`, { token: h.token("customer", "c1") });
    seen.push(...page.body.orders.map((order: { orderId: string }) => order.orderId));
    if (page.body.nextBefore === undefined) break;
    before = `&before=${page.body.nextBefore}`;
  }
  t.same(seen, ["o7", "o6", "o5", "o3", "o2", "o1"]);

  // Four that share a millisecond are more than any of these pages holds.
  for (const id of ["p1", "p2", "p3", "p4"]) {
    const tracking = trackingOf(id, 1, "placed");
    const view = { ...tracking.view, placedAt: 1005 };
    await h.tell("order", id, "show", { tracking: { ...tracking, view }, viewFirst: true });
  }
  for (const limit of [1, 2, 3, 4, 5]) {
    const ids: string[] = [];
    for (let path = `/v1/orders?limit=${limit}`; path !== ""; ) {
      const { body } = await h.http("GET", path, { token: h.token("customer", "c1") });
      ids.push(...body.orders.map((order: { orderId: string }) => order.orderId));
      path = body.nextBefore === undefined ? "" : `/v1/orders?limit=${limit}&before=${body.nextBefore}`;
    }
    const all = ["o1", "o2", "o3", "o5", "o6", "o7", "p1", "p2", "p3", "p4"];
    t.same(ids.sort(), all, `each once, ${limit} a page`);
  }
  h.breakIndex(true);
  t.equal((await h.http("GET", "/v1/orders", { token: h.token("customer", "c1") })).body.error.code, "unavailable");
});

t.test("R-PRO-5: nobody's searches stand in front of everybody else's", async (t) => {
  let asked = 0;
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow = async () => {
    asked++;
    await held;
    return { ok: true, value: {} } as const;
  };
  const failing = () => Promise.reject(new Error("broken"));
  const h = await startHarness({
    settings: { maxSearchesAtOnce: 2 },
    operations: [{ "search.search": slow, "search.suggest": failing }],
  });
  t.teardown(() => h.close());
  const search = (token?: string) => h.http("GET", "/v1/search?lat=1&lng=1&q=x", token === undefined ? {} : { token });
  const [mallory, alice] = [h.token("customer", "mallory"), h.token("customer", "alice")];
  const waiting = [search(mallory), search(mallory)];
  await eventually("both are asked", () => asked === 2);
  t.match(await search(mallory), { status: 503, body: { error: { code: "overloaded", retryAfterMs: Number } } });
  t.equal(asked, 2, "the third is not");
  waiting.push(search(alice), search());
  await eventually("others are", () => asked === 4);
  goOn();
  for (const answer of waiting) t.equal((await answer).status, 200);
  t.equal((await search(mallory)).status, 200, "and then one's own again");
  for (let n = 0; n < 3; n++) {
    const answer = await h.http("GET", "/v1/search/suggestions?lat=1&lng=1&q=x", { token: mallory });
    t.equal(answer.status, 500, "one that broke is over, too");
  }
});
