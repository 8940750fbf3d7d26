/** What a store of ratings promises. Run on each implementation. */
import type { Test } from "tap";
import type { RatingStore, Review } from "../../services/ratings/ports.js";

const review = (n: number, changes: Partial<Review> = {}): Review => ({
  reviewId: `review-${String(n).padStart(3, "0")}`,
  orderId: `o${n}`,
  rated: "restaurant",
  ratedId: "r1",
  authorRole: "customer",
  authorId: `c${n}`,
  stars: 4,
  text: `said ${n}`,
  at: 1_790_000_000_000 + n,
  hidden: false,
  reports: 0,
  ...changes,
});

export async function ratingsContract(t: Test, make: (t: Test) => Promise<RatingStore>): Promise<void> {
  await t.test("R-RAT-1: an order's rating stands once, and totals follow it", async (t) => {
    const store = await make(t);
    t.strictSame(await store.add(review(1)), review(1));
    t.strictSame(await store.add(review(9, { orderId: "o1", stars: 1 })), review(1), "the first one stands");
    t.match(await store.add(review(2, { orderId: "o1", rated: "driver", ratedId: "d1", stars: 5 })), {
      rated: "driver",
    });
    await store.add(review(3, { stars: 2 }));
    await store.add(review(4, { ratedId: "r2", stars: 1, text: "' OR 1=1; -- ‏😀" }));
    t.strictSame(
      await store.totals("restaurant", ["r1", "r2", "r3", "a\u0000b"]),
      await store.allTotals("restaurant", "", 10),
    );
    t.strictSame(await store.allTotals("restaurant", "", 10), [
      { ratedId: "r1", totals: { average: 3, count: 2 } },
      { ratedId: "r2", totals: { average: 1, count: 1 } },
    ]);
    t.strictSame(
      (await store.allTotals("restaurant", "r1", 10)).map(({ ratedId }) => ratedId),
      ["r2"],
    );
    t.strictSame(await store.totals("driver", ["d1"]), [{ ratedId: "d1", totals: { average: 5, count: 1 } }]);
    t.strictSame(await store.totals("customer", ["d1"]), []);
    t.strictSame(
      (await store.ofOrder("o1")).map(({ rated }) => rated),
      ["restaurant", "driver"],
    );
    t.strictSame(await store.find("review-004"), review(4, { ratedId: "r2", stars: 1, text: "' OR 1=1; -- ‏😀" }));
    t.equal(await store.find("nothing"), null);
    t.equal(await store.find("a\u0000b"), null);
  });

  await t.test("R-RAT-1: many at once count each", async (t) => {
    const store = await make(t);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => store.add(review(n, { orderId: `o${n % 20}`, stars: (n % 5) + 1 }))),
    );
    const [total] = await store.totals("restaurant", ["r1"]);
    t.equal(total?.totals.count, 20);
    const shown = await store.shown("restaurant", "r1", null, 100);
    t.equal(total?.totals.average, shown.reduce((sum, { stars }) => sum + stars, 0) / 20);
  });

  await t.test("R-RAT-1: pages follow each other without a gap, also within one instant", async (t) => {
    const store = await make(t);
    for (let n = 0; n < 9; n++) await store.add(review(n, { at: 1_790_000_000_000 + Math.floor(n / 3) }));
    const seen: string[] = [];
    let before: { at: number; reviewId: string } | null = null;
    for (;;) {
      const page: readonly Review[] = await store.shown("restaurant", "r1", before, 2);
      if (page.length === 0) break;
      seen.push(...page.map(({ reviewId }) => reviewId));
      before = page.at(-1)!;
    }
    t.strictSame(
      seen,
      Array.from({ length: 9 }, (_, n) => `review-00${8 - n}`),
    );
  });

  await t.test(
    "R-RAT-1: reports count once each; a decision hides or shows, is on record, and lays them to rest",
    async (t) => {
      const store = await make(t);
      await store.add(review(1, { stars: 1 }));
      await store.add(review(2, { stars: 5 }));
      const report = (reporterId: string, at: number) => ({ role: "restaurant", reporterId, reason: "not ours", at });
      await store.report("review-001", report("r1", 10));
      await store.report("review-001", report("r1", 11));
      await store.report("review-001", report("r2", 12));
      await store.report("review-002", report("r1", 13));
      await store.report("nothing", report("r1", 14));
      t.strictSame(
        (await store.reported(10)).map(({ reviewId, reports }) => [reviewId, reports]),
        [
          ["review-001", 2],
          ["review-002", 1],
        ],
      );
      t.strictSame(await store.reportsOf("review-001", 10), [report("r2", 12), report("r1", 10)]);
      const hide = { action: "hide", role: "support", principalId: "s1", reason: "abuse", at: 20 } as const;
      t.strictSame(await store.decide("review-001", hide), { ...review(1, { stars: 1 }), hidden: true });
      t.match(await store.decide("review-001", { ...hide, at: 21 }), { hidden: true }, "a retry changes nothing");
      t.strictSame(await store.totals("restaurant", ["r1"]), [{ ratedId: "r1", totals: { average: 5, count: 1 } }]);
      t.strictSame(
        (await store.shown("restaurant", "r1", null, 10)).map(({ reviewId }) => reviewId),
        ["review-002"],
      );
      t.strictSame(
        (await store.reported(10)).map(({ reviewId }) => reviewId),
        ["review-002"],
      );
      const show = { action: "show", role: "admin", principalId: "a1", reason: "a mistake", at: 30 } as const;
      t.match(await store.decide("review-001", show), { hidden: false, reports: 0 });
      t.strictSame(await store.decisionsOf("review-001"), [hide, show]);
      t.strictSame(await store.totals("restaurant", ["r1"]), [{ ratedId: "r1", totals: { average: 3, count: 2 } }]);
      await store.report("review-001", report("r1", 40));
      t.equal((await store.find("review-001"))?.reports, 1, "whoever reported before may report what was decided");
      t.equal(await store.decide("nothing", hide), null);
    },
  );

  await t.test("R-ACC-4: what an author wrote can be erased; the stars stay", async (t) => {
    const store = await make(t);
    await store.add(review(1, { authorId: "c" }));
    await store.add(review(2, { authorId: "c", authorRole: "driver", rated: "customer", ratedId: "x" }));
    await store.add(review(3, { authorId: "c", ratedId: "r2" }));
    const written = async (limit: number) =>
      (await store.writtenBy("customer", "c", limit)).map(({ reviewId }) => reviewId);
    t.same([await written(5), await written(1)], [["review-003", "review-001"], ["review-003"]]);
    const reason = "I know where this cook lives";
    for (const [role, reporterId] of [
      ["customer", "c"],
      ["driver", "c"],
    ] as const) {
      await store.report("review-003", { role, reporterId, reason, at: 5 });
    }
    await store.eraseAuthor("customer", "c");
    t.same(
      (await store.reportsOf("review-003", 9)).map(({ role, reason }) => [role, reason]).sort(),
      [
        ["customer", ""],
        ["driver", reason],
      ],
      "so can why they reported another's; that they did still counts",
    );
    t.match(await store.find("review-003"), { reports: 2 });
    t.same(await written(5), []);
    t.match(await store.find("review-001"), { text: "", authorId: "", stars: 4 });
    t.match(await store.find("review-002"), { text: "said 2", authorId: "c" });
    t.strictSame(await store.totals("restaurant", ["r1"]), [{ ratedId: "r1", totals: { average: 4, count: 1 } }]);
  });
}
