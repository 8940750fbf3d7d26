import fc from "fast-check";
import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { createMemoryPromotions } from "../../store/memory/mod.js";
import { createPromotionService, type PromotionRule, promotionEffect, promotionOperations, worthOf } from "./mod.js";

const clock = systemClock({ keepAlive: false });
const rule = (changes: Partial<PromotionRule> = {}): PromotionRule => ({
  code: "SOUP10",
  discount: { kind: "percent", perMille: 105, mostMinor: 500 },
  currency: "COP",
  minimumMinor: 1_000,
  from: 0,
  until: 1e15,
  totalLimit: 2,
  customerLimit: 1,
  restaurantId: null,
  active: true,
  ...changes,
});
const order = { restaurantId: "r", itemsMinor: 1_001, currency: "COP" };

t.test("R-ORD-6: what a code is worth, and why it is worth nothing", async (t) => {
  t.strictSame(worthOf(rule(), order, 5), { ok: true, discountMinor: 105 });
  t.strictSame(worthOf(rule(), { ...order, itemsMinor: 90_000 }, 5), { ok: true, discountMinor: 500 }, "the bound");
  const fixed = rule({ discount: { kind: "fixed", amountMinor: 5_000 } });
  t.strictSame(worthOf(fixed, order, 5), { ok: true, discountMinor: 1_001 }, "never more than the items");
  const reason = (changes: Partial<PromotionRule>, asked = order) => {
    const worth = worthOf(rule(changes), asked, 5);
    return worth.ok ? "" : worth.reason;
  };
  t.equal(reason({ active: false }), "not_now");
  t.equal(reason({ from: 6 }), "not_now");
  t.equal(reason({ until: 5 }), "not_now");
  t.equal(reason({ currency: "EUR" }), "wrong_currency");
  t.equal(reason({ restaurantId: "another" }), "wrong_restaurant");
  t.equal(reason({}, { ...order, itemsMinor: 999 }), "below_minimum");
  for (const just of [{ from: 5 }, { until: 6 }, { restaurantId: "r" }, { minimumMinor: 1_001 }]) {
    t.equal(reason(just), "", JSON.stringify(just));
  }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(10_000_000), (perMille, itemsMinor) => {
      const discount = { kind: "percent", perMille, mostMinor: null } as const;
      const worth = worthOf(rule({ discount, minimumMinor: 0 }), { ...order, itemsMinor }, 5);
      return worth.ok && Number.isInteger(worth.discountMinor) && worth.discountMinor <= itemsMinor;
    }),
  );
});

t.test("R-ORD-1: the door says what a code is worth and takes nothing", async (t) => {
  const store = createMemoryPromotions();
  const service = createPromotionService({ store, clock });
  t.match(await service.worth("soup10", "c", order), { ok: false, reason: "unknown" });
  await store.put(rule());
  for (let i = 0; i < 5; i++) t.match(await service.worth("Soup10", "c", order), { ok: true, discountMinor: 105 });
  const use = { code: "SOUP10", revision: 1, totalLimit: 2, customerLimit: 1, discountMinor: 105, at: 1 };
  await store.reserve({ ...use, orderId: "o", customerId: "c" });
  t.match(await service.worth("SOUP10", "c", order), { reason: "used_by_customer" });
  t.match(await service.worth("SOUP10", "d", order), { ok: true });
  await store.reserve({ ...use, orderId: "p", customerId: "d" });
  t.match(await service.worth("SOUP10", "e", order), { reason: "used_up" });
});

t.test(
  "R-ORD-5: a use is held once, stays held whatever the rule becomes, and is judged by the rule of its moment",
  async (t) => {
    const store = createMemoryPromotions();
    const run = promotionEffect(store, () => 5);
    const ask = (input: object) =>
      run({
        effectId: "",
        actor: { kind: "order", key: "o" },
        key: "",
        input: { code: "SOUP10", ...input },
        attempt: 1,
      });
    const reserve = (orderId: string, changes = {}) =>
      ask({ step: "reserve", orderId, customerId: orderId, ...order, discountMinor: 105, ...changes });
    t.match(await reserve("o"), { outcome: "refused", reason: "unknown" });
    await store.put(rule());
    t.match(await reserve("o"), { outcome: "held" });
    await store.put(rule({ active: false }));
    t.match(await reserve("o"), { outcome: "held" }, "an answer that was lost is given again");
    t.match(await reserve("p"), { outcome: "refused", reason: "not_now" });
    await store.put(rule());
    t.match(await reserve("p", { discountMinor: 104 }), { outcome: "refused", reason: "changed" });
    t.match(await ask({ step: "release", orderId: "o" }), { outcome: "released" });
    t.match(await reserve("o"), { outcome: "refused" }, "what was given back is not taken again");
    // The rule changes between the judgement and the taking: judged again.
    const read = store.read.bind(store);
    let changes = 0;
    const racing = promotionEffect(
      {
        ...store,
        async read(code) {
          const found = await read(code);
          if (changes++ === 0) await store.put(rule({ totalLimit: 1 }));
          return found;
        },
      },
      () => 5,
    );
    const input = { step: "reserve", code: "SOUP10", orderId: "q", customerId: "q", ...order, discountMinor: 105 };
    t.match(await racing({ effectId: "", actor: { kind: "order", key: "q" }, key: "", input, attempt: 1 }), {
      outcome: "held",
    });
    t.match(await reserve("s"), { outcome: "refused", reason: "used_up" });
  },
);

t.test("R-PRO-2: promotions are written and read by code, in any case", async (t) => {
  const handlers = promotionOperations(createMemoryPromotions());
  type Put = Parameters<(typeof handlers)["promotions.put"]>[0];
  type Read = Parameters<(typeof handlers)["promotions.read"]>[0];
  const { code: _code, ...body } = rule();
  t.match(await handlers["promotions.put"]({ params: { code: "soup10" }, body } as unknown as Put), {
    ok: true,
    value: { code: "SOUP10", used: 0 },
  });
  t.match(await handlers["promotions.read"]({ params: { code: "SoUp10" } } as unknown as Read), {
    value: { code: "SOUP10" },
  });
  t.match(await handlers["promotions.read"]({ params: { code: "other" } } as unknown as Read), { code: "not_found" });
  const backwards = { params: { code: "x1" }, body: { ...body, from: 9, until: 9 } } as unknown as Put;
  t.match(await handlers["promotions.put"](backwards), { code: "invalid", detail: { path: "/until" } });
});
