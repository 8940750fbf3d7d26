/** A provider that is silent about one method, that does less than it was asked for, or that refuses what must be done. */
import t from "tap";
import { systemClock } from "../../../lib/clock.js";
import { silentLog } from "../../../lib/log.js";
import { createBookkeeper } from "../../../services/ledger/mod.js";
import {
  inProcessProvider,
  type PaymentProvider,
  PaymentRefused,
  PaymentUnavailable,
  paymentEffect,
} from "../../../services/payments/mod.js";
import { driveAgain } from "../../runtime/mod.js";
import type { EffectRunner } from "../../runtime/ports.js";
import { type City, codeOf, createCity, customer, must, support } from "../fixtures/city.js";
import { ChatRoom, Order } from "../mod.js";
import type { PaymentNotice } from "./messages.js";

t.test("R-PAY-3: a method that never answers gives way to the other while the customer still waits", async (t) => {
  const book = inProcessProvider(() => 0);
  const clock: { city?: City } = {};
  const provider: PaymentProvider = {
    ...book,
    async authorise(request) {
      if (request.method !== "silent") return book.authorise(request);
      // As long as the provider over HTTP takes to find out that nobody answers.
      await new Promise<void>((resolve) => clock.city?.kit.clock.after(12_500, resolve));
      throw new PaymentUnavailable("no answer");
    },
  };
  const city = createCity({ payment: paymentEffect(provider) });
  clock.city = city;
  await city.openRestaurant("r");
  await must(city.place("o", { method: "silent", fallback: "card" }));
  await must(city.place("p", { method: "silent" }));
  await city.reach("o", "confirmed");
  t.match((await city.state("o")).payment, { status: "authorised", n: 2 });
  await city.kit.advance(600_000);
  t.strictSame(
    [...book.book.authorisations()].map(([key, { voided }]) => [key, voided]).sort(),
    [
      ["o:authorise:1", true],
      ["o:authorise:2", true],
      ["p:authorise:1", true],
    ],
    "and nothing stays held of what nobody accepted",
  );
  t.match((await city.state("p")).closed, { status: "cancelled" }, "where there is no other, the order ends");
  await city.kit.close();
});

t.test("rule 9, R-PAY-2: what was taken is what is booked, and what can be given back", async (t) => {
  const book = inProcessProvider(() => 0);
  const part = <R extends { readonly amountMinor: number }>(request: R): R => ({
    ...request,
    amountMinor: Math.ceil(request.amountMinor / 2),
  });
  const provider: PaymentProvider = {
    ...book,
    capture: (request) => book.capture(part(request)),
    refund: (request) => book.refund(part(request)),
  };
  const city = createCity({ payment: paymentEffect(provider) });
  await city.openRestaurant("r");
  await city.bring("o", "delivered");
  while ((await city.state("o")).payment.status !== "captured") await city.kit.advance(100);
  const refund = (amountMinor: number) =>
    city.order("o", "refund", { orderId: "o", amountMinor, reason: "cold" }, support);
  t.equal(await codeOf(refund(1_223)), "refund_too_large", "half of it is there");
  t.same(await must(refund(1_000)), { refund: 1, refundedMinor: 1_000, leftMinor: 222 });
  await city.kit.advance(1_000);
  t.same(await must(refund(222)), { refund: 2, refundedMinor: 722, leftMinor: 500 });
  await city.kit.advance(1_000);
  const { timeline } = await city.state("o");
  t.match(
    timeline.filter(({ kind }) => kind.startsWith("payment_")),
    [{ reason: "12.22 COP of 24.44 COP" }, { reason: "5.00 COP: cold" }, { reason: "1.11 COP: cold" }],
  );
  const bookkeeper = createBookkeeper({
    store: city.ledger(),
    clock: systemClock({ keepAlive: false }),
    log: silentLog,
  });
  await bookkeeper.work();
  await bookkeeper.stop();
  const balances = await city.ledger().balances({ from: 0, to: 1e15 });
  const held = book.book.authorisations().get("o:authorise:1")!;
  t.match(
    balances.find(({ account }) => account === "provider_clearing"),
    { amountMinor: held.capturedMinor - held.refundedMinor },
    "as the provider has it",
  );
  t.match(
    balances.find(({ account }) => account === "customer_receivable"),
    { amountMinor: 1_222 },
    "the rest is owed",
  );
  t.equal(
    balances.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    0,
  );
  await city.kit.close();
});

t.test("R-ADM-5, R-PAY-1: however long a step is asked for in vain, one dead letter says so", async (t) => {
  for (const Problem of [PaymentRefused, PaymentUnavailable]) {
    const book = inProcessProvider(() => 0);
    let isDown = true;
    const provider: PaymentProvider = {
      ...book,
      async capture(request) {
        if (isDown) throw new Problem("not today");
        return book.capture(request);
      },
      async refund(request) {
        if (isDown) throw new PaymentUnavailable("not today");
        return book.refund(request);
      },
    };
    const city = createCity({ payment: paymentEffect(provider) });
    await city.openRestaurant("r");
    await city.bring("o", "delivered");
    await city.kit.advance(3_600_000);
    t.match(
      city.kit.deadLetters.map(({ key, reason }) => `${key} ${reason}`),
      [/^o Payment(Refused|Unavailable): not today$/],
    );
    t.equal((await city.state("o")).payment.status, "capturing");
    isDown = false;
    await city.kit.advance(700_000);
    t.equal((await city.state("o")).payment.status, "captured", "and once it can be, it is");
    isDown = true;
    await must(city.order("o", "refund", { orderId: "o", amountMinor: 5, reason: "cold" }, support));
    await city.kit.advance(3_600_000);
    t.equal(city.kit.deadLetters.length, 2);
    isDown = false;
    await city.kit.advance(700_000);
    t.match((await city.state("o")).payment, { refunds: [{ status: "done" }] });
    await city.kit.close();
  }
});

t.test(
  "R-ADM-5, R-PAY-1: a capture that was put aside and is driven again takes the money once, at once",
  async (t) => {
    const book = inProcessProvider(() => 0);
    let isDown = true;
    const keys: string[] = [];
    const provider: PaymentProvider = {
      ...book,
      async capture(request) {
        if (isDown) throw new PaymentRefused("not today");
        keys.push(request.key);
        return book.capture(request);
      },
    };
    const city = createCity({ payment: paymentEffect(provider) });
    await city.openRestaurant("r");
    await city.bring("o", "delivered");
    while (city.kit.deadLetters.length === 0) await city.kit.advance(1_000);
    isDown = false;
    const drive = (commandId: string) =>
      city.kit.run(() => driveAgain(city.kit.client, city.kit.deadLetters[0]!, { commandId, caller: support }));
    for (let i = 0; i < 2; i++) t.match(await drive("a"), { ok: true });
    await city.kit.advance(1_000);
    t.equal((await city.state("o")).payment.status, "captured");
    t.same(keys, ["o:capture:1"]);
    await city.kit.advance(3_600_000);
    t.match(await drive("b"), { ok: true }, "as if nobody had known that it is done");
    await city.kit.advance(60_000);
    const { timeline } = await city.state("o");
    t.equal(timeline.filter(({ kind }) => kind === "payment_captured").length, 1);
    t.same(new Set(keys), new Set(["o:capture:1"]));
    const held = book.book.authorisations().get("o:authorise:1")!;
    t.equal(held.capturedMinor, (await city.state("o")).content?.totals.totalMinor);
    await city.kit.close();
  },
);

t.test("R-COM-4, R-PAY-1: while the provider of payments hangs, others who are asked answer", async (t) => {
  const book = inProcessProvider(() => 0);
  const effect = paymentEffect(book);
  let hangs = false;
  const city = createCity({
    payment: (request) => (hangs ? new Promise(() => {}) : effect(request)),
    host: { effectConcurrency: 3 },
  });
  const { kit } = city;
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  hangs = true;
  for (let n = 0; n < 5; n++) await must(city.place(`p${n}`));
  await kit.advance(1_000);
  const room = await must(kit.ask(Order, "o", "talk", null, { caller: customer("c") }));
  await kit.advance(50);
  const number = () => kit.ask(ChatRoom, room.roomId, "contact", null, { caller: customer("c"), commandId: "" });
  await must(number());
  await kit.advance(1_000);
  t.match((await must(number())).number, /^\+/, "the number to call is there");
  await kit.close();
});

/** The provider's own word. */
const tell = (city: City, notice: PaymentNotice) =>
  city.kit.must(Order, "o", "paymentTold", notice, { caller: { id: "payments", role: "provider" } });

/** A bank whose answers to these steps (`void:1`) are lost, though it does what it is asked for. */
function forgetful() {
  const provider = inProcessProvider(() => 0);
  const effect = paymentEffect(provider);
  const lost = new Set<string>();
  const payment: EffectRunner = async (request) => {
    const answer = await effect(request);
    const { step, n } = request.input as { step: string; n: number };
    if (lost.has(`${step}:${n}`)) throw new PaymentUnavailable("the answer was lost");
    return answer;
  };
  const held = () => [...provider.book.authorisations()].filter(([, { voided }]) => !voided).map(([key]) => key);
  return { provider, payment, lost, held };
}

t.test(
  "R-PAY-3, rule 8: an order that has ended asks no second method, however long the first is silent",
  async (t) => {
    const bank = forgetful();
    bank.lost.add("authorise:1");
    const city = createCity({ payment: bank.payment, host: { effectAttempts: 50, effectRetryMs: 1_000 } });
    await city.openRestaurant("r");
    await must(city.place("o", { fallback: "card" }));
    await city.kit.advance(500);
    await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, customer("c")));
    await city.kit.advance(3 * city.settings.order.otherMethodAfterMs);
    t.match((await city.state("o")).payment, { status: "authorising", n: 1 }, "its answer is still to come");
    t.strictSame([...bank.provider.book.authorisations().keys()], ["o:authorise:1"]);
    bank.lost.clear();
    await city.kit.advance(700_000);
    t.match((await city.state("o")).payment, { status: "voided", n: 1 });
    t.strictSame(bank.held(), []);
    await city.kit.close();
  },
);

t.test("R-PAY-3: giving up a method is asked for again until it is answered; then the other is asked", async (t) => {
  const bank = forgetful();
  for (const step of ["authorise:1", "void:1"]) bank.lost.add(step);
  const city = createCity({ payment: bank.payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
  await city.openRestaurant("r");
  await must(city.place("o", { fallback: "card" }));
  while ((await city.state("o")).payment.status !== "switching") await city.kit.advance(100);
  await city.kit.advance(1_000);
  t.match((await city.state("o")).payment, { status: "switching", attempts: 1 });
  bank.lost.clear();
  await city.kit.advance(city.settings.order.paymentRetryMs + 1_000);
  t.match((await city.state("o")).payment, { status: "authorised", n: 2 });
  t.equal(await city.status("o"), "confirmed");
  await city.kit.close();
});

t.test("rule 8: that the first method was voided is no word of the second", async (t) => {
  const bank = forgetful();
  bank.lost.add("authorise:1");
  const city = createCity({ payment: bank.payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
  await city.openRestaurant("r");
  await must(city.place("o", { fallback: "card" }));
  await city.reach("o", "confirmed");
  bank.lost.add("void:2");
  await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, customer("c")));
  await tell(city, { step: "void", n: 1, answer: { outcome: "voided" } });
  await tell(city, { step: "capture", n: 2, answer: { outcome: "captured", amountMinor: 5 } });
  t.match((await city.state("o")).payment, { status: "voiding", n: 2 });
  bank.lost.clear();
  await city.kit.advance(700_000);
  t.match((await city.state("o")).payment, { status: "voided", n: 2 });
  await city.kit.close();
});

t.test(
  "rules 8 and 9: a capture's own word counts, of what was asked for and no more; nothing said is all",
  async (t) => {
    for (const [saidMinor, takenMinor] of [
      [0, 2_444],
      [9_999, 2_444],
      [1_000, 1_000],
    ] as const) {
      const bank = forgetful();
      bank.lost.add("capture:1");
      const city = createCity({ payment: bank.payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
      await city.openRestaurant("r");
      await city.bring("o", "delivered");
      await tell(city, { step: "void", n: 1, answer: { outcome: "voided" } });
      await tell(city, { step: "capture", n: 2, answer: { outcome: "captured", amountMinor: 5 } });
      t.match((await city.state("o")).payment, { status: "capturing", n: 1 }, "no word of this capture");
      await tell(city, { step: "capture", n: 1, answer: { outcome: "captured", amountMinor: saidMinor } });
      const { payment } = await city.state("o");
      t.match(payment, { status: "captured" });
      const refund = { orderId: "o", amountMinor: 10_000, reason: "all" };
      t.match(await city.order("o", "refund", refund, support), { error: { detail: { leftMinor: takenMinor } } });
      await city.kit.close();
    }
  },
);

t.test("R-PAY-1: money back that the provider tells of twice, and answers too, is one entry", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "delivered");
  while ((await city.state("o")).payment.status !== "captured") await city.kit.advance(100);
  await must(city.order("o", "refund", { orderId: "o", amountMinor: 44, reason: "cold" }, support));
  for (let i = 0; i < 2; i++) {
    await tell(city, { step: "refund", n: 1, answer: { outcome: "refunded", amountMinor: 44 } });
  }
  await city.kit.advance(1_000);
  t.match((await city.state("o")).payment, { refunds: [{ status: "done", amountMinor: 44 }] });
  t.equal((await city.state("o")).timeline.filter(({ kind }) => kind === "payment_refunded").length, 1);
  await city.kit.close();
});

t.test(
  "R-ORD-1, R-ADM-5: a promotion's use is given back until it is back, however long its store is away",
  async (t) => {
    const city = createCity({ host: { effectAttempts: 2, effectRetryMs: 100 } });
    await city.openRestaurant("r");
    await city.promotions.put({
      code: "DINNER",
      discount: { kind: "fixed", amountMinor: 300 },
      currency: "COP",
      minimumMinor: 0,
      from: 0,
      until: 1e15,
      totalLimit: 1,
      customerLimit: 1,
      restaurantId: null,
      active: true,
    });
    const promotion = { code: "DINNER", discountMinor: 300 };
    await must(city.place("o", { promotion }));
    await city.reach("o", "confirmed");
    const { release } = city.promotions;
    Object.assign(city.promotions, { release: () => Promise.reject(new Error("the store is away")) });
    await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, customer("c")));
    await city.kit.advance(3_600_000);
    t.match((await city.state("o")).promotion, { status: "releasing" });
    t.equal((await city.promotions.read("DINNER"))?.used, 1);
    Object.assign(city.promotions, { release });
    await city.kit.advance(700_000);
    t.match((await city.state("o")).promotion, { status: "released" });
    t.equal((await city.promotions.read("DINNER"))?.used, 0);
    t.equal(city.kit.deadLetters.length, 1, "one dead letter says so");
    await city.kit.close();
  },
);
