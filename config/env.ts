/** The process's environment. The only place of the product that reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function processEnvironment(): Environment {
  return process.env;
}

/** True where `npm start` or `npm run demo` runs this process: behind a shell, which passes no signals on. */
export function startedByScript(env: Environment = processEnvironment()): boolean {
  return ["start", "demo"].includes(env.npm_lifecycle_event ?? "");
}
