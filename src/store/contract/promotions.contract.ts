/** What every store of promotions keeps. */
import type { Test } from "tap";
import type { PromotionRule, PromotionStore } from "../../services/promotions/ports.js";

const rule = (changes: Partial<PromotionRule> = {}): PromotionRule => ({
  code: "DINNER",
  discount: { kind: "fixed", amountMinor: 500 },
  currency: "COP",
  minimumMinor: 0,
  from: 0,
  until: 1e15,
  totalLimit: 5,
  customerLimit: 2,
  restaurantId: null,
  active: true,
  ...changes,
});

export async function promotionsContract(
  t: Test,
  make: (t: Test) => Promise<{ readonly store: PromotionStore; readonly otherNode: PromotionStore }>,
): Promise<void> {
  const use = (orderId: string, customerId: string, changes = {}) => ({
    code: "DINNER",
    revision: 1,
    totalLimit: 5,
    customerLimit: 2,
    orderId,
    customerId,
    discountMinor: 500,
    at: 1,
    ...changes,
  });

  await t.test("R-ORD-1: a rule is kept, and every change of it gives it another revision", async (t) => {
    const { store, otherNode } = await make(t);
    t.equal(await store.read("DINNER"), null);
    await store.put(rule());
    t.strictSame(await otherNode.read("DINNER"), { rule: rule(), revision: 1, used: 0 });
    t.match(await store.put(rule({ active: false })), { revision: 2, rule: { active: false } });
    t.equal(await store.reserve(use("o", "c")), "changed");
    t.equal(await store.reserve(use("o", "c", { code: "OTHER" })), "unknown");
  });

  await t.test("R-ORD-1: 60 orders at once through two nodes get exactly the uses there are", async (t) => {
    const { store, otherNode } = await make(t);
    await store.put(rule());
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? store : otherNode).reserve(use(`o${n}`, `c${n % 30}`))),
    );
    t.equal(outcomes.filter((outcome) => outcome === "held").length, 5);
    t.ok(outcomes.every((outcome) => outcome === "held" || outcome === "used_up" || outcome === "used_by_customer"));
    t.equal((await store.read("DINNER"))?.used, 5);
  });

  await t.test("R-ORD-1: no customer gets more than their share, however many ask at once", async (t) => {
    const { store, otherNode } = await make(t);
    await store.put(rule({ totalLimit: null }));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? store : otherNode).reserve(use(`o${n}`, "c", { totalLimit: null })),
      ),
    );
    t.equal(outcomes.filter((outcome) => outcome === "held").length, 2);
    t.equal(await store.usedBy("DINNER", "c"), 2);
    t.equal(await store.usedBy("DINNER", "nobody"), 0);
  });

  await t.test("R-ORD-5: one order, one use; given back once; never again after it", async (t) => {
    const { store, otherNode } = await make(t);
    await store.put(rule());
    t.equal(await store.useOf("o"), null);
    t.strictSame(await Promise.all([store.reserve(use("o", "c")), otherNode.reserve(use("o", "c"))]), ["held", "held"]);
    t.equal(await store.useOf("o"), "held");
    t.equal((await store.read("DINNER"))?.used, 1);
    await Promise.all([store.release("DINNER", "o", 2), otherNode.release("DINNER", "o", 2)]);
    t.equal((await store.read("DINNER"))?.used, 0);
    t.equal(await store.reserve(use("o", "c")), "released");
    await store.release("DINNER", "early", 2);
    t.equal(await store.reserve(use("early", "c")), "released", "a reservation that comes after its release");
    t.equal((await store.read("DINNER"))?.used, 0);
  });
}
