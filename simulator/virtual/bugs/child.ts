/**
 * A process whose product is broken in one place after the other: runs seeds until a rule that is meant for the bug finds
 * it, mends the product, and says what it found to its parent.
 */
import { join } from "node:path";
import { runTask } from "../run/runner.js";
import type { Bug } from "./bug.js";
import { BUGS } from "./list.js";
import type { Answer, Found, Request } from "./messages.js";
import { createPlanter, UnderWay } from "./plant.js";

/** A sound world comes to rest in less than half of it; a broken one often never does. */
const CONVERGE_MS = 4 * 60_000;

/** The compiled product of this very build. */
const COMPILED = join(import.meta.dirname, "..", "..", "..");

const planter = await createPlanter();

const judged = ({ focus = [], convergeMs = CONVERGE_MS }: Bug, seed: number) =>
  runTask({ seed, twice: false, stories: false, convergeMs, focus });

function bugOf(name: string): Bug {
  const bug = BUGS.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`there is no bug called "${name}"`);
  return bug;
}

async function search(bug: Bug, seeds: readonly number[]): Promise<Answer> {
  let mend: () => Promise<void>;
  try {
    mend = await planter.plant(bug.patches.map((patch) => ({ ...patch, file: join(COMPILED, patch.file) })));
  } catch (error) {
    if (error instanceof UnderWay) return { t: "under-way" };
    throw error;
  }
  const found = await searchBroken(bug, seeds);
  try {
    await mend();
    return { t: "searched", found, spent: false };
  } catch (error) {
    if (error instanceof UnderWay) return { t: "searched", found, spent: true };
    throw error;
  }
}

/** The rules that find something in a product that nothing was done to. */
async function control(bug: Bug, seed: number): Promise<Answer> {
  const { violations, broke } = await judged(bug, seed);
  return { t: "controlled", rules: [...violations.map(({ rule }) => rule), ...(broke === null ? [] : ["broke off"])] };
}

async function searchBroken(bug: Bug, seeds: readonly number[]): Promise<Found> {
  const others = new Set<string>();
  let broken = 0;
  for (const [index, seed] of seeds.entries()) {
    const { violations, broke } = await judged(bug, seed);
    if (broke !== null) broken++;
    const hit = violations.find(({ rule }) => bug.by.some((prefix) => rule.startsWith(prefix)));
    for (const { rule } of violations) if (rule !== hit?.rule) others.add(rule);
    if (hit === undefined) continue;
    const { rule, summary, story } = hit;
    const tried = index + 1;
    return { bug: bug.name, rule, seed, seeds: tried, summary, story, others: [...others], broken, sound: null };
  }
  const nothing = { rule: null, seed: 0, summary: "", story: [], sound: null };
  return { ...nothing, bug: bug.name, seeds: seeds.length, others: [...others], broken };
}

async function answer(request: Request): Promise<Answer> {
  try {
    const bug = bugOf(request.bug);
    return await (request.t === "search" ? search(bug, request.seeds) : control(bug, request.seed));
  } catch (error) {
    return { t: "failed", problem: String(error) };
  }
}

process.on("message", (request: Request) => void answer(request).then((said) => process.send?.(said)));
// The parent has nothing more to ask.
process.once("disconnect", () => planter.close());
