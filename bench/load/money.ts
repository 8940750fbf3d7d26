/**
 * `npm run bench:money -- --orders 1000`: orders from the tap to the books with a bank that declines one in twenty, fails,
 * repeats itself, answers too late and tells by itself late, twice or never. Ends with 1 when anything differs by a cent.
 */
import { Command } from "commander";
import { moneyProblems, runMoney } from "../../test/support/money.js";

const program = new Command("bench:money")
  .option("--orders <count>", "how many", "1000")
  .option("--drivers <count>", "how many at once", "40")
  .option("--seed <number>", "of everything that is drawn", "1");
const { orders, drivers, seed } = program.parse().opts<{ orders: string; drivers: string; seed: string }>();

const figures = await runMoney({
  orders: Number(orders),
  drivers: Number(drivers),
  seed: Number(seed),
  lateMs: 6_000,
  says: (line) => console.error(line),
});
const problems = moneyProblems(figures);
const { statuses, refunds, report, bankMinor, seconds } = figures;
console.log(JSON.stringify({ statuses, refunds, matched: report.matched, bankMinor, seconds, problems }, null, 2));
for (const { account, amountMinor } of report.currencies[0]?.accounts ?? []) console.log(`${account} ${amountMinor}`);
process.exit(problems.length === 0 ? 0 : 1);
