/** Money from the tap to the books, over HTTP, with a bank in every mood. The benchmark does it with a thousand orders. */
import t from "tap";
import { moneyProblems, runMoney } from "./support/money.js";

t.test(
  "R-PAY-1, R-PAY-2, R-PAY-3, rules 2, 8, 9: whatever the bank does, our books and its own agree to the cent and sum to zero",
  { timeout: 120_000 },
  async (t) => {
    const figures = await runMoney({ orders: 32, drivers: 16, seed: 3, lateMs: 1_000 });
    t.strictSame(moneyProblems(figures), []);
    t.equal(
      Object.values(figures.statuses).reduce((sum, count) => sum + count, 0),
      32,
      "one order for each tap, however often it came",
    );
    t.ok((figures.statuses.delivered ?? 0) > 16);
    t.ok(figures.report.matched > 16);
  },
);
