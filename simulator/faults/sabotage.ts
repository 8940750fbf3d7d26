/**
 * Builds broken on purpose, to show that a campaign catches them: a copy of the compiled product with one promise taken
 * out in one place. Nothing else uses this.
 *
 * Invariant: a patch that does not find its place exactly once is an error, so that a build is never taken for broken when
 * the product has moved on.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execute, functionText } from "./witness.js";

export interface Patch {
  /** Within the compiled product. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Whoever asks is answered as soon as the handler has run; the commit follows, if nothing comes between. */
export const ACKNOWLEDGE_BEFORE_COMMIT: Patch = {
  file: "src/actors/runtime/activation/executor.js",
  find: "actor.pending.push({ delivery, dirty, seq: actor.seq, state: actor.state, at, recorded, remembered, answer });",
  replace:
    "if (dirty && answer !== null) { this.#gate.open(actor, delivery, null, answer, at); answer = null; } " +
    "actor.pending.push({ delivery, dirty, seq: actor.seq, state: actor.state, at, recorded, remembered, answer });",
};

/** A command that was answered before runs again. */
export const FORGET_ANSWERS: Patch = {
  file: "src/actors/runtime/activation/executor.js",
  find: "const known = actor.remembered?.get(delivery.id);",
  replace: "const known = undefined;",
};

export interface BrokenBuild {
  /** The program of a node. */
  readonly script: string;
  remove(): void;
}

/** The compiled product of this very build. */
const COMPILED = join(import.meta.dirname, "..", "..");

export function breakBuild(patch: Patch): BrokenBuild {
  const directory = mkdtempSync(join(tmpdir(), "swift-eats-broken-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const compiled = join(directory, "dist");
    mkdirSync(compiled);
    for (const part of ["src", "config"]) cpSync(join(COMPILED, part), join(compiled, part), { recursive: true });
    const project = above(COMPILED, "package.json");
    cpSync(join(project, "package.json"), join(directory, "package.json"));
    symlinkSync(join(above(COMPILED, "node_modules"), "node_modules"), join(directory, "node_modules"));
    const file = join(compiled, patch.file);
    writeFileSync(file, replaceOnce(readFileSync(file, "utf8"), patch.find, patch.replace, patch.file));
    return { script: join(compiled, "src", "main.js"), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

const FENCE = {
  function: "flush_actors_v1",
  find: "(locked_shards = fence_shard AND locked_epochs = fence_epoch) IS NOT TRUE",
  replace: "false",
};

/** Takes the fence out of the function that writes a flush, in this database only. */
export async function removeFence(databaseUrl: string): Promise<void> {
  const text = await functionText(databaseUrl, FENCE.function);
  await execute(databaseUrl, replaceOnce(text, FENCE.find, FENCE.replace, FENCE.function));
}

export function replaceOnce(text: string, find: string, replace: string, where: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${where} has ${parts.length - 1} times, not once: ${find}`);
  return parts.join(replace);
}

function above(directory: string, name: string): string {
  if (existsSync(join(directory, name))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error(`there is no ${name} above ${COMPILED}`);
  return above(parent, name);
}
