import t from "tap";
import { eventually, startHarness, trackingOf } from "../src/gateway/fixtures/harness.js";
import { systemClock } from "../src/lib/clock.js";
import { seededRandom } from "../src/lib/random.js";
import type { OrderTracking, Rated } from "../src/protocol/mod.js";
import { rankedAverage } from "../src/protocol/mod.js";
import { createRatingReader, RATING_CHANGED, ratingOperations } from "../src/services/ratings/mod.js";
import { createMemoryNotices, createMemoryRatings } from "../src/store/memory/mod.js";

const clock = systemClock();

/** Orders o1, o2, … of customer c1 at restaurant r1, brought by d1; `waiting` is not delivered yet. */
async function market(t: { teardown(end: () => unknown): void }) {
  const store = createMemoryRatings();
  const notices = createMemoryNotices().open();
  const orders = {
    order: async (orderId: string): Promise<OrderTracking | null> => {
      if (orderId === "broken") throw new Error("the index is away");
      if (!/^o\d+$|^waiting$/.test(orderId)) return null;
      return trackingOf(orderId, 9, orderId === "waiting" ? "picked_up" : "delivered");
    },
    driverOf: async () => "d1",
  };
  const handlers = ratingOperations({ store, orders, notices, clock, random: seededRandom(5) });
  const h = await startHarness({ operations: [handlers] });
  t.teardown(() => h.close());
  let keys = 0;
  const as = (role: "customer" | "driver" | "restaurant" | "support" | "admin", id: string) => ({
    get: (path: string) => h.http("GET", path, { token: h.token(role, id) }),
    post: (path: string, body: unknown) =>
      h.http("POST", path, { token: h.token(role, id), body, headers: { "idempotency-key": `k${++keys}` } }),
    rate: (orderId: string, rated: Rated, stars: number, text?: string) =>
      as(role, id).post(`/v1/orders/${orderId}/reviews`, { rated, stars, ...(text === undefined ? {} : { text }) }),
  });
  return { h, store, notices, as };
}

t.test("R-RAT-1: who took part in a delivered order rates the other side, once", async (t) => {
  const { as } = await market(t);
  const customer = as("customer", "c1");
  const first = await customer.rate("o1", "restaurant", 5, "Just like at home");
  t.match(first, { status: 200, body: { orderId: "o1", rated: "restaurant", stars: 5, hidden: false } });
  t.same(
    (await customer.rate("o1", "restaurant", 5, "Just like at home")).body,
    first.body,
    "the same again is harmless",
  );
  t.match(await customer.rate("o1", "restaurant", 1), { status: 409, body: { error: { code: "already_rated" } } });
  t.equal((await customer.rate("o1", "driver", 4)).status, 200);
  t.equal((await as("driver", "d1").rate("o1", "customer", 5)).status, 200);
  const refused: readonly (readonly [string, Promise<{ readonly body: unknown }>])[] = [
    ["forbidden", customer.rate("o1", "customer", 5)],
    ["forbidden", as("driver", "d1").rate("o1", "restaurant", 5)],
    ["forbidden", as("restaurant", "r1").rate("o1", "customer", 5)],
    ["not_found", as("customer", "c2").rate("o1", "restaurant", 5)],
    ["not_found", as("driver", "d2").rate("o1", "customer", 5)],
    ["not_found", customer.rate("nobodys", "restaurant", 5)],
    ["not_delivered", customer.rate("waiting", "restaurant", 5)],
    ["invalid", customer.rate("o1", "restaurant", 6)],
    ["invalid", customer.rate("o1", "restaurant", 0)],
    ["invalid", customer.rate("o1", "restaurant", 4.5)],
    ["invalid", customer.rate("o1", "restaurant", 4, "x".repeat(1001))],
    ["unavailable", customer.rate("broken", "restaurant", 5)],
  ];
  for (const [code, answer] of refused) t.match((await answer).body, { error: { code } }, code);
  t.match((await customer.get("/v1/orders/o1/reviews")).body.reviews, { length: 2 }, "what they said themselves");
  t.match((await as("driver", "d1").get("/v1/orders/o1/reviews")).body.reviews, { length: 1 });
  t.match((await as("support", "s1").get("/v1/orders/o1/reviews")).body.reviews, { length: 3 });
  t.equal((await as("customer", "c2").get("/v1/orders/o1/reviews")).status, 404);
});

t.test("R-RAT-1: reviews are read by pages, without their authors, with the average", async (t) => {
  const { h, as } = await market(t);
  for (let n = 1; n <= 5; n++) await as("customer", "c1").rate(`o${n}`, "restaurant", n, `meal ${n}`);
  const seen: string[] = [];
  let path: string | null = "/v1/restaurants/r1/reviews?limit=2";
  while (path !== null) {
    const { body } = await h.http("GET", path);
    t.same(body.rating, { average: 3, count: 5 });
    for (const review of body.reviews) {
      t.same(Object.keys(review).sort(), ["at", "reviewId", "stars", "text"]);
      seen.push(review.text);
    }
    path = body.next === undefined ? null : `/v1/restaurants/r1/reviews?limit=2&cursor=${body.next}`;
  }
  t.equal(new Set(seen).size, 5);
  t.equal(seen.length, 5);
  t.match((await h.http("GET", "/v1/restaurants/r1/reviews?cursor=nonsense")).body, {
    error: { code: "cursor_invalid" },
  });
  t.match((await h.http("GET", "/v1/restaurants/nobody/reviews")).body, {
    rating: { average: 0, count: 0 },
    reviews: [],
  });
  await as("customer", "c1").rate("o1", "driver", 4);
  t.same((await as("driver", "d1").get("/v1/me/rating")).body, { average: 4, count: 1 });
  t.same((await as("restaurant", "r1").get("/v1/me/rating")).body, { average: 3, count: 5 });
  t.same((await as("customer", "c9").get("/v1/me/rating")).body, { average: 0, count: 0 });
});

t.test("R-RAT-1: support hides what was reported, with a reason on record; it no longer counts", async (t) => {
  const { h, store, notices, as } = await market(t);
  const changed: unknown[] = [];
  notices.listen(RATING_CHANGED, { notice: (value) => changed.push(value), missed: () => undefined });
  const { body: review } = await as("customer", "c1").rate("o1", "restaurant", 1, "abuse");
  await as("customer", "c1").rate("o2", "restaurant", 5);
  const { body: ofDriver } = await as("customer", "c1").rate("o1", "driver", 1, "rude");
  const report = { reason: "not about food" };
  t.equal((await as("restaurant", "r1").post(`/v1/reviews/${review.reviewId}/report`, report)).status, 200);
  t.equal((await as("restaurant", "r1").post(`/v1/reviews/${review.reviewId}/report`, report)).status, 200);
  t.equal(
    (await as("driver", "d1").post(`/v1/reviews/${ofDriver.reviewId}/report`, report)).status,
    404,
    "not theirs to read",
  );
  t.equal((await as("restaurant", "r1").post("/v1/reviews/nothing/report", report)).status, 404);
  const support = as("support", "s1");
  t.match((await support.get("/v1/admin/reviews")).body.reviews, [
    {
      reviewId: review.reviewId,
      reports: 1,
      authorId: "c1",
      reasons: [{ role: "restaurant", reason: "not about food" }],
    },
  ]);
  const hidden = await support.post(`/v1/admin/reviews/${review.reviewId}/hide`, { reason: "insults a cook" });
  t.match(hidden.body, {
    hidden: true,
    reports: 0,
    decisions: [{ action: "hide", by: "support/s1", reason: "insults a cook" }],
  });
  t.match((await h.http("GET", "/v1/restaurants/r1/reviews")).body, {
    rating: { average: 5, count: 1 },
    reviews: { length: 1 },
  });
  t.same((await support.get("/v1/admin/reviews")).body.reviews, []);
  t.equal(
    (await as("restaurant", "r1").post(`/v1/reviews/${review.reviewId}/report`, report)).status,
    404,
    "it is gone",
  );
  t.equal((await as("restaurant", "r1").post(`/v1/admin/reviews/${review.reviewId}/show`, report)).status, 403);
  await as("admin", "a1").post(`/v1/admin/reviews/${review.reviewId}/show`, { reason: "was no insult" });
  t.match((await support.get(`/v1/admin/reviews/${review.reviewId}`)).body, {
    hidden: false,
    decisions: { length: 2 },
  });
  t.same((await createRatingReader(store).totals("restaurant", ["r1", "r2"])).get("r1"), { average: 3, count: 2 });
  await eventually("every change was told to all nodes", () => changed.length === 5);
  t.same(changed.at(-1), { rated: "restaurant", ratedId: "r1" });
});

t.test("R-RAT-1: few reviews move a rank little", async (t) => {
  t.equal(rankedAverage({ average: 0, count: 0 }), 4, "nobody said anything: as is usual");
  t.ok(rankedAverage({ average: 5, count: 1 }) < rankedAverage({ average: 4.8, count: 200 }));
  t.ok(rankedAverage({ average: 1, count: 1 }) > rankedAverage({ average: 2, count: 100 }));
  t.ok(Math.abs(rankedAverage({ average: 4.7, count: 100_000 }) - 4.7) < 0.001);
});
