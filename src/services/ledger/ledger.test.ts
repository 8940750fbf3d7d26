import fc from "fast-check";
import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { recordingLog, silentLog } from "../../lib/log.js";
import { encode } from "../../lib/msgpack.js";
import type { MoneyFact, OrderTotals } from "../../protocol/mod.js";
import { createMemoryActorStore } from "../../store/memory/mod.js";
import {
  bookingOf,
  createBookkeeper,
  createDeliveries,
  createLedgerReports,
  FactRefused,
  ledgerOperations,
} from "./mod.js";
import { BookingRefused, type LedgerStore, type PendingFact } from "./ports.js";
import type { ProviderSide, ProviderSideMovement } from "./reconciliation.js";

const clock = systemClock({ keepAlive: false });
const ALL = { from: 0, to: 1e12 };
const totals = (changes: Partial<OrderTotals> = {}): OrderTotals => {
  const all = {
    currency: "COP",
    itemsMinor: 1_000,
    feeMinor: 300,
    taxMinor: 80,
    tipMinor: 50,
    discountMinor: 100,
    ...changes,
  };
  return { ...all, totalMinor: all.itemsMinor + all.feeMinor + all.taxMinor + all.tipMinor - all.discountMinor };
};
const sale = (orderId: string, changes: Partial<OrderTotals> = {}): MoneyFact => ({
  fact: "sale",
  key: `${orderId}:sale`,
  orderId,
  customerId: "c",
  restaurantId: "r",
  driverId: "d",
  totals: totals(changes),
  driverPayMinor: 450,
  commissionMinor: 200,
  distanceMeters: 1,
});
const capture = (orderId: string, amountMinor: number): MoneyFact => ({
  fact: "capture",
  key: `${orderId}:capture:1`,
  orderId,
  customerId: "c",
  amountMinor,
  currency: "COP",
});
const refund = (orderId: string, amountMinor: number, bearer: "platform" | "restaurant"): MoneyFact => ({
  fact: "refund",
  key: `${orderId}:refund:1`,
  orderId,
  customerId: "c",
  restaurantId: "r",
  amountMinor,
  currency: "COP",
  bearer,
  reason: "cold",
});

/** Books whose inbox holds these facts, each an event of its order. */
function booksWith(facts: readonly { readonly orderId: string; readonly body: unknown }[]): LedgerStore {
  const books = createMemoryActorStore({ clock }).ledger();
  const inbox = new Map<number, PendingFact>(
    facts.map(({ orderId, body }, n) => [n + 1, { id: n + 1, key: orderId, offset: 1, at: n + 1, body: encode(body) }]),
  );
  return {
    ...books,
    pending: async (limit) => [...inbox.values()].slice(0, limit),
    backlog: async () => ({ ...(await books.backlog()), waiting: inbox.size }),
    async book(bookings, done, refused) {
      const booked = await books.book(bookings, [], []);
      for (const id of [...done, ...refused.map((each) => each.id)]) inbox.delete(id);
      return booked;
    },
  };
}
const eventsOf = (facts: readonly MoneyFact[]) => facts.map((money) => ({ orderId: money.orderId, body: { money } }));

async function bookedBy(store: LedgerStore, log = silentLog): Promise<ReturnType<typeof createBookkeeper>> {
  const bookkeeper = createBookkeeper({ store, clock, log, settings: { batch: 3 } });
  await bookkeeper.work();
  await bookkeeper.stop();
  return bookkeeper;
}

t.test("RULE 9: whatever an order cost, its bookings sum to zero", async (t) => {
  const amount = fc.nat(1_000_000);
  fc.assert(
    fc.property(
      fc.record({ itemsMinor: amount, feeMinor: amount, taxMinor: amount, tipMinor: amount }),
      amount,
      (parts, off) => {
        const fact = sale("o", { ...parts, discountMinor: Math.min(off, parts.itemsMinor) });
        const { entries } = bookingOf(fact, 1);
        return (
          entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0) === 0 &&
          entries.every((e) => e.amountMinor !== 0 || e.account === "driver_payable")
        );
      },
    ),
    { numRuns: 300 },
  );
  t.throws(() => bookingOf({ ...sale("o"), totals: { ...totals(), totalMinor: 1 } } as MoneyFact, 1), FactRefused);
  t.throws(() => bookingOf(capture("o", 0.5), 1), FactRefused);
  t.throws(() => bookingOf({ fact: "gift" } as unknown as MoneyFact, 1), FactRefused);
});

t.test("R-PAY-2: facts are booked in batches; what cannot be is put aside and holds nobody up", async (t) => {
  const log = recordingLog();
  const store = booksWith([
    ...eventsOf([sale("a"), capture("a", 1_330), sale("b"), capture("b", 1_330)]),
    { orderId: "old", body: { orderId: "old" } },
    { orderId: "x", body: { money: sale("another") } },
    { orderId: "y", body: { money: { ...sale("y"), totals: null } } },
    ...eventsOf([sale("z")]),
  ]);
  const bookkeeper = await bookedBy(store, log);
  t.match(bookkeeper.stats(), { booked: 5, refused: 2 });
  t.equal(log.lines.filter(({ level }) => level === "error").length, 2);
  t.strictSame(await store.pending(10), []);
});

t.test("R-PAY-2: an order that cost nothing moves no account and holds nobody up", async (t) => {
  const store = booksWith(eventsOf([capture("free", 0), sale("paid"), capture("paid", 1_330)]));
  t.match((await bookedBy(store)).stats(), { booked: 2, refused: 0 });
  t.strictSame(await store.pending(10), []);
  const provider = providerWith([moved(1, "free:capture:1", 0), moved(2, "paid:capture:1", 1_330)]);
  const report = await createLedgerReports({ store, provider, clock, graceMs: 0 }).reconciliation(ALL);
  t.match(report, { agrees: true, matched: 1, waitingFacts: 0 });
});

t.test("R-PAY-2: what breaks the books' own rules is put aside by itself, and holds nobody up", async (t) => {
  const books = booksWith(eventsOf([sale("a"), capture("bad", 5), capture("a", 1_330), sale("b")]));
  const store: LedgerStore = {
    ...books,
    async book(bookings, done, refused) {
      if (bookings.some(({ orderId }) => orderId === "bad")) throw new BookingRefused("no such currency");
      return books.book(bookings, done, refused);
    },
  };
  const log = recordingLog();
  t.match((await bookedBy(store, log)).stats(), { booked: 3, refused: 1 });
  t.match(
    log.lines.filter(({ level }) => level === "error"),
    [{ fields: { order: "bad", reason: "no such currency" } }],
  );
  t.strictSame(await store.pending(10), []);
});

t.test("R-PAY-2: a bookkeeper that cannot write leaves everything where it was, and says so once", async (t) => {
  const store = booksWith(eventsOf([sale("a")]));
  const broken = { ...store, book: () => Promise.reject(new Error("the database is away")) };
  const bookkeeper = createBookkeeper({ store: broken, clock, log: silentLog });
  await t.rejects(bookkeeper.work(), /away/);
  await bookkeeper.stop();
  t.equal((await store.pending(10)).length, 1);
  t.match((await bookedBy(store)).stats(), { booked: 1 });
  const busy = createBookkeeper({ store: { ...store, book: async () => null }, clock, log: silentLog });
  t.equal(await busy.work(), 0, "another node is at it");
  await busy.stop();
});

const nothing: ProviderSide = { movements: async () => [], movementsOf: async () => [], held: async () => [] };

t.test("R-PAY-2: a driver's earnings, with tips in full, and a restaurant's statement", async (t) => {
  const store = booksWith(
    eventsOf([sale("a"), sale("b", { tipMinor: 0 }), capture("a", 1_330), refund("a", 300, "restaurant")]),
  );
  await bookedBy(store);
  const reports = createLedgerReports({ store, provider: nothing, clock, graceMs: 0 });
  t.strictSame(await reports.earnings("d", ALL, 10), {
    ...ALL,
    totals: [{ currency: "COP", deliveries: 2, payMinor: 900, tipMinor: 50, totalMinor: 950 }],
    deliveries: [
      { orderId: "b", at: 2, currency: "COP", payMinor: 450, tipMinor: 0, totalMinor: 450 },
      { orderId: "a", at: 1, currency: "COP", payMinor: 450, tipMinor: 50, totalMinor: 500 },
    ],
  });
  t.same((await reports.earnings("another", ALL, 10)).totals, []);
  const statement = await reports.statement("r", ALL, 10);
  t.strictSame(statement.totals, [
    {
      currency: "COP",
      orders: 2,
      itemsMinor: 2_000,
      taxMinor: 160,
      commissionMinor: 400,
      refundsMinor: 300,
      payoutMinor: 1_460,
    },
  ]);
  t.match(statement.lines, [
    { orderId: "a", kind: "refund", note: "cold", refundsMinor: 300, payoutMinor: -300 },
    { orderId: "b", kind: "order", payoutMinor: 880 },
    { orderId: "a", kind: "order", itemsMinor: 1_000, commissionMinor: 200, payoutMinor: 880 },
  ]);
});

t.test("R-PAY-2, R-ACC-4: a delivery that pays its driver nothing is the driver's all the same", async (t) => {
  // Paid by the hour: the market's driver pay is 0.
  const byTheHour = (orderId: string, tipMinor: number): MoneyFact =>
    ({ ...sale(orderId, { tipMinor }), driverPayMinor: 0 }) as MoneyFact;
  const store = booksWith(eventsOf([byTheHour("a", 0), byTheHour("b", 70)]));
  await bookedBy(store);
  const reports = createLedgerReports({ store, provider: nothing, clock, graceMs: 0 });
  t.strictSame(await reports.earnings("d", ALL, 10), {
    ...ALL,
    totals: [{ currency: "COP", deliveries: 2, payMinor: 0, tipMinor: 70, totalMinor: 70 }],
    deliveries: [
      { orderId: "b", at: 2, currency: "COP", payMinor: 0, tipMinor: 70, totalMinor: 70 },
      { orderId: "a", at: 1, currency: "COP", payMinor: 0, tipMinor: 0, totalMinor: 0 },
    ],
  });
  const delivered: string[] = [];
  const pages = await createDeliveries(store, clock).deliveredBy("d", 1_000);
  for await (const page of pages!) delivered.push(...page);
  t.strictSame(delivered.sort(), ["a", "b"], "their name is taken out of these when they are erased");
});

const moved = (number: number, key: string, amountMinor: number, changes: Partial<ProviderSideMovement> = {}) => ({
  number,
  key,
  orderId: key.split(":")[0]!,
  kind: "capture" as const,
  currency: "COP",
  amountMinor,
  at: number,
  ...changes,
});

function providerWith(all: readonly ProviderSideMovement[]): ProviderSide {
  return {
    movements: async ({ from, to }, after, limit) =>
      all.filter(({ at, number }) => at >= from && at < to && number > after).slice(0, limit),
    movementsOf: async (keys) => all.filter(({ key }) => keys.includes(key)),
    held: async () => [{ currency: "COP", count: 1, amountMinor: 7 }],
  };
}

t.test(
  "R-PAY-2: the reconciliation finds what one side lacks, and what differs by a cent; the edge is no difference",
  async (t) => {
    const facts = ["a", "b", "c", "e"].map((orderId) => capture(orderId, 100));
    const store = booksWith(eventsOf([...facts, refund("a", 40, "platform")]));
    await bookedBy(store);
    const provider = providerWith([
      moved(1, "a:capture:1", 100),
      moved(2, "b:capture:1", 99),
      moved(3, "d:capture:1", 100),
      moved(4, "e:capture:1", 100, { at: 2e12 }),
      moved(5, "a:refund:1", 40, { kind: "refund" }),
    ]);
    const report = await createLedgerReports({ store, provider, clock, graceMs: 0 }).reconciliation(ALL);
    t.equal(report.agrees, false);
    t.equal(report.matched, 3, "also what the provider has beyond the period's end");
    t.strictSame(
      report.differences
        .map(({ key, problem, oursMinor, theirsMinor }) => [key, problem, oursMinor, theirsMinor])
        .sort(),
      [
        ["b:capture:1", "amount", 100, 99],
        ["c:capture:1", "missing_there", 100, 0],
        ["d:capture:1", "missing_here", 0, 100],
      ],
    );
    t.match(report.currencies, [{ currency: "COP", oursMinor: 360, sumMinor: 0, heldCount: 1, heldMinor: 7 }]);
    const patient = await createLedgerReports({ store, provider, clock, graceMs: 1e15 }).reconciliation(ALL);
    t.match(patient, { inTransit: 2, differences: { length: 1 } }, "young ones may still arrive; amounts never mend");
  },
);

t.test(
  "R-PAY-2: whatever is booked while a report is made, it says that something waits, or has it in its sums",
  async (t) => {
    const sides = ["held", "movements", "backlog", "cash", "balances"] as const;
    for (const moment of sides) {
      const store = booksWith(eventsOf([sale("a"), capture("a", 1_330)]));
      const provider = providerWith([moved(1, "a:capture:1", 1_330)]);
      // One of the reads arrives late: everything that waits was booked in between.
      const late = <A extends unknown[], R>(name: (typeof sides)[number], read: (...of: A) => Promise<R>) => {
        return async (...of: A): Promise<R> => {
          if (name === moment) await bookedBy(store);
          return read(...of);
        };
      };
      const report = await createLedgerReports({
        store: {
          ...store,
          backlog: late("backlog", store.backlog),
          cash: late("cash", store.cash),
          balances: late("balances", store.balances),
        },
        provider: {
          ...provider,
          held: late("held", provider.held),
          movements: late("movements", provider.movements),
        },
        clock,
        graceMs: 1e15,
      }).reconciliation(ALL);
      const clearing = report.currencies
        .flatMap(({ accounts }) => accounts)
        .find(({ account }) => account === "provider_clearing");
      t.ok(report.waitingFacts > 0 || clearing?.amountMinor === 1_330, `booked just before ${moment} was read`);
    }
  },
);

t.test("R-PRO-2: reports refuse periods that are none, and say when the store is away", async (t) => {
  const store = booksWith([]);
  const reports = createLedgerReports({ store, provider: nothing, clock, graceMs: 0 });
  const handlers = ledgerOperations(reports, clock, async () => true);
  const call = (query: object) =>
    ({ caller: { id: "d", role: "driver" }, query, params: {} }) as unknown as Parameters<
      (typeof handlers)["ledger.earnings"]
    >[0];
  t.match(await handlers["ledger.earnings"](call({})), { ok: true, value: { totals: [] } });
  t.match(await handlers["ledger.earnings"](call({ from: 5, to: 5 })), { code: "invalid", detail: { path: "/from" } });
  t.match(await handlers["ledger.earnings"](call({ from: 0 })), { code: "invalid" }, "more than three months");
  t.match(
    await handlers["ledger.earnings"](call({ to: 5 })),
    { ok: true, value: { from: 0, to: 5 } },
    "no report begins before the times that there are",
  );
  const away = { ...store, sums: () => Promise.reject(new Error("away")) };
  const log = recordingLog();
  const broken = ledgerOperations(
    createLedgerReports({ store: away, provider: nothing, clock, graceMs: 0 }),
    clock,
    async () => true,
    log,
  );
  t.match(await broken["ledger.earnings"](call({})), { code: "unavailable" });
  t.match(log.lines, [{ level: "warn", fields: { error: "Error: away" } }], "and whoever runs it is told why");
});

t.test("R-PRO-1: a statement is of a restaurant that there is, whether or not it has sold anything", async (t) => {
  const store = booksWith(eventsOf([sale("o1")]));
  await bookedBy(store);
  const reports = createLedgerReports({ store, provider: nothing, clock, graceMs: 0 });
  let away = false;
  const handlers = ledgerOperations(reports, clock, async (id) => {
    if (away) throw new Error("away");
    return id === "new";
  });
  const statementOf = async (restaurantId: string) =>
    handlers["ledger.statementOf"]({
      caller: { id: "s", role: "support" },
      query: { from: 0, to: 5 },
      params: { restaurantId },
    } as unknown as Parameters<(typeof handlers)["ledger.statementOf"]>[0]);
  t.match(await statementOf("new"), { ok: true, value: { restaurantId: "new", lines: [] } });
  t.strictSame(await statementOf("nosuch-1"), { ok: false, code: "not_found" });
  t.match(await statementOf("r"), { ok: true, value: { lines: [{ orderId: "o1" }] } }, "who is in the books is one");
  away = true;
  t.match(await statementOf("new"), { code: "unavailable" });
});
