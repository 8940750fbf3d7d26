/**
 * Orders from the tap to the door over HTTP, with a bank that declines, fails, repeats itself, answers late and tells by
 * itself late, twice or never; then our books beside the bank's. A whole node, with its database, and the sandbox as a
 * process of its own. For the suite in small, for the benchmark in large.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../config/mod.js";
import { NodeControl, type Principal } from "../../simulator/live/mod.js";
import { freePort } from "../../src/gateway/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { silentLog } from "../../src/lib/log.js";
import { type Random, seededRandom, systemRandom } from "../../src/lib/random.js";
import { startNode } from "../../src/node/node.js";
import type { DriverEarnings, OrderView, Reconciliation, RestaurantStatement } from "../../src/protocol/mod.js";
import { authorisationsOf, readSandboxLedger, startSandboxProcess } from "../../src/services/payments/mod.js";
import { withEmptyData } from "../../src/store/postgres/fixtures/empty-data.js";

const clock = systemClock();
const PLACE = { lat: 41, lng: 29 };
const SECRET = "the secret of the sandbox's webhooks";
const RESTAURANTS = 4;

export interface MoneyRun {
  readonly orders: number;
  readonly drivers: number;
  readonly seed: number;
  /** How late the bank's latest answers are; above 4 s nobody waits for them any more. */
  readonly lateMs: number;
  readonly says?: (line: string) => void;
}

export interface MoneyFigures {
  readonly statuses: Readonly<Record<string, number>>;
  readonly refunds: number;
  readonly webhooksTold: number;
  readonly report: Reconciliation;
  readonly statements: readonly RestaurantStatement[];
  readonly earnings: readonly DriverEarnings[];
  /** By what the customers' apps saw: delivered totals less refunds. */
  readonly seenMinor: number;
  readonly seenTipsMinor: number;
  /** What the bank's own file says. */
  readonly bankMinor: number;
  readonly bankHolds: number;
  /** Orders with more than one authorisation that was kept. */
  readonly twiceHeld: number;
  readonly seconds: number;
}

type Call = <R>(who: string, method: string, path: string, body?: object) => Promise<Answered<R>>;
type Answered<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly code: string };

const OVER: ReadonlySet<string> = new Set(["delivered", "cancelled", "rejected", "undeliverable"]);

export async function runMoney(options: MoneyRun): Promise<MoneyFigures> {
  const says = options.says ?? (() => {});
  const dataDir = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-money-"))), "postgres");
  const ledgerFile = join(dataDir, "bank.jsonl");
  const webhookPort = await freePort("127.0.0.1", 0);
  const bank = await startSandboxProcess(ledgerFile, [
    ...["--latency-min", "5", "--latency-max", "30", "--seed", `${options.seed}`],
    ...["--decline", "0.05", "--error", "0.05", "--lost", "0.05", "--duplicate", "0.05"],
    ...["--late", "0.02", "--late-ms", `${options.lateMs}`],
    ...["--webhook-url", `http://127.0.0.1:${webhookPort}/v1/payments/webhooks`, "--webhook-secret", SECRET],
    ...["--webhook-lost", "0.1", "--webhook-duplicate", "0.1", "--webhook-late", "0.2", "--webhook-late-ms", "2000"],
  ]);
  const config = loadConfig({
    argv: ["--port", `${webhookPort}`, "--data-dir", dataDir],
    env: { PAYMENT_URL: bank.url, PAYMENT_WEBHOOK_SECRET: SECRET },
  });
  const node = await startNode({
    config: {
      ...config,
      node: { ...config.node, shardWorkers: 1, gatewayThreads: 0, drainMs: 100 },
      payment: { ...config.payment, graceMs: 0 },
      domain: { ...config.domain, order: { ...config.domain.order, paymentRetryMs: 200 } },
    },
    version: "money",
    clock,
    random: systemRandom(),
    log: silentLog,
    onFatal: (reason) => says(`the node is in trouble: ${reason}`),
  });
  try {
    return await drive(options, node.url, node.secrets.operatorSecret, ledgerFile, says);
  } finally {
    await node.stop();
    await bank.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function drive(
  { orders, drivers, seed }: MoneyRun,
  url: string,
  operatorSecret: string,
  ledgerFile: string,
  says: (line: string) => void,
): Promise<MoneyFigures> {
  const started = clock.monotonic();
  const startedAt = clock.now() - 1_000;
  const named = (role: Principal["role"], count: number): Principal[] =>
    Array.from({ length: count }, (_, n) => ({ id: `${role}-${n}`, role }));
  const people = [...named("customer", drivers), ...named("driver", drivers), ...named("restaurant", RESTAURANTS)];
  const tokens = await new NodeControl({ url, operatorSecret, clock }).tokens([...people, ...named("admin", 1)]);
  let keys = 0;

  const send = async <R>(
    who: string,
    method: string,
    path: string,
    key: string,
    body?: object,
  ): Promise<Answered<R>> => {
    for (;;) {
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${tokens.get(who)}`,
          "content-type": "application/json",
          "idempotency-key": key,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as { error?: { code: string; temporary: boolean; retryAfterMs?: number } };
      if (response.ok) return { ok: true, value: answer as R };
      const { code, temporary, retryAfterMs } = answer.error!;
      if (!temporary) return { ok: false, code };
      await sleep(clock, retryAfterMs ?? 100);
    }
  };
  const call: Call = (who, method, path, body) => send(who, method, path, `key-${++keys}`, body);
  const must = async <R>(asked: Promise<Answered<R>>): Promise<R> => {
    const answer = await asked;
    if (!answer.ok) throw new Error(`refused: ${answer.code}`);
    return answer.value;
  };

  for (let n = 0; n < RESTAURANTS; n++) {
    await must(
      call("admin-0", "PUT", `/v1/restaurants/restaurant-${n}`, {
        name: `Lokanta ${n}`,
        ...PLACE,
        currency: "TRY",
        taxPerMille: 85,
        deliveryFeeMinor: 333,
        items: [{ itemId: "soup", name: "Soup", priceMinor: 517 }],
      }),
    );
  }
  await must(
    call("admin-0", "PUT", "/v1/promotions/soup10", {
      discount: { kind: "percent", perMille: 100, mostMinor: 120 },
      ...{ currency: "TRY", minimumMinor: 0, from: 0, until: 8_000_000_000_000 },
      ...{ totalLimit: null, customerLimit: null, restaurantId: null, active: true },
    }),
  );
  const declining = { token: "declining", label: "My old card" };
  const saved = await Promise.all(
    Array.from({ length: drivers }, (_, n) =>
      must(call<{ methodId: string }>(`customer-${n}`, "POST", "/v1/payment-methods", declining)),
    ),
  );
  // Too far away to be planned for: every order of this run has its own driver.
  for (let n = 0; n < drivers; n++) {
    const far = { lat: PLACE.lat + 2, lng: PLACE.lng };
    await must(call(`driver-${n}`, "POST", "/v1/drivers/me/online", { name: `Driver ${n}`, vehicle: "bike", ...far }));
  }

  const seen = new Map<string, OrderView>();
  let refunds = 0;
  let next = 0;

  const view = async (orderId: string): Promise<OrderView> =>
    must(call<OrderView>("admin-0", "GET", `/v1/orders/${orderId}`));
  async function until(orderId: string, good: (order: OrderView) => boolean): Promise<OrderView> {
    for (;;) {
      const order = await view(orderId);
      if (good(order) || OVER.has(order.status)) return order;
      await sleep(clock, 25);
    }
  }
  async function place(lane: number, n: number, random: Random): Promise<string> {
    const method = random.next() < 0.1 ? saved[lane]!.methodId : random.next() < 0.03 ? "slow" : "card";
    const order = {
      restaurantId: `restaurant-${n % RESTAURANTS}`,
      lines: [{ itemId: "soup", quantity: 1 + (n % 5), unitPriceMinor: 517 }],
      destination: { lat: PLACE.lat + 0.01, lng: PLACE.lng },
      currency: "TRY",
      tipMinor: (n * 37) % 300,
      paymentMethod: method,
      ...(random.next() < 0.5 ? { fallbackPaymentMethod: "card" } : {}),
      ...(random.next() < 0.3 ? { promotionCode: "Soup10" } : {}),
    };
    const placed = () => must(send<{ orderId: string }>(`customer-${lane}`, "POST", "/v1/orders", `order-${n}`, order));
    // One tap in twenty is two.
    const answers = await Promise.all(random.next() < 0.05 ? [placed(), placed()] : [placed()]);
    return answers[0]!.orderId;
  }

  async function deliver(lane: number, n: number, orderId: string): Promise<void> {
    const driver = `driver-${lane}`;
    await call(`restaurant-${n % RESTAURANTS}`, "POST", `/v1/orders/${orderId}/accept`, { prepMinutes: 0 });
    await call("admin-0", "POST", `/v1/orders/${orderId}/assign`, { driverId: driver, reason: "next in line" });
    for (;;) {
      type Work = { readonly offers: readonly { readonly offerId: string; readonly orderId: string }[] };
      const { offers } = await must(call<Work>(driver, "GET", "/v1/drivers/me/work"));
      const offer = offers.find((each) => each.orderId === orderId);
      if (offer !== undefined) {
        await call(driver, "POST", `/v1/drivers/me/offers/${offer.offerId}/accept`, {});
        break;
      }
      if (OVER.has((await view(orderId)).status)) return;
      await sleep(clock, 20);
    }
    for (const step of ["pickup", "deliver"]) {
      while (!(await call(driver, "POST", `/v1/drivers/me/orders/${orderId}/${step}`, {})).ok) {
        if (OVER.has((await view(orderId)).status)) return;
        await sleep(clock, 20);
      }
    }
    await until(orderId, () => false);
  }

  async function lane(number: number): Promise<void> {
    for (let n = next++; n < orders; n = next++) {
      const random = seededRandom(seed * 100_003 + n);
      const orderId = await place(number, n, random);
      // One customer in thirty changes their mind, at any moment of the payment.
      if (random.next() < 0.033) {
        await sleep(clock, random.next() * 60);
        await call(`customer-${number}`, "POST", `/v1/orders/${orderId}/cancel`, { reason: "changed my mind" });
      }
      const order = await until(orderId, ({ status }) => status === "confirmed");
      if (order.status === "confirmed") await deliver(number, n, orderId);
      let over = await view(orderId);
      const isCaptured = (): boolean => over.timeline.some(({ kind }) => kind === "payment_captured");
      for (; over.status === "delivered" && !isCaptured(); over = await view(orderId)) await sleep(clock, 50);
      if (over.status === "delivered" && random.next() < 0.08) {
        const amountMinor = Math.ceil(over.totals.totalMinor * random.next()) || 1;
        const refund = { amountMinor, reason: "cold soup", ...(n % 2 === 0 ? { bearer: "restaurant" } : {}) };
        await must(call("admin-0", "POST", `/v1/orders/${orderId}/refund`, refund));
        while (((await view(orderId)).refundedMinor ?? 0) < amountMinor) await sleep(clock, 50);
        refunds++;
      }
      seen.set(orderId, await view(orderId));
      if (seen.size % 100 === 0) says(`${seen.size} of ${orders} orders are over`);
    }
  }
  await Promise.all(Array.from({ length: drivers }, (_, number) => lane(number)));

  const period = `from=${startedAt}&to=${clock.now() + 60_000}`;
  let report: Reconciliation;
  do {
    // Until what was given up is voided, and everything is booked.
    await sleep(clock, 100);
    report = await must(call<Reconciliation>("admin-0", "GET", `/v1/ledger/reconciliation?${period}`));
  } while (report.waitingFacts > 0 || report.currencies.some(({ heldCount }) => heldCount > 0));
  const reports = <R>(role: string, count: number, path: string): Promise<R[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => must(call<R>(`${role}-${n}`, "GET", `${path}?${period}`))));

  const entries = await readSandboxLedger(ledgerFile);
  const held = [...authorisationsOf(entries).values()];
  const kept = held.filter(({ voided, authorisedMinor }) => !voided && authorisedMinor > 0);
  const views = [...seen.values()];
  const statuses: Record<string, number> = {};
  for (const { status } of views) statuses[status] = (statuses[status] ?? 0) + 1;
  const delivered = views.filter(({ status }) => status === "delivered");
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  return {
    statuses,
    refunds,
    webhooksTold: entries.length,
    report,
    statements: await reports<RestaurantStatement>("restaurant", RESTAURANTS, "/v1/restaurants/me/statement"),
    earnings: await reports<DriverEarnings>("driver", drivers, "/v1/drivers/me/earnings"),
    seenMinor: sum(delivered.map(({ totals, refundedMinor = 0 }) => totals.totalMinor - refundedMinor)),
    seenTipsMinor: sum(delivered.map(({ totals }) => totals.tipMinor)),
    bankMinor: sum(held.map(({ capturedMinor, refundedMinor }) => capturedMinor - refundedMinor)),
    bankHolds: kept.filter(({ capturedMinor }) => capturedMinor === 0).length,
    twiceHeld: kept.length - new Set(kept.map(({ orderId }) => orderId)).size,
    seconds: (clock.monotonic() - started) / 1000,
  };
}

/** What does not agree, in words; empty when everything does, to the cent. */
export function moneyProblems(figures: MoneyFigures): readonly string[] {
  const { report, seenMinor, bankMinor, bankHolds, twiceHeld, statements, earnings, seenTipsMinor } = figures;
  const problems: string[] = [];
  const must = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  must(report.agrees, `${report.differences.length} differences, ${report.refusedFacts} facts that cannot be booked`);
  must(report.inTransit === 0, `${report.inTransit} movements only one side has`);
  const [books] = report.currencies;
  must(report.currencies.length === 1 && books?.currency === "TRY", "another currency");
  const of = (account: string): number => books?.accounts.find((each) => each.account === account)?.amountMinor ?? 0;
  must(books?.sumMinor === 0, `the books sum to ${books?.sumMinor}`);
  must(books?.oursMinor === bankMinor, `our books have ${books?.oursMinor}, the bank ${bankMinor}`);
  must(books?.theirsMinor === bankMinor, `the bank told ${books?.theirsMinor} and wrote ${bankMinor}`);
  must(seenMinor === bankMinor, `customers saw ${seenMinor}, the bank has ${bankMinor}`);
  must(of("provider_clearing") === bankMinor, `clearing has ${of("provider_clearing")}, the bank ${bankMinor}`);
  must(of("customer_receivable") === 0, `customers still owe ${of("customer_receivable")}`);
  must(bankHolds === 0 && books?.heldCount === 0, `${bankHolds} authorisations are still held`);
  must(twiceHeld === 0, `${twiceHeld} orders are held twice`);
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const payout = sum(statements.flatMap(({ totals }) => totals.map(({ payoutMinor }) => payoutMinor)));
  const owed = -of("restaurant_payable") - of("tax");
  must(payout === owed, `statements pay out ${payout}, the books owe ${owed}`);
  const earned = earnings.flatMap(({ totals }) => totals);
  must(sum(earned.map(({ tipMinor }) => tipMinor)) === seenTipsMinor, "drivers have not got their tips in full");
  must(sum(earned.map(({ payMinor }) => payMinor)) === -of("driver_payable"), "drivers' pay is not what is owed");
  return problems;
}
