/** The seeds that once failed, kept in the project: every run of the tests replays them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface FailingSeed {
  readonly seed: number;
  /** What went wrong, and what was mended since. */
  readonly what: string;
}

const NAME = join("simulator", "virtual", "failing-seeds.json");

/** From wherever this was compiled to, up to the project that has the file. */
function file(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const candidate = join(directory, NAME);
    if (existsSync(candidate)) return candidate;
    if (directory === dirname(directory)) throw new Error(`${NAME} is not to be found`);
  }
}

export function failingSeeds(): readonly FailingSeed[] {
  return JSON.parse(readFileSync(file(), "utf8")) as FailingSeed[];
}

/** Adds those that the file does not have yet. */
export function keepFailingSeeds(found: readonly FailingSeed[]): void {
  const known = failingSeeds();
  const news = found.filter(({ seed }) => !known.some((one) => one.seed === seed));
  if (news.length === 0) return;
  const lines = [...known, ...news].map((one) => `  ${JSON.stringify(one)}`);
  writeFileSync(file(), `[\n${lines.join(",\n")}\n]\n`);
}
