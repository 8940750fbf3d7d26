import t from "tap";
import { Bucket, Buckets, paceOf } from "../../lib/buckets.js";
import { DEFAULT_TIER_RATES, TierLimits } from "./tiers.js";

t.test("R-PRO-5: a bucket gives its burst, then its rate, and says how long to wait", async (t) => {
  const bucket = new Bucket(paceOf({ perMinute: 20, burst: 3 }), 0);
  t.same(
    [0, 0, 0].map(() => bucket.take(0)),
    [0, 0, 0],
  );
  t.equal(bucket.take(0), 3000);
  t.equal(bucket.take(1000), 2000, "waiting counts, asking does not cost");
  t.equal(bucket.take(3000), 0);
  t.equal(bucket.take(3000), 3000);
  t.same(
    [0, 0, 0].map(() => bucket.take(1_000_000)),
    [0, 0, 0],
    "never more than the burst",
  );
  t.ok(bucket.take(1_000_000) > 0);
  t.ok(bucket.take(0) > 0, "a clock that steps back gives nothing");
});

t.test("R-PRO-5 rule 16: a million keys take the memory of a thousand", async (t) => {
  const buckets = new Buckets({ perMinute: 60, burst: 1 }, 1000);
  for (let i = 0; i < 1_000_000; i++) buckets.take(`key-${i}`, i);
  t.equal(buckets.size, 1000);
  const few = new Buckets({ perMinute: 60, burst: 1 }, 3);
  few.take("busy", 0);
  for (let i = 0; i < 10; i++) {
    few.take(`other-${i}`, i);
    t.ok(few.take("busy", i) > 0, "who is active is not forgotten for those who are not");
  }
});

t.test("R-PRO-5: who is known as an object shares the bucket of its key, also after it had to give way", async (t) => {
  const buckets = new Buckets({ perMinute: 60, burst: 2 }, 2);
  const keyOf = ({ id }: { readonly id: string }): string => id;
  const [phone, tablet] = [{ id: "c1" }, { id: "c1" }];
  t.equal(buckets.takeFor(phone, keyOf, 0), 0);
  t.equal(buckets.takeFor(tablet, keyOf, 0), 0);
  t.ok(buckets.takeFor(phone, keyOf, 0) > 0, "two logins, one account");
  t.ok(buckets.take("c1", 0) > 0);
  for (let i = 0; i < 40; i++) buckets.take(`other-${i}`, 0);
  t.equal(buckets.size, 2);
  t.equal(buckets.takeFor(phone, keyOf, 0), 0, "forgotten");
  t.equal(buckets.takeFor(tablet, keyOf, 0), 0);
  t.ok(buckets.takeFor(phone, keyOf, 0) > 0, "and not counted twice");
});

t.test("R-PRO-5: who keeps its bucket shares it with the key, also after it had to give way", async (t) => {
  const buckets = new Buckets({ perMinute: 60, burst: 2 }, 2);
  const kept = buckets.bucketOf("d1", 0, null);
  t.equal(kept.take(0), 0);
  t.equal(buckets.take("d1", 0), 0, "by the key");
  t.ok(kept.take(0) > 0);
  t.equal(buckets.bucketOf("d1", 0, kept), kept, "looked for once");
  for (let i = 0; i < 40; i++) buckets.take(`other-${i}`, 0);
  const next = buckets.bucketOf("d1", 0, kept);
  t.not(next, kept, "forgotten");
  t.equal(next.take(0), 0);
  t.equal(buckets.take("d1", 0), 0);
  t.ok(next.take(0) > 0, "and not counted twice");
});

t.test(
  "R-PRO-5: a rate that is no whole number of milliseconds gives its whole burst, at any time of a long life",
  async (t) => {
    for (const now of [0.1, 123_456.789, 2 ** 31 + 0.7]) {
      for (const perMinute of [7, 11, 13, 17, 19, 23, 29]) {
        const bucket = new Bucket(paceOf({ perMinute, burst: 100 }), now);
        const waits = Array.from({ length: 100 }, () => bucket.take(now));
        t.ok(
          waits.every((waitMs) => waitMs === 0),
          `${perMinute} a minute at ${now}`,
        );
        t.ok(bucket.take(now) > 0);
      }
    }
  },
);

t.test("R-PRO-5: support and admin have a tier of their own, whatever they ask", async (t) => {
  const once = { perMinute: 60, burst: 1 };
  const limits = new TierLimits({ ...DEFAULT_TIER_RATES, command: once, operations: { perMinute: 60, burst: 3 } }, 10);
  const restaurant = { id: "a", role: "restaurant" } as const;
  const admin = { id: "a", role: "admin" } as const;
  const support = { id: "s", role: "support" } as const;
  t.equal(limits.takeFor(restaurant, "command", 0), 0);
  t.ok(limits.takeFor(restaurant, "command", 0) > 0);
  for (const tier of ["command", "browse", "order"] as const) t.equal(limits.takeFor(admin, tier, 0), 0);
  t.ok(limits.takeFor(admin, "search", 0) > 0, "one bucket for all kinds");
  t.same(
    [0, 0, 0].map((now) => limits.takeFor(support, "command", now)),
    [0, 0, 0],
  );
});
