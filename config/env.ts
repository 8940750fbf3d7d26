/** The process's environment. The only place of the product that reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function processEnvironment(): Environment {
  return process.env;
}

/** What a child needs of our environment; the rest could be a setting meant for another node. */
const PASSED_ON = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "USER"];

/** For a node that shall be told everything by whoever starts it, and not by the shell in which that one was started. */
export function childEnvironment(env: Environment = processEnvironment()): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** True where `npm start` or `npm run demo` runs this process: behind a shell, which passes no signals on. */
export function startedByScript(env: Environment = processEnvironment()): boolean {
  return ["start", "demo"].includes(env.npm_lifecycle_event ?? "");
}
