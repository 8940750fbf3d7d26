/** The short way of a poll: the same answers as the long one, and nothing that the long one would refuse. */
import t from "tap";
import type { Json } from "../../lib/json.js";
import { createTrackingService, viewKey } from "../../services/tracking/mod.js";
import type { GatewayContext } from "../context.js";
import { eventually, startHarness, trackingOf } from "../fixtures/harness.js";
import { DEFAULT_TIER_RATES } from "../mod.js";
import type { Exchange } from "./exchange.js";
import { trackAnswer } from "./track.js";

const PATH = "/v1/orders/o1/track";
const SAME = ["etag", "cache-control", "content-type", "x-content-type-options", "referrer-policy", "x-frame-options"];

t.test("R-TRK-1: polls by the short way and by the long way are answered alike", async (t) => {
  const h = await startHarness({ settings: { corsOrigins: ["https://eats.example"] } });
  t.teardown(() => h.close());
  const token = h.token("customer", "c1");
  // Another page's script may have to be told something: that is the long way.
  const LONG = { origin: "https://elsewhere.example" };
  const poll = (headers: Record<string, string> = {}, as = token) => h.http("GET", PATH, { token: as, headers });
  const grant = { driverId: "d1", number: 4 };
  await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 3, "picked_up", grant), viewFirst: true });
  await h.tell("driver", "d1", "mirrorFix", { lat: 41.6, at: 2000, grants: { o1: 4 } });
  await eventually("the position", async () => (await poll()).body.position !== undefined);
  const [short, long] = [await poll(), await poll(LONG)];
  const still = ({ body }: typeof short) => {
    const { serverTime, position, ...rest } = body;
    const { ageMs, ...place } = position;
    t.ok(Number.isInteger(serverTime) && ageMs === serverTime - 2000);
    return { ...rest, place };
  };
  t.same(still(short), still(long));
  for (const name of SAME) t.equal(short.headers.get(name), long.headers.get(name), name);
  const etag = short.headers.get("etag")!;
  for (const headers of [{}, LONG]) {
    const unchanged = await poll({ ...headers, "if-none-match": `"x", ${etag}` });
    t.equal(unchanged.status, 304);
    for (const name of ["etag", "cache-control", "x-frame-options"])
      t.equal(unchanged.headers.get(name), short.headers.get(name), name);
  }
  await h.tell("driver", "d1", "mirrorFix", { lat: 41.7, at: 3000, grants: { o1: 4 } });
  await eventually("a newer position is not hidden by an older one's text", async () => {
    return (await poll()).body.position.lat === 41.7;
  });

  for (const headers of [{}, LONG]) {
    t.equal((await poll(headers, h.token("customer", "c2"))).status, 404, "another's order");
    t.equal((await poll(headers, h.token("driver", "d1"))).status, 403, "who may not ask");
  }
  h.tokens.revoke([{ key: "p:customer/c1", until: Number.MAX_SAFE_INTEGER, why: "banned" }]);
  for (const headers of [{}, LONG]) t.equal((await poll(headers)).status, 401, "a token that counts no more");
  h.tokens.revoke([{ key: "p:customer/c1", until: 0, why: "banned" }]);
  await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 4, "delivered", null), viewFirst: true });
  await eventually("the end", async () => (await poll()).body.view.version === 4);
  for (const headers of [{}, LONG]) t.notOk((await poll(headers)).body.position, "rule 12");
});

t.test("R-PRO-5: polls by the short way count against their limit", async (t) => {
  const h = await startHarness({
    settings: { tierRates: { ...DEFAULT_TIER_RATES, browse: { perMinute: 60, burst: 3 } } },
  });
  t.teardown(() => h.close());
  await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 1, "ready"), viewFirst: true });
  const ask = async (as: string) => (await h.http("GET", PATH, { token: as })).status;
  const support = h.token("support", "s1");
  await eventually("the view is at hand", async () => (await ask(support)) === 200);
  const token = h.token("customer", "c1");
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push(await ask(token));
  t.same(statuses.slice(0, 3), [200, 200, 200]);
  t.ok(statuses.slice(3).includes(429), statuses.join());
});

t.test("R-TRK-1: an answer that waits to be sent is not written over by the next about the same order", async (t) => {
  let now = 999;
  const clock = { now: () => now, monotonic: () => now, after: () => () => {}, every: () => () => {} };
  const view = {
    key: viewKey("o1"),
    value: trackingOf("o1", 1, "ready") as unknown as Json,
    version: [1, 1] as const,
    expiresAt: 10_000,
  };
  const held = (key: string) => (key === view.key ? view : null);
  const tracking = createTrackingService({
    clock,
    copy: { get: held, told: held },
    mirror: null,
    index: { queryIndex: async () => [] },
  });
  const ask = async (): Promise<Uint8Array> => {
    const exchange = { principal: { id: "c1", role: "customer" }, params: { orderId: "o1" }, ifNoneMatch: "" };
    const answer = await trackAnswer({ clock } as unknown as GatewayContext, tracking, exchange as unknown as Exchange);
    if (answer.kind !== "body") throw new Error(answer.kind);
    return answer.body as Uint8Array;
  };
  const first = await ask();
  now = 1_000;
  const second = await ask();
  const timeOf = (body: Uint8Array): number => JSON.parse(new TextDecoder().decode(body)).serverTime;
  t.same([timeOf(first), timeOf(second)], [999, 1_000]);
});
