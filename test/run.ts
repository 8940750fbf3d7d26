/**
 * `npm test`: every compiled `*.test.js` as a program of its own, a few at a time. Ends with one line
 * `N passed, N failed, N skipped`, where N counts tests (a named `t.test`, not its assertions; a skip at any depth). The
 * exit status is 0 only when nothing failed; with `CI` set a skip counts as a failure, so that nothing is left out unseen.
 *
 * `npm test -- gateway orders` runs the files whose path holds one of the words.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, sep } from "node:path";
import { processEnvironment, SETTINGS, withoutSettings } from "../config/mod.js";
import { systemClock } from "../src/lib/clock.js";
import { makeEmptyData } from "../src/store/postgres/fixtures/empty-data.js";
import { ensureBrowser } from "./support/browser.js";
import { projectAbove } from "./support/project.js";
import { makeScratch } from "./support/scratch.js";
import { ensureServers } from "./support/servers.js";
import { type FileResult, readTap, readTogether } from "./support/tap-output.js";
import { mostlyWaits, unitsOf } from "./support/units.js";

const UNIT_TIMEOUT_MS = 300_000;
/** Of a failing file's output, from its end. */
const MAX_SHOWN_LINES = 300;

const clock = systemClock();
const compiled = join(import.meta.dirname, "..");
const sources = projectAbove(compiled);
// What a shell holds for a real node, its database above all, is not for the nodes that tests start and kill.
const environment = withoutSettings(processEnvironment(), SETTINGS);
const BEFORE_A_TEST = [
  "--enable-source-maps",
  `--import=${new URL("./support/without-async-hooks.js", import.meta.url)}`,
];
const strict = environment.CI !== undefined && environment.CI !== "" && environment.CI !== "false";
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

interface Finished {
  readonly file: string;
  readonly result: FileResult;
  readonly ms: number;
  readonly output: string;
}

const running = new Set<ChildProcess>();
const scratch = makeScratch(environment.TMPDIR);
process.once("exit", () => scratch.remove());
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of running) end(child);
    process.exit(1);
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const startedAt = clock.monotonic();
  for (const problem of await ensureServers(["redis", "nats"], say)) say(`warning: ${problem}`);
  const files = testFiles().filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  // A browser is large: it is fetched for those who test pages.
  const withoutBrowser = files.some((file) => /\b(?:apps|pages)\b/.test(file)) ? await ensureBrowser(say) : null;
  if (withoutBrowser !== null) say(`warning: ${withoutBrowser}`);
  if (words.length === 0 && scratch.directory !== null)
    await makeEmptyData(scratch.directory).catch((error: Error) => say(`warning: ${error.message}`));
  if (files.length === 0) say(`no test file matches ${words.join(", ")}`);

  const finished: Finished[] = [];
  const units = unitsOf(files);
  const computing = units.filter((unit) => !mostlyWaits(unit));
  const waiting = units.filter(mostlyWaits);
  const worker = async (next: () => readonly string[] | undefined): Promise<void> => {
    for (let unit = next(); unit !== undefined; unit = next()) {
      for (const one of await runUnit(unit)) {
        finished.push(one);
        report(one, finished.length, files.length);
      }
    }
  };
  // One more than there are cores, for all tests wait now and then; and beside them one of those that mostly do.
  const computers = Array.from({ length: Math.max(2, availableParallelism()) + 1 }, () =>
    worker(() => computing.shift() ?? waiting.shift()),
  );
  await Promise.all([worker(() => waiting.shift()), ...computers]);

  const sum = (count: (result: FileResult) => number): number =>
    finished.reduce((total, { result }) => total + count(result), 0);
  const [passed, failed, skipped] = [sum((r) => r.passed), sum((r) => r.failed), sum((r) => r.skipped.length)];
  const slowest = [...finished].sort((a, b) => b.ms - a.ms).slice(0, 3);
  say("");
  for (const { file, result } of finished) for (const title of result.skipped) say(`skipped: ${file}: ${title}`);
  for (const { file, result } of finished) for (const title of result.failures) say(`failed: ${file}: ${title}`);
  if (strict && skipped > 0) say("a skipped test is a failure here, because CI is set");
  say(`slowest: ${slowest.map(({ file, ms }) => `${file} ${(ms / 1000).toFixed(1)} s`).join(", ")}`);
  say(`${finished.length} files in ${((clock.monotonic() - startedAt) / 1000).toFixed(1)} s`);
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || passed === 0 || (strict && skipped > 0) ? 1 : 0;
}

function report({ file, result, ms, output }: Finished, done: number, all: number): void {
  const skips = result.skipped.length > 0 ? `, ${result.skipped.length} skipped` : "";
  const verdict = result.failed > 0 ? "FAILED" : "ok    ";
  say(`${verdict} ${String(done).padStart(3)}/${all}  ${file}  ${result.passed} tests${skips}  ${Math.round(ms)} ms`);
  if (result.failed > 0) {
    const lines = output.trimEnd().split("\n");
    if (lines.length > MAX_SHOWN_LINES) say(`  | … ${lines.length - MAX_SHOWN_LINES} lines before`);
    for (const line of lines.slice(-MAX_SHOWN_LINES)) say(`  | ${line}`);
  }
}

/** Compiled tests whose source still exists: a build leaves the output of removed files behind. */
function testFiles(): readonly string[] {
  return readdirSync(compiled, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.js") && !file.split(sep).includes("fixtures"))
    .filter((file) => existsSync(join(sources, file.replace(/\.js$/, ".ts"))))
    .sort();
}

function runUnit(files: readonly string[]): Promise<Finished[]> {
  return new Promise((resolve) => {
    const startedAt = clock.monotonic();
    const paths = files.map((file) => join(compiled, file));
    const program = paths.length === 1 ? paths[0]! : join(compiled, "test", "together.js");
    // A group of its own, so that whatever a test leaves behind ends with it.
    const child = spawn(process.execPath, [...BEFORE_A_TEST, program], {
      cwd: sources,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...environment,
        TAP_TIMEOUT: String(UNIT_TIMEOUT_MS / 1000),
        ...(scratch.directory === null ? {} : { TMPDIR: scratch.directory }),
      },
    });
    running.add(child);
    child.stdin.on("error", () => {}).end(paths.length === 1 ? "" : paths.join("\n"));
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      errors = (errors + chunk).slice(-100_000);
    });
    const tooLate = clock.after(UNIT_TIMEOUT_MS, () => {
      errors += `\nended after ${UNIT_TIMEOUT_MS / 1000} s\n`;
      end(child);
    });
    let exit: { code: number | null; signal: string | null } = { code: null, signal: null };
    child.once("exit", (code, signal) => {
      exit = { code, signal };
      // Whoever still holds the pipes was left behind by the test.
      end(child);
    });
    child.once("close", () => {
      tooLate();
      running.delete(child);
      const ms = clock.monotonic() - startedAt;
      const parts =
        files.length === 1 ? [{ result: readTap(output, exit), output, ms }] : readTogether(output, files.length, exit);
      resolve(parts.map((part, at) => ({ ...part, file: shown(files[at]!), output: part.output + errors })));
    });
  });
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The whole group has ended already.
  }
}

function shown(file: string): string {
  return relative(".", file).replace(/\.js$/, ".ts");
}
