/**
 * The matching, measured on instances of the Meal Delivery Routing Problem.
 *
 *   npm run dispatch-bench -- --instances DIR [--out DIR] [--noise] [--couriers 0.7] [--json FILE] [--processes N]
 *
 * Ends with status 0 only when every solution keeps every rule.
 */
import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../src/lib/clock.js";
import { meanFigures } from "./figures.js";
import { instanceNames } from "./instance.js";
import { runAll, serveTasks } from "./processes.js";
import { describe, LEGEND, meanReference, readReference, tableHead, tableLine } from "./report.js";
import { type Outcome, POLICIES, type PolicyName, type Task } from "./run-instance.js";

interface Options {
  readonly instances: string;
  readonly out?: string;
  readonly noise: boolean;
  readonly couriers: number;
  readonly json?: string;
  readonly processes: number;
  readonly only: string;
  readonly seed: number;
  readonly policies?: readonly PolicyName[];
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (process.argv[2] === "--serve-tasks") serveTasks(systemClock());
else process.exitCode = await main(readOptions(process.argv));

function readOptions(argv: readonly string[]): Options {
  const number = (least: number, most: number) => (text: string) => {
    const value = Number(text);
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`);
    return value;
  };
  const policies = (text: string): readonly PolicyName[] =>
    text.split(",").map((name) => {
      const known = POLICIES.find((policy) => policy === name);
      if (known === undefined) throw new InvalidArgumentError(`Give some of ${POLICIES.join(",")}.`);
      return known;
    });
  return new Command("dispatch-bench")
    .description("The matching on instances of the Meal Delivery Routing Problem, beside reference figures.")
    .requiredOption("--instances <folder>", "a folder with one folder for each instance")
    .option("--out <folder>", "write the three solution files of each instance there")
    .option("--noise", "preparation times scatter, couriers decline or let offers run out; beside greedy", false)
    .option("--couriers <part>", "keep only this part of the couriers; beside no-bundling", number(0.01, 1), 1)
    .option("--json <file>", "write the figures there")
    .option("--processes <count>", "work on so many instances at once", number(1, 64), 1)
    .option("--only <pattern>", "only instances whose name fits this regular expression", "")
    .option(
      "--policies <list>",
      "instead of what the other options suggest; the first is the one that is reported",
      policies,
    )
    .option("--seed <number>", "of every random choice", number(0, 2 ** 31), 1)
    .parse(argv)
    .opts<Options>();
}

async function main(options: Options): Promise<number> {
  const { instances, out = null, noise, couriers, json, processes, only, seed } = options;
  const names = (await instanceNames(instances)).filter((name) => new RegExp(only).test(name));
  if (names.length === 0) throw new Error(`no instance in ${instances} fits ${only}`);
  const reference = await readReference(instances);
  const policies: readonly PolicyName[] =
    options.policies ?? (noise ? ["matching", "greedy"] : couriers < 1 ? ["matching", "no-bundling"] : ["matching"]);
  const [reported] = policies as readonly [PolicyName];
  // Under noise each policy also runs without, so that what the noise costs can be seen.
  const variants = policies.flatMap((policy) =>
    (noise ? [true, false] : [false]).map((noisy) => ({ policy, noise: noisy })),
  );
  const tasks = variants.flatMap((variant) =>
    names.map(
      (name): Task => ({
        folder: instances,
        name,
        ...variant,
        couriers,
        seed,
        out: variant.policy === reported && variant.noise === noise ? out : null,
      }),
    ),
  );

  const beside = couriers === 1 && !noise ? reference : new Map<string, ReadonlyMap<string, number>>();
  say(`${LEGEND}\n`);
  say(tableHead(beside.size > 0));
  const outcomes = await runAll(tasks, processes, ({ name, policy, noise: noisy, figures }) => {
    if (policy === reported && noisy === noise) say(tableLine(name, figures, beside.get(name)));
  });
  const of = (policy: PolicyName, noisy: boolean): readonly Outcome[] =>
    outcomes.filter((outcome) => outcome.policy === policy && outcome.noise === noisy);
  say("");
  say(tableHead(beside.size > 0));
  const variantsMeans = variants.map(({ policy, noise: noisy }) => {
    const mean = meanFigures(of(policy, noisy).map(({ figures }) => figures));
    const own = policy === reported && noisy === noise;
    say(tableLine(`${policy}${noisy ? ", noise" : ""}`, mean, own ? meanReference(beside, names) : undefined));
    return { policy, noise: noisy, mean };
  });
  say("");
  const infeasible = outcomes.filter(({ violations }) => violations.length > 0);
  for (const outcome of infeasible) say(describe(outcome));
  say(`${outcomes.length - infeasible.length} of ${outcomes.length} solutions keep every rule`);
  if (json !== undefined) {
    const result = {
      instances: of(reported, noise).map(({ name, orders, couriers: count, figures, violations }) => ({
        name,
        orders,
        couriers: count,
        ...figures,
        violations,
      })),
      mean: variantsMeans.find(({ policy, noise: noisy }) => policy === reported && noisy === noise)!.mean,
      infeasible: infeasible.length,
      variants: variantsMeans,
      couriers,
      seed,
    };
    await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
  }
  return infeasible.length === 0 ? 0 : 1;
}
