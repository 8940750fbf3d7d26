/** One instance under one policy: simulated, written, checked, measured. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../../src/lib/clock.js";
import { seededRandom } from "../../src/lib/random.js";
import { defaultMatchingSettings } from "../../src/matching/mod.js";
import { violations } from "./check.js";
import { type Figures, figuresOf } from "./figures.js";
import { type Instance, readInstance, someCouriers } from "./instance.js";
import { greedyPolicy, matchingPolicy, settingsFor } from "./policies.js";
import { type Policy, simulate } from "./simulate.js";
import { solutionFiles } from "./solution.js";
import { asItWent, calmWorld, noisyWorld } from "./world.js";

export const POLICIES = ["matching", "no-bundling", "greedy"] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface Task {
  readonly folder: string;
  readonly name: string;
  readonly policy: PolicyName;
  readonly noise: boolean;
  /** The part of the couriers that is kept. */
  readonly couriers: number;
  readonly seed: number;
  /** Where the three files go, in a folder named after the instance; nowhere when null. */
  readonly out: string | null;
}

export interface Outcome {
  readonly name: string;
  readonly policy: PolicyName;
  readonly noise: boolean;
  readonly orders: number;
  readonly couriers: number;
  readonly figures: Figures;
  /** Broken rules. */
  readonly violations: readonly string[];
}

export async function runTask(
  { folder, name, policy, noise, couriers, seed, out }: Task,
  clock: Clock,
): Promise<Outcome> {
  const instance = someCouriers(await readInstance(folder, name), couriers, seededRandom(seed));
  const world = noise ? noisyWorld(instance, seededRandom(seed + 1)) : calmWorld();
  const { assignments, decisionMs } = simulate(instance, policyFor(policy, instance, seed, noise), world, clock);
  const went = asItWent(instance, world);
  const files = solutionFiles(went, assignments);
  if (out !== null) {
    const target = path.join(out, name);
    await mkdir(target, { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(target, file), text);
  }
  return {
    name,
    policy,
    noise,
    orders: instance.orders.length,
    couriers: instance.couriers.length,
    figures: figuresOf(went, assignments, decisionMs),
    violations: violations(went, files, noise ? "as it went" : "as planned"),
  };
}

function policyFor(name: PolicyName, instance: Instance, seed: number, noise: boolean): Policy {
  const acceptance = noise ? "learned" : "certain";
  const settings = settingsFor(instance, defaultMatchingSettings);
  switch (name) {
    case "matching":
      return matchingPolicy(instance, settings, seed, acceptance);
    case "no-bundling":
      return matchingPolicy(instance, { ...settings, trips: { ...settings.trips, mostOrders: 1 } }, seed, acceptance);
    case "greedy":
      return greedyPolicy(instance);
  }
}
