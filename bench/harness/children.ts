/** Every process that a scenario has started, so that none is left when it is over, however it ended. */
import type { ChildProcess } from "node:child_process";

const running = new Set<ChildProcess>();

/** Returns it. */
export function ofThisScenario(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

export function endAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
