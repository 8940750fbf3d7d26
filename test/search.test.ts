import { BroadcastChannel } from "node:worker_threads";
import t, { type Test } from "tap";
import { defaultDomainSettings, domainActors } from "../src/actors/domain/mod.js";
import { eventually, startHarness } from "../src/gateway/fixtures/harness.js";
import { systemClock } from "../src/lib/clock.js";
import { silentLog } from "../src/lib/log.js";
import { silentMetrics } from "../src/lib/metrics.js";
import {
  createSearchClient,
  createSearchEngine,
  type Pipe,
  searchOperations,
  serveSearch,
} from "../src/services/search/mod.js";

let pipes = 0;

/** Both ends of what joins two threads. */
function pipe(t: Test): readonly [Pipe, Pipe] {
  const name = `test ${++pipes}`;
  const end = (): Pipe => {
    const channel = new BroadcastChannel(name);
    t.teardown(() => channel.close());
    return {
      post: (message) => channel.postMessage(message),
      hear(handler) {
        channel.onmessage = (event: unknown) => handler((event as { readonly data: unknown }).data);
      },
      close: () => channel.close(),
    };
  };
  return [end(), end()];
}

t.test("R-SRC-2: who closes or sells out leaves the results of a running node, and comes back", async (t) => {
  const clock = systemClock();
  const [near, far] = pipe(t);
  const client = createSearchClient({ pipe: near, clock });
  const h = await startHarness({
    definitions: domainActors(defaultDomainSettings),
    operations: (store) => {
      const search = store.search();
      const engine = createSearchEngine({
        source: search,
        terms: search,
        clock,
        log: silentLog,
        metrics: silentMetrics,
        settings: { feed: { changesMs: 20 } },
      });
      void engine.start();
      serveSearch(far, engine, async () => []);
      t.teardown(() => engine.stop());
      return [searchOperations(client)];
    },
  });
  t.teardown(() => h.close());
  let keys = 0;
  const tell = async (
    method: string,
    path: string,
    body: object,
    token = h.token("restaurant", "r"),
  ): Promise<void> => {
    const headers = { "idempotency-key": `key-${++keys}` };
    const reply = await h.http(method, path, { token, body, headers });
    if (reply.status !== 200) throw new Error(reply.text);
  };
  const items = [
    { itemId: "a", name: "Pizza Bianca", priceMinor: 900 },
    { itemId: "b", name: "Green Salad", priceMinor: 700 },
  ];
  const found = async (query: string): Promise<readonly string[]> => {
    const reply = await h.http("GET", `/v1/search?lat=41&lng=29&${query}`);
    return (reply.body.restaurants ?? []).map((each: { restaurantId: string }) => each.restaurantId);
  };
  const becomes = (query: string, ids: readonly string[]): Promise<void> =>
    eventually(`${query} → ${ids}`, async () => `${await found(query)}` === `${ids}`);

  await tell("PUT", "/v1/restaurants/r", { name: "Forno", lat: 41.001, lng: 29.001, currency: "EUR", items });
  await tell("POST", "/v1/restaurants/r/status", { status: "verified" }, h.token("admin", "a"));
  await becomes("q=piza", ["r"]);
  await tell("POST", "/v1/restaurants/me/items/a", { available: false });
  await becomes("q=piza", []);
  t.strictSame(await found("q=salad"), ["r"], "the rest can still be ordered");
  await tell("POST", "/v1/restaurants/me/open", { open: false });
  await becomes("q=salad", []);
  t.strictSame(await found("q=salad&open=false"), ["r"]);
  await tell("POST", "/v1/restaurants/me/open", { open: true });
  await tell("POST", "/v1/restaurants/me/items/a", { available: true });
  await becomes("q=pizza", ["r"]);

  const wrong = ["lat=41", "lat=41&lng=200", "lat=41&lng=29&price=5", "lat=41&lng=29&limit=51", "lat=41&lng=29&x=1"];
  for (const query of wrong) {
    t.match(await h.http("GET", `/v1/search?${query}`), { status: 400, body: { error: { code: "invalid" } } }, query);
  }
  for (const path of ["/v1/search?lat=41&lng=29&cursor=AAAA", "/v1/search?lat=41&lng=29&q=x&cursor=-_-"]) {
    t.match(await h.http("GET", path), { status: 400, body: { error: { code: "cursor_invalid" } } });
  }
  t.equal((await h.http("GET", "/v1/admin/searches", { token: h.token("customer", "c") })).status, 403);
  const terms = await h.http("GET", "/v1/admin/searches?order=nothing", { token: h.token("admin", "a") });
  // Other texts may stand beside it: a search told again before its change arrived found nothing either.
  const piza = terms.body.terms.find((each: { text: string }) => each.text === "piza");
  t.ok(piza?.foundNothing > 0, "what found nothing is counted");
  t.match((await h.http("GET", "/v1/recommendations/popular?lat=41&lng=29")).body.restaurants, [{ restaurantId: "r" }]);
  client.close();
  t.match(await h.http("GET", "/v1/search?lat=41&lng=29"), { status: 503, body: { error: { code: "unavailable" } } });
});
