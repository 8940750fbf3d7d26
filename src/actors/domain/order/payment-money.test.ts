import t from "tap";
import { systemClock } from "../../../lib/clock.js";
import { silentLog } from "../../../lib/log.js";
import { createBookkeeper } from "../../../services/ledger/mod.js";
import {
  DECLINING_METHOD,
  inProcessProvider,
  type PaymentProvider,
  PaymentUnavailable,
  paymentEffect,
} from "../../../services/payments/mod.js";
import type { PromotionRule } from "../../../services/promotions/mod.js";
import type { EffectRunner } from "../../runtime/ports.js";
import { type City, codeOf, createCity, customer, must, restaurant, support } from "../fixtures/city.js";
import { Order } from "../mod.js";
import type { PaymentNotice } from "./messages.js";

const provider = { id: "payments", role: "provider" };
const tell = (city: City, orderId: string, notice: PaymentNotice) =>
  city.kit.ask(Order, orderId, "paymentTold", notice, { caller: provider });
const authorised = (n = 1): PaymentNotice => ({
  step: "authorise",
  n,
  answer: { outcome: "authorised", authorisation: "auth" },
});

async function bookAll(city: City): Promise<void> {
  const bookkeeper = createBookkeeper({
    store: city.ledger(),
    clock: systemClock({ keepAlive: false }),
    log: silentLog,
  });
  await bookkeeper.work();
  await bookkeeper.stop();
}
const ALL = { from: 0, to: 1e15 };

t.test("R-PAY-3: a declined method is followed by the other one, once; both declined is a clear failure", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await must(city.place("o", { method: DECLINING_METHOD, fallback: "card" }));
  await city.reach("o", "confirmed");
  t.match((await city.state("o")).payment, { status: "authorised", n: 2 });
  await must(city.place("p", { method: DECLINING_METHOD, fallback: DECLINING_METHOD }));
  await city.reach("p", "rejected");
  t.match((await city.state("p")).closed?.refusal, { code: "payment_declined" });
  t.strictSame(
    [...city.bank.book.authorisations().values()].map(({ orderId, voided }) => [orderId, voided]),
    [["o", false]],
  );
  await city.kit.close();
});

t.test("rule 8: a method that is removed while the provider's answer is lost leaves nothing held", async (t) => {
  const book = inProcessProvider(() => 0);
  let removed = false;
  const provider: PaymentProvider = {
    ...book,
    async authorise(request) {
      const outcome = await book.authorise(request);
      if (removed) return outcome;
      removed = true;
      throw new PaymentUnavailable("the answer was lost");
    },
  };
  const city = createCity({
    payment: paymentEffect(provider, async (_customer, method) => (removed ? null : method)),
    host: { effectRetryMs: 100 },
  });
  await city.openRestaurant("r");
  await must(city.place("o"));
  await city.reach("o", "rejected");
  t.match((await city.state("o")).closed?.refusal, { code: "payment_declined" });
  t.match(book.book.authorisations().get("o:authorise:1"), { voided: true });
  await city.kit.close();
});

t.test("R-PAY-3: a method that does not answer holds nothing before the other is asked", async (t) => {
  const book = inProcessProvider(() => 0);
  const effect = paymentEffect(book);
  const held: number[] = [];
  let losing = true;
  const payment: EffectRunner = async (request) => {
    const { step, n } = request.input as { step: string; n: number };
    const answer = await effect(request);
    held.push([...book.book.authorisations().values()].filter(({ voided }) => !voided).length);
    if (losing && step === "authorise" && n === 1) throw new Error("the answer was lost");
    return answer;
  };
  const city = createCity({ payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
  await city.openRestaurant("r");
  await must(city.place("o", { method: "slow", fallback: "card" }));
  await city.reach("o", "confirmed");
  t.match((await city.state("o")).payment, { status: "authorised", n: 2 });
  t.equal(Math.max(...held), 1, "never two at once");
  t.match(book.book.authorisations().get("o:authorise:1"), { voided: true });
  losing = false;
  await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, customer("c")));
  await city.kit.advance(1_000);
  t.ok([...book.book.authorisations().values()].every(({ voided }) => voided));
  await city.kit.close();
});

t.test("R-PAY-3, rule 8: an order that ends while methods are changed leaves nothing held", async (t) => {
  const book = inProcessProvider(() => 0);
  const effect = paymentEffect(book);
  let silent = true;
  const payment: EffectRunner = async (request) => {
    const answer = await effect(request);
    if (silent) throw new Error("the answer was lost");
    return answer;
  };
  const city = createCity({ payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
  await city.openRestaurant("r");
  await must(city.place("o", { fallback: "card" }));
  while ((await city.state("o")).payment.status !== "switching") await city.kit.advance(100);
  await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, customer("c")));
  silent = false;
  await city.kit.advance(700_000);
  t.equal((await city.state("o")).payment.status, "voided");
  t.strictSame([...book.book.authorisations().keys()], ["o:authorise:1"], "the other was never asked");
  await city.kit.close();
});

t.test("R-PAY-1: the provider's own word counts like its answer: before it, after it, twice", async (t) => {
  const book = inProcessProvider(() => 0);
  const effect = paymentEffect(book);
  let sleep: (ms: number) => Promise<void> = async () => {};
  const payment: EffectRunner = async (request) => {
    const answer = await effect(request);
    await sleep(5_000);
    return answer;
  };
  const city = createCity({ payment });
  sleep = (ms) => new Promise((resolve) => city.kit.clock.after(ms, resolve));
  await city.openRestaurant("r");
  await must(city.place("o"));
  await city.kit.advance(200);
  t.equal((await city.state("o")).payment.status, "authorising");
  for (let i = 0; i < 2; i++) await must(tell(city, "o", authorised()));
  t.equal(await city.status("o"), "confirmed", "before the answer");
  // The order is cancelled; only then the answer of the authorisation comes. It is not the void's.
  await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, customer("c")));
  t.equal((await city.state("o")).payment.status, "voiding");
  await city.kit.advance(4_900);
  t.equal((await city.state("o")).payment.status, "voiding", "an answer counts only for the step that waits for it");
  await must(tell(city, "o", { step: "void", n: 1, answer: { outcome: "voided" } }));
  t.equal((await city.state("o")).payment.status, "voided");
  const { revision } = await city.state("o");
  for (const notice of [authorised(), { step: "void", n: 1, answer: { outcome: "voided" } } as const]) {
    await must(tell(city, "o", notice));
  }
  await city.kit.advance(10_000);
  t.equal((await city.state("o")).revision, revision, "told again, nothing changes");
  await city.kit.close();
});

t.test("rule 8: a late `authorised` for an order that gave up is voided; strangers are not heard", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await must(city.place("o", { method: DECLINING_METHOD }));
  await city.reach("o", "rejected");
  await city.kit.ask(Order, "o", "paymentTold", authorised(), { caller: customer("c") });
  t.equal((await city.state("o")).payment.status, "declined");
  await must(tell(city, "o", authorised()));
  await city.kit.advance(1_000);
  t.equal((await city.state("o")).payment.status, "voided");
  t.match(city.bank.book.authorisations().get("o:authorise:1"), { voided: true });
  await must(tell(city, "nobody's", authorised()));
  t.notOk(
    city.kit.store.committed.some(({ key }) => key === "nobody's"),
    "no order comes of it",
  );
  await city.kit.close();
});

t.test("R-PAY-1, rule 9: support gives back a part, then the rest, and never more than was captured", async (t) => {
  const city = createCity();
  await city.openRestaurant("r", { currency: "EUR" });
  await city.bring("o", "picked_up");
  const refund = (amountMinor: number, commandId: string, bearer: "platform" | "restaurant" = "platform") =>
    city.kit.ask(
      Order,
      "o",
      "refund",
      { orderId: "o", amountMinor, reason: "cold", bearer },
      { caller: support, commandId },
    );
  t.equal(await codeOf(refund(1, "early")), "illegal_transition");
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  while ((await city.state("o")).payment.status !== "captured") await city.kit.advance(100);
  t.equal(
    await codeOf(city.order("o", "refund", { orderId: "o", amountMinor: 1, reason: "" }, customer("c"))),
    "not_found",
  );
  t.strictSame(await must(refund(444, "a", "restaurant")), { refund: 1, refundedMinor: 444, leftMinor: 2_000 });
  t.strictSame(
    await must(refund(444, "a", "restaurant")),
    { refund: 1, refundedMinor: 444, leftMinor: 2_000 },
    "R-ORD-5",
  );
  const tooMuch = await refund(2_001, "b");
  t.match(tooMuch, { ok: false, error: { code: "refund_too_large", detail: { leftMinor: 2_000 } } });
  await must(refund(2_000, "c"));
  await city.kit.advance(1_000);
  t.match((await city.state("o")).payment, { refunds: [{ status: "done" }, { status: "done" }] });
  t.match(city.bank.book.authorisations().get("o:authorise:1"), { capturedMinor: 2_444, refundedMinor: 2_444 });
  const { timeline } = await city.state("o");
  t.strictSame(
    timeline.filter(({ kind }) => kind === "payment_refunded").map(({ reason }) => reason),
    ["4.44 EUR: cold", "20.00 EUR: cold"],
  );
  await bookAll(city);
  const ledger = city.ledger();
  t.match(await ledger.sums(["restaurant_payable"], "r", ALL), [
    { item: "commission", amountMinor: 360 },
    { item: "items", amountMinor: -1_800 },
    { item: "refund", amountMinor: 444 },
  ]);
  const balances = await ledger.balances(ALL);
  t.equal(
    balances.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    0,
    "rule 9: the ledger sums to zero",
  );
  t.match(
    balances.find(({ account }) => account === "provider_clearing"),
    { amountMinor: 0 },
  );
  t.match(
    balances.find(({ account }) => account === "customer_receivable"),
    { amountMinor: 0 },
  );
  await city.kit.close();
});

t.test(
  "R-PAY-1: a refund is asked for until it is answered, and happens once; one that cannot be is said so",
  async (t) => {
    const book = inProcessProvider(() => 0);
    const effect = paymentEffect(book);
    let silent = false;
    const payment: EffectRunner = async (request) => {
      const answer = await effect(request);
      if (silent) throw new Error("the answer was lost");
      return answer;
    };
    const city = createCity({ payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
    await city.openRestaurant("r");
    await city.bring("o", "delivered");
    while ((await city.state("o")).payment.status !== "captured") await city.kit.advance(100);
    silent = true;
    await must(city.order("o", "refund", { orderId: "o", amountMinor: 44, reason: "cold" }, support));
    await city.kit.advance(100_000);
    t.match((await city.state("o")).payment, { refunds: [{ status: "asked" }] });
    silent = false;
    await city.kit.advance(700_000);
    t.match((await city.state("o")).payment, { refunds: [{ status: "done" }] });
    t.match(book.book.authorisations().get("o:authorise:1"), { refundedMinor: 44 });
    // Somebody gave the rest back at the provider's own desk.
    const desk = { key: "desk", orderId: "o", authoriseKey: "o:authorise:1", amountMinor: 2_400 };
    await book.refund(desk);
    await must(city.order("o", "refund", { orderId: "o", amountMinor: 1, reason: "more" }, support));
    await city.kit.advance(5_000);
    t.match((await city.state("o")).payment, { refunds: [{ status: "done" }, { status: "refused" }] });
    const told = (await city.state("o")).timeline.filter(({ kind }) => kind.startsWith("payment_refund"));
    t.match(told, [
      { kind: "payment_refunded", by: "support", reason: "0.44 COP: cold" },
      { kind: "payment_refund_refused", by: "payment", reason: "0.01 COP: more than was captured" },
    ]);
    await city.kit.close();
  },
);

const RULE: PromotionRule = {
  code: "DINNER",
  discount: { kind: "fixed", amountMinor: 300 },
  currency: "COP",
  minimumMinor: 0,
  from: 0,
  until: 1e15,
  totalLimit: 2,
  customerLimit: null,
  restaurantId: null,
  active: true,
};

t.test(
  "R-ORD-6, R-ORD-1: a code's discount is part of what is fixed, charged and booked; its use comes back with a cancel",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    await city.promotions.put(RULE);
    const promotion = { code: "DINNER", discountMinor: 300 };
    for (const orderId of ["o", "p"]) {
      await must(city.place(orderId, { promotion, customerId: "c" }));
      await city.reach(orderId, "confirmed");
    }
    t.match((await city.state("o")).content?.totals, { itemsMinor: 1_800, discountMinor: 300, totalMinor: 2_144 });
    t.match(city.bank.book.authorisations().get("o:authorise:1"), { authorisedMinor: 2_144 });
    await must(city.place("q", { promotion }));
    await city.reach("q", "rejected");
    t.match((await city.state("q")).closed?.refusal, { code: "promotion_refused", detail: { reason: "used_up" } });
    t.notOk(city.bank.book.authorisations().has("q:authorise:1"), "what is refused is not charged");
    await must(city.order("p", "cancel", { orderId: "p", reason: "no" }, customer("c")));
    await city.kit.advance(1_000);
    t.equal((await city.promotions.read("DINNER"))?.used, 1);
    t.match((await city.state("p")).promotion, { status: "released" });
    await must(city.place("s", { promotion }));
    await city.reach("s", "confirmed");
    t.equal(
      await codeOf(city.place("v", { promotion: { code: "DINNER", discountMinor: 2_000 } })),
      "invalid",
      "more than the items",
    );
    await must(city.place("w", { promotion: { code: "DINNER", discountMinor: 299 } }));
    await city.reach("w", "rejected");
    t.match((await city.state("w")).closed?.refusal, { detail: { reason: "changed" } });
    await city.kit.close();
  },
);

t.test("R-ORD-1: a cancel that meets the promotion's answer gives the use back, whichever is first", async (t) => {
  for (let delay = 0; delay <= 120; delay += 10) {
    const city = createCity();
    await city.openRestaurant("r");
    await city.promotions.put(RULE);
    await must(city.place("o", { promotion: { code: "DINNER", discountMinor: 300 } }));
    await city.kit.advance(delay);
    await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, support));
    await city.kit.advance(2_000);
    if ((await city.promotions.read("DINNER"))?.used !== 0) t.fail(`after ${delay} ms the use is not back`);
    if (![...city.bank.book.authorisations().values()].every(({ voided }) => voided)) t.fail(`after ${delay} ms`);
    await city.kit.close();
  }
  t.pass("thirteen instants");
});

t.test("R-PAY-2: a free meal is delivered, its driver is paid, and the books of the others go on", async (t) => {
  const city = createCity();
  const free = { itemId: "bread", name: "Bread", priceMinor: 0 };
  await city.openRestaurant("r", { taxPerMille: 0, deliveryFeeMinor: 0, items: [free] });
  await city.bring("o", "delivered", "d", { lines: [{ itemId: "bread", quantity: 1, unitPriceMinor: 0 }] });
  while ((await city.state("o")).payment.status !== "captured") await city.kit.advance(100);
  await bookAll(city);
  t.match(await city.ledger().backlog(), { waiting: 0, refused: 0 });
  t.match(await city.ledger().sums(["driver_payable"], "d", ALL), [{ item: "pay", count: 1 }]);
  t.strictSame(await city.ledger().cash(ALL, null, 10), [], "nobody was charged");
  await city.kit.close();
});

t.test("R-PAY-2: a delivery books what everybody has earned, once, and the driver's tip in full", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await must(city.place("o", { tipMinor: 250 }));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 1 }, restaurant("r")));
  await city.goOnline("d");
  const offer = await city.offerTo("d");
  await must(city.drive("d", "acceptOffer", { offerId: offer.offerId }));
  while ((await city.state("o")).delivery.status !== "assigned") await city.kit.advance(20);
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  await must(city.drive("d", "deliver", { orderId: "o" }));
  while ((await city.state("o")).payment.status !== "captured") await city.kit.advance(100);
  await bookAll(city);
  await bookAll(city);
  const ledger = city.ledger();
  const earned = await ledger.sums(["driver_payable", "tips"], "d", ALL);
  const paid = -earned.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  t.equal(paid, offer.payMinor, "what the offer promised");
  t.match(earned, [{ item: "pay" }, { item: "tip", amountMinor: -250, count: 1 }]);
  t.strictSame(
    (await ledger.cash(ALL, null, 10)).map(({ key, amountMinor }) => [key, amountMinor]),
    [["o:capture:1", 2_694]],
  );
  t.strictSame(await ledger.backlog(), { waiting: 0, refused: 0 });
  await city.kit.close();
});
