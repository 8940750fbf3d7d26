/** One thing that is wrong with the configuration, and what to do about it. */
export interface ConfigProblem {
  /** The setting, for example `http.port`; for an unknown name, the name as given. */
  readonly key: string;
  /** The value as given, secrets redacted; null when nothing was given. */
  readonly given: string | null;
  /** Where it was given, for example `environment PORT`. */
  readonly source: string;
  readonly allowed: string;
  readonly advice: string;
}

/** Thrown with every problem at once, so that nobody mends them one start at a time. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`The configuration has ${count}; the node does not start.\n${problems.map(line).join("\n")}`);
    this.problems = problems;
  }
}

function line(problem: ConfigProblem): string {
  const given = problem.given === null ? "is missing" : `is ${problem.given}`;
  return `  ${problem.key} ${given} (${problem.source}). Allowed: ${problem.allowed}. ${problem.advice}`;
}
