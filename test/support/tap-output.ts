/**
 * Reads what one test file says (TAP 14, as tap prints it when a file runs as a plain program). A test is a result line
 * at the outermost level: a named `t.test`, or an assertion outside of one. A skip counts wherever it stands, so that
 * nothing is left out without being seen.
 */
export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  /** Titles of what was skipped or is marked as to be done. */
  readonly skipped: readonly string[];
  /** Titles of the failed tests. */
  readonly failures: readonly string[];
}

const RESULT = /^( *)(not )?ok \d+(?: - (.*))?$/;
const DIRECTIVE = /\s#\s*(skip|todo)\b\s*(.*?)(?:\s+\{)?$/i;
const TIME = /\s#\s*time=[\d.]+m?s.*$/;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

interface Counted {
  passed: number;
  readonly skipped: string[];
  readonly failures: string[];
  /** Result lines at the outermost level, whatever they say. */
  seen: number;
}

const END = /^ok \d+ - end of file (\d+)\b/;

/** The name of the test that stands after those of a file, where several files are run by one process. */
export const endOf = (number: number): string => `end of file ${number}`;

/** What one file says that had a process of its own. A file that dies, or ends before its plan, has failed. */
export function readTap(output: string, exit: Exit): FileResult {
  const lines = output.split("\n");
  const counted = count(lines);
  const problem = planProblem(lines, counted.seen, exit);
  if (problem !== null) counted.failures.push(problem);
  else if (counted.seen === 0 && counted.skipped.length === 0) counted.failures.push(NO_TEST);
  else if (exit.code !== 0 && counted.failures.length === 0)
    counted.failures.push(`the file ended badly (${ending(exit)})`);
  return resultOf(counted);
}

/** What one of several files says, and the part of the output that is its own. */
export interface Part {
  readonly result: FileResult;
  readonly output: string;
  /** What its tests took, by tap's own clock. */
  readonly ms: number;
}

/**
 * What several files say that were run by one process (`test/together.ts`), in their order. A file in which the process
 * ended has failed, and so have those after it. What comes after the last file's end, and how the process ended, is
 * laid to the last file.
 */
export function readTogether(output: string, files: number, exit: Exit): Part[] {
  const lines = output.split("\n");
  const ends: number[] = [];
  for (const [at, line] of lines.entries()) if (END.exec(line)?.[1] === String(ends.length)) ends.push(at);
  const problem = planProblem(lines, count(lines).seen, exit);
  const anyFailed = count(lines).failures.length > 0;
  return Array.from({ length: files }, (_, number): Part => {
    const [begun, end] = [number === 0 ? 0 : ends[number - 1], ends[number]];
    if (begun === undefined) return NOT_RUN;
    const isLast = end === undefined || number === files - 1;
    const own = lines.slice(begun, isLast ? undefined : end).filter((line) => !END.test(line));
    const counted = count(own);
    if (isLast && problem !== null) counted.failures.push(problem);
    else if (end === undefined) counted.failures.push(`the process ended before the file did (${ending(exit)})`);
    else if (isLast && exit.code !== 0 && !anyFailed) counted.failures.push(`the files ended badly (${ending(exit)})`);
    else if (counted.seen === 0) counted.failures.push(NO_TEST);
    return { result: resultOf(counted), output: own.join("\n"), ms: timeOf(own) };
  });
}

const NO_TEST = "the file holds no test";
const NOT_RUN: Part = {
  result: { passed: 0, failed: 1, skipped: [], failures: ["not run: the process ended before it"] },
  output: "",
  ms: 0,
};

function count(lines: readonly string[]): Counted {
  const counted: Counted = { passed: 0, skipped: [], failures: [], seen: 0 };
  for (const line of lines) {
    const result = RESULT.exec(line);
    if (result === null) continue;
    const [, indent, failed, rest = ""] = result;
    const outermost = indent === "";
    if (outermost) counted.seen++;
    const directive = DIRECTIVE.exec(rest);
    const title = (directive === null ? rest : rest.slice(0, directive.index)).replace(TIME, "");
    if (directive !== null) counted.skipped.push(directive[2] === "" ? title : `${title} (${directive[2]})`);
    else if (outermost && failed !== undefined) counted.failures.push(title);
    else if (outermost) counted.passed++;
  }
  return counted;
}

function timeOf(lines: readonly string[]): number {
  const times = lines.map((line) => /^(?:not )?ok \d+ .*# time=([\d.]+)(m?)s/.exec(line));
  return times.reduce((sum, time) => sum + (time === null ? 0 : Number(time[1]) * (time[2] === "m" ? 1 : 1_000)), 0);
}

function planProblem(lines: readonly string[], seen: number, exit: Exit): string | null {
  const planned = lines.map((line) => /^1\.\.(\d+)/.exec(line)?.[1]).findLast((plan) => plan !== undefined);
  if (planned === undefined) return `the file ended without a plan (${ending(exit)})`;
  return Number(planned) === seen ? null : `${planned} tests were planned and ${seen} ran (${ending(exit)})`;
}

const resultOf = ({ passed, skipped, failures }: Counted): FileResult => ({
  passed,
  failed: failures.length,
  skipped,
  failures,
});

function ending(exit: Exit): string {
  return exit.signal === null ? `exit status ${exit.code}` : `signal ${exit.signal}`;
}
