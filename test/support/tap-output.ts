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

export function readTap(
  output: string,
  exit: { readonly code: number | null; readonly signal: string | null },
): FileResult {
  let passed = 0;
  const failures: string[] = [];
  const skipped: string[] = [];
  let planned: number | null = null;
  let seen = 0;
  for (const line of output.split("\n")) {
    const plan = /^1\.\.(\d+)/.exec(line);
    if (plan !== null) planned = Number(plan[1]);
    const result = RESULT.exec(line);
    if (result === null) continue;
    const [, indent, failed, rest = ""] = result;
    const outermost = indent === "";
    if (outermost) seen++;
    const directive = DIRECTIVE.exec(rest);
    const title = (directive === null ? rest : rest.slice(0, directive.index)).replace(TIME, "");
    if (directive !== null) skipped.push(directive[2] === "" ? title : `${title} (${directive[2]})`);
    else if (outermost && failed !== undefined) failures.push(title);
    else if (outermost) passed++;
  }
  // A file that dies, or ends before its plan, has failed even when every line it got to was fine.
  if (planned === null) failures.push(`the file ended without a plan (${ending(exit)})`);
  else if (planned !== seen) failures.push(`${planned} tests were planned and ${seen} ran (${ending(exit)})`);
  else if (planned === 0 && skipped.length === 0) failures.push("the file holds no test");
  else if (exit.code !== 0 && failures.length === 0) failures.push(`the file ended badly (${ending(exit)})`);
  return { passed, failed: failures.length, skipped, failures };
}

function ending(exit: { readonly code: number | null; readonly signal: string | null }): string {
  return exit.signal === null ? `exit status ${exit.code}` : `signal ${exit.signal}`;
}
