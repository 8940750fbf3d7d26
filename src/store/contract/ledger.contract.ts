/** What every store of the books keeps. `make` gives books that are fed by the flushes of the actor store beside them. */
import type { Test } from "tap";
import type { ActorStore } from "../../actors/runtime/ports.js";
import type { Booking, LedgerStore } from "../../services/ledger/ports.js";
import { batch, bytes, write } from "./batches.js";

export type MakeLedger = (t: Test) => Promise<{ readonly store: ActorStore; readonly ledger: LedgerStore }>;

const ALL = { from: 0, to: 1e15 };

const capture = (orderId: string, amountMinor: number, at: number): Booking => ({
  key: `${orderId}:capture:1`,
  kind: "capture",
  orderId,
  currency: "COP",
  at,
  note: "",
  entries: [
    { account: "provider_clearing", party: "", item: "capture", amountMinor },
    { account: "customer_receivable", party: "c", item: "capture", amountMinor: -amountMinor },
  ],
});
const tip = (orderId: string, driverId: string, amountMinor: number, at: number, currency = "COP"): Booking => ({
  key: `${orderId}:sale`,
  kind: "sale",
  orderId,
  currency,
  at,
  note: "",
  entries: [
    { account: "customer_receivable", party: "c", item: "total", amountMinor },
    { account: "tips", party: driverId, item: "tip", amountMinor: -amountMinor },
  ],
});

export async function ledgerContract(t: Test, make: MakeLedger): Promise<void> {
  await t.test(
    "R-PAY-2: events that carry money wait to be booked, as they were committed, others do not",
    async (t) => {
      const { store, ledger } = await make(t);
      const epochs = await store.claimShards("node", [0]);
      const event = (offset: number, type: string) => ({ offset, type, at: 10 + offset, body: bytes({ offset }) });
      const events = [event(1, "order.placed"), event(2, "order.delivered"), event(3, "order.payment_captured")];
      await store.flush(
        batch(epochs, [write("o", { events }), write("z", { kind: "zone", events: [event(1, "order.delivered")] })]),
      );
      const refund = event(4, "order.payment_refunded");
      await store.flush(batch(epochs, [write("o", { expectedSeq: 1, events: [refund] })]));
      const waiting = await ledger.pending(10);
      t.strictSame(
        waiting.map(({ key, offset, at, body }) => ({ key, offset, at, body: [...body] })),
        [2, 3, 4].map((offset) => ({ key: "o", offset, at: 10 + offset, body: [...bytes({ offset })] })),
      );
      t.equal((await ledger.pending(2)).length, 2);
      t.strictSame(await ledger.backlog(), { waiting: 3, refused: 0 });
      const [first, second] = waiting;
      t.equal(await ledger.book([capture("o", 5, 1)], [first!.id], [{ id: second!.id, reason: "no sense" }]), 1);
      t.strictSame(await ledger.backlog(), { waiting: 1, refused: 1 });
      t.strictSame(
        (await ledger.pending(10)).map(({ offset }) => offset),
        [4],
      );
    },
  );

  await t.test("R-PAY-2: what is told again is booked once, also by two at once", async (t) => {
    const { ledger } = await make(t);
    const both = await Promise.all([
      ledger.book([capture("o", 5, 1)], [], []),
      ledger.book([capture("o", 5, 1)], [], []),
    ]);
    t.equal(both.filter((booked) => booked === 1).length, 1);
    t.equal(await ledger.book([capture("o", 7, 2), capture("p", 3, 3)], [], []), 1, "the first word stays");
    t.strictSame(
      (await ledger.cash(ALL, null, 10)).map(({ key, amountMinor }) => [key, amountMinor]),
      [
        ["o:capture:1", 5],
        ["p:capture:1", 3],
      ],
    );
  });

  await t.test("RULE 9: a transaction that does not sum to zero is refused, and everything with it", async (t) => {
    const { store, ledger } = await make(t);
    const epochs = await store.claimShards("node", [0]);
    await store.flush(
      batch(epochs, [write("o", { events: [{ offset: 1, type: "order.delivered", at: 1, body: bytes({}) }] })]),
    );
    const [fact] = await ledger.pending(1);
    const skewed = capture("bad", 5, 1);
    const wrong = { ...skewed, entries: skewed.entries.map((entry, line) => ({ ...entry, amountMinor: 5 + line })) };
    await t.rejects(ledger.book([capture("good", 5, 1), wrong], [fact!.id], []), {
      name: "BookingRefused",
      message: /sum to zero/,
    });
    await t.rejects(ledger.book([{ ...skewed, entries: [] }], [], []), { name: "BookingRefused" });
    const [first] = skewed.entries;
    await t.rejects(ledger.book([{ ...skewed, entries: [{ ...first!, amountMinor: 0 }] }], [], []), {
      name: "BookingRefused",
    });
    t.strictSame(await ledger.cash(ALL, null, 10), []);
    t.equal((await ledger.pending(10)).length, 1, "its fact still waits");
  });

  await t.test("R-PAY-2: each party's movements and sums by account, item, currency and period", async (t) => {
    const { ledger } = await make(t);
    await ledger.book(
      [tip("a", "d1", 100, 10), tip("b", "d1", 50, 20), tip("c", "d1", 7, 30, "EUR"), tip("d", "d2", 9, 15)],
      [],
      [],
    );
    t.strictSame(
      (await ledger.movements(["tips"], "d1", ALL, 10)).map(({ orderId, amountMinor, currency }) => [
        orderId,
        amountMinor,
        currency,
      ]),
      [
        ["c", -7, "EUR"],
        ["b", -50, "COP"],
        ["a", -100, "COP"],
      ],
    );
    t.equal((await ledger.movements(["tips"], "d1", ALL, 2)).length, 2);
    t.strictSame(
      (await ledger.sums(["tips", "driver_payable"], "d1", { from: 10, to: 30 })).map((sum) => ({ ...sum })),
      [{ currency: "COP", account: "tips", item: "tip", amountMinor: -150, count: 2 }],
    );
    t.strictSame(await ledger.sums(["tips"], "nobody\u0000", ALL), []);
    t.strictSame(
      (await ledger.balances({ from: 0, to: 30 })).map((balance) => ({ ...balance })),
      [
        { account: "customer_receivable", currency: "COP", amountMinor: 159 },
        { account: "tips", currency: "COP", amountMinor: -159 },
      ],
    );
  });

  await t.test("R-PAY-2: a delivery stands in the books whatever it paid", async (t) => {
    const { ledger } = await make(t);
    const tipped = tip("a", "d1", 100, 10);
    const unpaid = { account: "driver_payable", party: "d1", item: "pay", amountMinor: 0 } as const;
    await ledger.book([{ ...tipped, entries: [...tipped.entries, unpaid] }], [], []);
    t.match(await ledger.sums(["driver_payable"], "d1", ALL), [{ item: "pay", amountMinor: 0, count: 1 }]);
    t.match(await ledger.movements(["driver_payable"], "d1", ALL, 10), [{ orderId: "a", amountMinor: 0 }]);
  });

  await t.test("R-PAY-2: cash comes page by page, and by key", async (t) => {
    const { ledger } = await make(t);
    await ledger.book(
      Array.from({ length: 7 }, (_, n) => capture(`o${n}`, n + 1, 100 + Math.floor(n / 3))),
      [],
      [],
    );
    const seen: string[] = [];
    for (let after: { at: number; key: string } | null = null; ; ) {
      const page: Awaited<ReturnType<LedgerStore["cash"]>> = await ledger.cash({ from: 100, to: 102 }, after, 2);
      seen.push(...page.map(({ key }) => key));
      const last = page.at(-1);
      if (last === undefined) break;
      after = { at: last.at, key: last.key };
    }
    t.strictSame(
      seen,
      Array.from({ length: 6 }, (_, n) => `o${n}:capture:1`),
    );
    t.strictSame(
      (await ledger.cashOf(["o6:capture:1", "o1:capture:1", "nothing", "\u0000"])).map(({ orderId }) => orderId),
      ["o1", "o6"],
    );
  });
}
