import t from "tap";
import { booksOf, brokenBy, brokenForAuditor } from "./fixtures/clean-world.js";
import type { BookedOrder } from "./mod.js";

const RULE = "rule-09-books-agree";
const BOOKED: BookedOrder = { sales: [1300], captures: [1300], refunds: [] };
const refunded = { orderId: "o-1", kind: "refunded", payment: "p-1", amountMinor: 200, at: 0 } as const;

t.test("RULES 9: books that say what the provider says are right, and without books nothing is said", async (t) => {
  t.strictSame(
    brokenForAuditor(() => {}),
    [],
  );
  t.strictSame(
    brokenBy(() => {}),
    [],
  );
  t.strictSame(
    brokenForAuditor((auditor, world) => {
      auditor.booked = booksOf(world).set("o-1", { ...BOOKED, refunds: [200, 200] });
      world.bookings.push(refunded, refunded);
    }),
    [],
  );
});

t.test("RULES 9: what one side has and the other has not is found", async (t) => {
  const wrong: readonly (readonly [string, BookedOrder | null])[] = [
    ["nothing is booked", null],
    ["a capture is missing", { ...BOOKED, captures: [] }],
    ["a capture is booked twice", { ...BOOKED, captures: [1300, 1300] }],
    ["another amount", { ...BOOKED, captures: [1299] }],
    ["a refund that the provider never gave", { ...BOOKED, refunds: [1] }],
    ["a sale is missing", { ...BOOKED, sales: [] }],
    ["a sale is booked twice", { ...BOOKED, sales: [1300, 1300] }],
    ["a sale for another total", { ...BOOKED, sales: [1000] }],
  ];
  for (const [what, booked] of wrong) {
    const rules = brokenForAuditor((auditor, world) => {
      auditor.booked = booksOf(world);
      if (booked === null) auditor.booked.delete("o-1");
      else auditor.booked.set("o-1", booked);
    });
    t.strictSame(rules, [RULE], what);
  }
  t.strictSame(
    brokenForAuditor((auditor, world) => {
      auditor.booked = booksOf(world);
      world.bookings.push(refunded);
    }),
    [RULE],
    "the provider gave back what is in no book",
  );
});

t.test("RULES 9: accounts that do not sum to zero, and facts that are in no book, are found", async (t) => {
  t.strictSame(
    brokenForAuditor(({ sums }) => sums.set("EUR", 1)),
    [RULE],
  );
  t.strictSame(
    brokenForAuditor((auditor) => {
      auditor.refused = 1;
    }),
    [RULE],
  );
  t.strictSame(
    brokenForAuditor((auditor) => {
      auditor.waiting = 1;
    }),
    [RULE],
  );
});

t.test("RULES 9: while facts are on their way the books may be behind, never ahead", async (t) => {
  t.strictSame(
    brokenForAuditor((auditor, world) => {
      auditor.atRest = false;
      auditor.waiting = 2;
      auditor.booked = booksOf(world);
      auditor.booked.delete("o-1");
    }),
    [],
  );
  t.strictSame(
    brokenForAuditor((auditor, world) => {
      auditor.atRest = false;
      auditor.booked = booksOf(world).set("o-1", { ...BOOKED, captures: [1300, 1300] });
    }),
    [RULE],
  );
});
