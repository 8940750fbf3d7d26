/** `npm run bench:tablets`: orders pushed to tablets whose sockets drop and whose pages reload; says what became of each. */
import { Command } from "commander";
import { runTablets } from "../../test/support/tablets.js";

const program = new Command()
  .option("--orders <n>", "in all", Number, 1_000)
  .option("--tablets <n>", "one of a restaurant each", Number, 20)
  .option("--drop <ms>", "mean time between two drops of one tablet", Number, 700)
  .option("--reload <ms>", "mean time between two reloads of one tablet", Number, 2_500)
  .option("--at-once <n>", "orders placed at once", Number, 24)
  .option("--seed <n>", "what happens when", Number, 1)
  .parse();
const { orders, tablets, drop, reload, atOnce, seed } = program.opts<{
  orders: number;
  tablets: number;
  drop: number;
  reload: number;
  atOnce: number;
  seed: number;
}>();

const report = await runTablets({
  orders,
  tablets,
  seed,
  dropEveryMs: drop,
  reloadEveryMs: reload,
  atOnce,
  note: (line) => void process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
const wrong = report.never.length + report.twice.length + report.strange.length + report.undelivered.length;
process.exitCode = wrong > 0 || report.lateBeyond5s.length > 0 ? 1 : 0;
