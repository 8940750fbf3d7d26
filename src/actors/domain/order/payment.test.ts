import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import {
  authorisationsOf,
  DECLINING_METHOD,
  defaultHttpProviderSettings,
  httpPaymentProvider,
  inProcessProvider,
  paymentEffect,
  readSandboxLedger,
  startSandboxProcess,
} from "../../../services/payments/mod.js";
import type { EffectRunner } from "../../runtime/ports.js";
import { createCity, customer, must, restaurant, support } from "../fixtures/city.js";
import { Order } from "../mod.js";

t.test("R-ORD-5, R-PAY-1, rule 2: the same placement five times is one charge at the sandbox", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "order-payment-"));
  const ledgerPath = join(folder, "ledger.jsonl");
  const sandbox = await startSandboxProcess(ledgerPath, [
    "--latency-min",
    "0",
    "--latency-max",
    "5",
    "--duplicate",
    "0.5",
  ]);
  const calls: Promise<unknown>[] = [];
  const real = paymentEffect(httpPaymentProvider({ ...defaultHttpProviderSettings, url: sandbox.url }));
  const payment: EffectRunner = (request) => {
    const call = real(request);
    calls.push(call.catch(() => null));
    return call;
  };
  const city = createCity({ payment });
  // The sandbox lives in real time, the city in virtual time: let the city wait for the bank.
  const bank = async () => {
    while (calls.length > 0) await calls.pop();
    await city.kit.advance(50);
  };
  await city.openRestaurant("r");
  const send = () => city.kit.send(Order, "o", "place", city.placement(), { caller: customer("c"), commandId: "k" });
  const replies = await city.kit.run(() => Promise.all([send(), send(), send(), send(), send()]));
  for (const reply of replies) t.same(reply, replies[0]);
  await city.kit.advance(50);
  await bank();
  t.equal(await city.status("o"), "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 0 }, restaurant("r")));
  await city.goOnline("d");
  await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
  await city.kit.advance(50);
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.kit.advance(50);
  await bank();
  t.equal((await city.state("o")).payment.status, "captured");
  const entries = await readSandboxLedger(ledgerPath);
  t.same(
    entries.map(({ operation }) => operation.key),
    ["o:authorise:1", "o:capture:1"],
  );
  t.match([...authorisationsOf(entries).values()], [{ authorisedMinor: 2_444, capturedMinor: 2_444, voided: false }]);
  await city.kit.close();
  await sandbox.stop();
  await rm(folder, { recursive: true });
});

t.test("R-PAY-3: a declined payment rejects the order and gives the stock back", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const lines = [{ itemId: "soup", quantity: 3, unitPriceMinor: 2_100 }];
  await must(city.place("o", { method: DECLINING_METHOD, lines }));
  await city.reach("o", "rejected");
  t.match((await city.state("o")).closed, {
    by: "payment",
    refusal: { code: "payment_declined", detail: { reason: "insufficient_funds" } },
  });
  await city.kit.advance(100);
  t.equal((await city.stock("r")).left.soup, 5);
  const tablet = await city.kit.subscribe({ kind: "restaurant", key: "r", channel: "inbox" }, restaurant("r"), {
    epoch: 0,
    offset: 0,
  });
  t.same(tablet.events, [], "the restaurant's people never heard of it");
  await city.kit.close();
});

/** A bank that does everything, and whose answers come as the test says. */
function moodyBank() {
  const provider = inProcessProvider(() => 0);
  const effect = paymentEffect(provider);
  const mood = { delayMs: 100, silent: false, calls: 0 };
  let sleep: (ms: number) => Promise<void> = async () => {};
  const payment: EffectRunner = async (request) => {
    mood.calls++;
    const { silent, delayMs } = mood;
    const answer = await effect(request);
    await sleep(delayMs);
    if (silent) throw new Error("the answer was lost");
    return answer;
  };
  return { provider, mood, payment, onClock: (clock: (ms: number) => Promise<void>) => (sleep = clock) };
}

t.test("rule 8: an authorisation that arrives after a cancel is voided", async (t) => {
  const bank = moodyBank();
  const city = createCity({ payment: bank.payment });
  bank.onClock((ms) => new Promise((resolve) => city.kit.clock.after(ms, resolve)));
  bank.mood.delayMs = 5_000;
  await city.openRestaurant("r");
  await must(city.place("o"));
  await city.kit.advance(500);
  t.equal((await city.state("o")).payment.status, "authorising");
  await must(city.order("o", "cancel", { orderId: "o", reason: "changed my mind" }, customer("c")));
  t.equal((await city.state("o")).payment.status, "authorising", "nobody knows yet");
  await city.kit.advance(12_000);
  t.equal((await city.state("o")).payment.status, "voided");
  t.match([...bank.provider.book.authorisations().values()], [{ voided: true, capturedMinor: 0 }]);
  t.equal(await city.status("o"), "cancelled");
  await city.kit.close();
});

t.test(
  "R-PAY-3, rule 8: a bank that does not answer cancels the order; what it did is voided when it is back",
  async (t) => {
    const bank = moodyBank();
    const city = createCity({ payment: bank.payment, host: { effectAttempts: 3, effectRetryMs: 100 } });
    bank.onClock((ms) => new Promise((resolve) => city.kit.clock.after(ms, resolve)));
    bank.mood.silent = true;
    await city.openRestaurant("r", { items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, stock: 2 }] });
    await must(city.place("o"));
    await city.reach("o", "cancelled");
    t.match((await city.state("o")).closed, { by: "payment", refusal: { code: "payment_failed" } });
    await city.kit.advance(1_000);
    t.equal((await city.stock("r")).left.arepa, 2);
    t.equal((await city.state("o")).payment.status, "voiding", "not forgotten");
    bank.mood.silent = false;
    await city.kit.advance(700_000);
    t.equal((await city.state("o")).payment.status, "voided");
    t.match([...bank.provider.book.authorisations().values()], [{ voided: true, capturedMinor: 0 }]);
    await city.kit.close();
  },
);

t.test("R-PAY-1: a capture is asked for until it is answered, and happens once", async (t) => {
  const bank = moodyBank();
  const city = createCity({ payment: bank.payment, host: { effectAttempts: 2, effectRetryMs: 100 } });
  bank.onClock((ms) => new Promise((resolve) => city.kit.clock.after(ms, resolve)));
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  bank.mood.silent = true;
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.kit.advance(400_000);
  t.equal((await city.state("o")).payment.status, "capturing");
  bank.mood.silent = false;
  await city.kit.advance(700_000);
  t.equal((await city.state("o")).payment.status, "captured");
  t.ok(bank.mood.calls > 5);
  t.match([...bank.provider.book.authorisations().values()], [{ capturedMinor: 2_444 }]);
  t.equal(await city.status("o"), "delivered", "the customer's order was delivered all the same");
  await city.kit.close();
});

t.test("rule 8: a cancel that meets the authorisation's answer leaves nothing held, whichever is first", async (t) => {
  for (let delay = 80; delay <= 125; delay += 3) {
    const city = createCity();
    await city.openRestaurant("r");
    await must(city.place("o"));
    await city.kit.advance(delay);
    await must(city.order("o", "cancel", { orderId: "o", reason: "no" }, support));
    await city.kit.advance(2_000);
    const held = [...city.bank.book.authorisations().values()];
    if (!held.every(({ voided, capturedMinor }) => voided && capturedMinor === 0)) t.fail(`after ${delay} ms`);
    if (Object.keys((await city.stock("r")).orders).length > 0) t.fail(`after ${delay} ms the restaurant holds on`);
    await city.kit.close();
  }
  t.pass("sixteen instants around the answer");
});
