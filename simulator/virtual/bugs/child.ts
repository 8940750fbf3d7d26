/**
 * A process with a broken product: puts the patches before everything else, then runs seeds until a rule that is meant to
 * find the bug does. Says what it found to its parent.
 */
import { register } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MARK } from "./hooks.js";
import { BUGS, UNPROVEN_BUGS } from "./list.js";
import type { Found, Search } from "./messages.js";

/** A sound world comes to rest in less than half of it; a broken one often never does. */
const CONVERGE_MS = 4 * 60_000;

/** The compiled product of this very build. */
const COMPILED = join(import.meta.dirname, "..", "..", "..");

async function search({ bug: name, from, first, most }: Search): Promise<Found> {
  const bug = [...BUGS, ...UNPROVEN_BUGS].find((one) => one.name === name);
  if (bug === undefined) throw new Error(`there is no bug called "${name}"`);
  const urls = bug.patches.map(({ file }) => pathToFileURL(join(COMPILED, file)).href);
  register("./hooks.js", import.meta.url, { data: bug.patches.map((patch, i) => ({ ...patch, file: urls[i] })) });
  // Only now may anything of the product be loaded.
  const { runTask } = await import("../run/runner.js");
  const planted = (globalThis as Record<string, unknown>)[MARK] as ReadonlySet<string> | undefined;
  const missing = urls.find((url) => planted?.has(url) !== true);
  if (missing !== undefined) throw new Error(`${missing} is not part of what the simulation runs`);
  const others = new Set<string>();
  let broken = 0;
  let seeds = 0;
  for (const seed of new Set([first, ...Array.from({ length: most }, (_, index) => from + index)])) {
    if (++seeds > most) break;
    const { violations, broke } = await runTask({
      seed,
      twice: false,
      stories: false,
      convergeMs: CONVERGE_MS,
      focus: bug.focus ?? [],
    });
    if (broke !== null) broken++;
    const hit = violations.find(({ rule }) => bug.by.some((prefix) => rule.startsWith(prefix)));
    for (const { rule } of violations) if (rule !== hit?.rule) others.add(rule);
    if (hit === undefined) continue;
    const { rule, summary, story } = hit;
    return { bug: name, rule, seed, seeds, summary, story, others: [...others], broken };
  }
  return { bug: name, rule: null, seed: 0, seeds: most, summary: "", story: [], others: [...others], broken };
}

process.once("message", (message: Search) => {
  search(message).then(
    (found) => process.send?.(found, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
