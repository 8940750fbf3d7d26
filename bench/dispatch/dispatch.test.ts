import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { seededRandom } from "../../src/lib/random.js";
import { defaultMatchingSettings } from "../../src/matching/mod.js";
import { violations } from "./check.js";
import { figuresOf, quantile } from "./figures.js";
import { town, writeTown } from "./fixtures/town.js";
import { instanceNames, parseTable, readInstance, someCouriers } from "./instance.js";
import { greedyPolicy, matchingPolicy, settingsFor } from "./policies.js";
import { runAll } from "./processes.js";
import type { Task } from "./run-instance.js";
import { type Policy, simulate } from "./simulate.js";
import { solutionFiles } from "./solution.js";
import { asItWent, calmWorld, noisyWorld } from "./world.js";

const clock = systemClock();
const busy = town("busy", 3);
const matching = (instance = busy): Policy =>
  matchingPolicy(instance, settingsFor(instance, defaultMatchingSettings), 1, "certain");

t.test("R-DSP-8: an instance is read as it was written; what is missing is named", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "swift-eats-dispatch-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await t.rejects(instanceNames(folder), /holds no folder with orders.txt/);
  await writeTown(folder, busy);
  t.strictSame(await instanceNames(folder), ["busy"]);
  t.strictSame(await readInstance(folder, "busy"), busy);
  t.throws(() => parseTable("a\tb\n1\t\n", "f")[0]?.number("b"), /f: line 2 has no b/);
  t.throws(() => parseTable("a\n\nx\n", "f")[0]?.number("a"), /f: line 3: a is not a number/);
});

t.test("R-DSP-8: a policy sees nothing that is not known yet", async (t) => {
  const orders = new Map(busy.orders.map((order) => [order.id, order]));
  const policy = matching();
  let asked = 0;
  simulate(
    busy,
    (view) => {
      asked++;
      for (const { id, placement } of view.open) {
        if (placement > view.now || orders.get(id)?.placement !== placement) t.fail(`${id} is seen at ${view.now}`);
      }
      return policy(view);
    },
    calmWorld(),
    clock,
  );
  t.ok(asked > 60, `asked ${asked} times`);
  // Whatever comes later changes nothing of what was decided before.
  const cut = 80;
  const until = { ...busy, orders: busy.orders.filter(({ placement }) => placement <= cut) };
  const early = (instance: typeof busy) =>
    simulate(instance, matching(instance), calmWorld(), clock).assignments.filter(({ assigned }) => assigned <= cut);
  t.strictSame(early(until), early(busy));
});

t.test("R-DSP-3: bundles save orders where couriers are short, and every solution keeps every rule", async (t) => {
  const few = someCouriers(busy, 0.5, seededRandom(1));
  t.equal(few.couriers.length, 6);
  const settings = settingsFor(few, defaultMatchingSettings);
  const single = { ...settings, trips: { ...settings.trips, mostOrders: 1 } };
  const run = (policy: Policy) => {
    const { assignments, decisionMs } = simulate(few, policy, calmWorld(), clock);
    t.strictSame(violations(few, solutionFiles(few, assignments)), []);
    return figuresOf(few, assignments, decisionMs);
  };
  const shared = run(matchingPolicy(few, settings, 1, "certain"));
  const alone = run(matchingPolicy(few, single, 1, "certain"));
  const greedy = run(greedyPolicy(few));
  t.ok(shared.ordersPerBundle > 1.2 && alone.ordersPerBundle === 1);
  t.ok(shared.undeliveredPct < alone.undeliveredPct / 2, `${shared.undeliveredPct} % beside ${alone.undeliveredPct} %`);
  t.ok(
    shared.undeliveredPct < greedy.undeliveredPct / 2,
    `${shared.undeliveredPct} % beside ${greedy.undeliveredPct} %`,
  );
});

t.test("R-DSP-4: under noise offers are declined and run out, and the trips still keep the rules", async (t) => {
  const world = noisyWorld(busy, seededRandom(2));
  let offers = 0;
  const spied = {
    ...world,
    answer: (courier: string) => {
      offers++;
      return world.answer(courier);
    },
  };
  const policy = matchingPolicy(busy, settingsFor(busy, defaultMatchingSettings), 1, "learned");
  const { assignments } = simulate(busy, policy, spied, clock);
  const went = asItWent(busy, world);
  t.notSame(went.orders, busy.orders);
  t.ok(offers > assignments.length, "some offers were not accepted");
  t.strictSame(violations(went, solutionFiles(went, assignments), "as it went"), []);
});

t.test("R-DSP-8: the figures are what the definitions say", async (t) => {
  const instance = { ...town("two", 1, 3, 2), targetMinutes: 20 };
  const [a, b] = instance.orders as [(typeof instance.orders)[0], (typeof instance.orders)[0]];
  const stops = [
    { order: a.id, departure: 0, dropoff: a.placement + 10 },
    { order: b.id, departure: 0, dropoff: b.placement + 30 },
  ];
  const trip = { courier: "c1", restaurant: "r1", assigned: 0, departure: 0, pickup: 200, stops };
  const figures = figuresOf(instance, [trip], [1, 3]);
  const shift = ({ on, off }: { on: number; off: number }): number => ((off - on) / 60) * 15;
  const [c1, c2] = instance.couriers as [(typeof instance.couriers)[0], (typeof instance.couriers)[0]];
  t.match(figures, {
    clickToDoorMin: 20,
    clickToDoorP90Min: 28,
    overageMin: 5,
    readyToPickupMin: 200 - (a.ready + b.ready) / 2,
    costPerOrder: (Math.max(20, shift(c1)) + shift(c2)) / 2,
    ordersPerBundle: 2,
  });
  t.equal(figures.undeliveredPct.toFixed(6), (100 / 3).toFixed(6));
  t.equal(quantile([], 0.9), 0);
});

t.test(
  "R-DSP-8: several processes give what one gives, and the program writes files, figures and a status",
  async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "swift-eats-dispatch-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const instances = path.join(folder, "instances");
    await writeTown(instances, town("a", 4, 25, 8));
    await writeTown(instances, town("b", 5, 25, 8));
    const json = path.join(folder, "figures.json");
    const out = path.join(folder, "out");
    const main = fileURLToPath(new URL("main.js", import.meta.url));
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [
      main,
      ...["--instances", instances, "--out", out, "--json", json, "--processes", "2"],
    ]);
    t.match(stdout, "2 of 2 solutions keep every rule");
    const written = JSON.parse(await readFile(json, "utf8"));
    t.match(written, { infeasible: 0, instances: [{ name: "a" }, { name: "b" }], mean: { ordersPerBundle: Number } });
    const task = (name: string): Task => ({
      folder: instances,
      name,
      policy: "matching",
      noise: false,
      couriers: 1,
      seed: 1,
      out: null,
    });
    const [here] = await runAll([task("a")], 1, () => {});
    const { decisionMsP99: _, ...figures } = here!.figures;
    t.match(written.instances[0], figures);
    t.strictSame((await readdir(path.join(out, "a"))).sort(), [
      "solution_info_assignments.txt",
      "solution_info_couriers.txt",
      "solution_info_orders.txt",
    ]);
    await t.rejects(run(process.execPath, [main, "--instances", folder]), { code: 1 });
    await t.rejects(
      runAll([task("a"), task("missing")], 2, () => {}),
      /missing: .*ENOENT/,
    );
  },
);
