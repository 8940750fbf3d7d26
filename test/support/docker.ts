/** Servers for tests in containers, for machines that have Docker but not the servers' programs. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { systemRandom } from "../../src/lib/random.js";
import { ROOT } from "./project.js";

export interface Container {
  /** Runs the server in the foreground; its output comes through, and it ends when the container does. */
  readonly words: readonly string[];
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

const FILE = join(ROOT, "test/support/servers.yaml");
const PROJECT = "swift-eats-tests";
const ANSWER_WITHIN_MS = 20_000;
let answers: boolean | null = null;

/** Whether `docker compose` is installed and its engine answers. Asked once. */
export function dockerAnswers(): boolean {
  answers ??= engineAnswers("docker");
  return answers;
}

export function engineAnswers(docker: string): boolean {
  return [["compose", "version"], ["info"]].every(
    (words) => spawnSync(docker, words, { stdio: "ignore", timeout: ANSWER_WITHIN_MS }).status === 0,
  );
}

/** A service of `servers.yaml` whose port is `port` of this machine's loopback. */
export function container(
  service: string,
  port: number,
  innerPort: number,
  options: readonly string[],
  docker = "docker",
): Container {
  const name = `${PROJECT}-${service}-${Buffer.from(systemRandom().bytes(6)).toString("hex")}`;
  return {
    words: [
      ...[docker, "compose", "--file", FILE, "--project-name", PROJECT, "run", "--rm", "-T", "--name", name],
      ...["--publish", `127.0.0.1:${port}:${innerPort}`, service, ...options],
    ],
    signal(signal) {
      // It may be gone already: then there is nothing to end.
      spawnSync(docker, ["kill", "--signal", signal, name], { stdio: "ignore", timeout: ANSWER_WITHIN_MS });
    },
  };
}
