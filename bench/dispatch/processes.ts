/** Instances are independent: several processes of this program work on them, each on one at a time. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../../src/lib/clock.js";
import { type Outcome, runTask, type Task } from "./run-instance.js";

/** The outcomes in the order of the tasks; `done` hears each as it comes. With one process everything runs in this one. */
export async function runAll(
  tasks: readonly Task[],
  processes: number,
  done: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = new Array(tasks.length);
  let next = 0;
  const work = async (run: (task: Task) => Promise<Outcome>): Promise<void> => {
    while (next < tasks.length) {
      const index = next++;
      outcomes[index] = await run(tasks[index]!);
      done(outcomes[index]);
    }
  };
  if (processes <= 1) {
    const clock = systemClock();
    await work((task) => runTask(task, clock));
    return outcomes;
  }
  const children = Array.from({ length: Math.min(processes, tasks.length) }, () =>
    fork(fileURLToPath(new URL("main.js", import.meta.url)), ["--serve-tasks"]),
  );
  try {
    await Promise.all(children.map((child) => work((task) => ask(child, task))));
  } finally {
    for (const child of children) child.disconnect();
  }
  return outcomes;
}

type Answer = { readonly outcome: Outcome } | { readonly error: string };

function ask(child: ChildProcess, task: Task): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a process ended with ${code} at ${task.name}`));
    child.once("exit", ended);
    child.once("message", (answer: Answer) => {
      child.off("exit", ended);
      if ("error" in answer) reject(new Error(`${task.name}: ${answer.error}`));
      else resolve(answer.outcome);
    });
    child.send(task);
  });
}

/** The other side: works until the parent is gone. */
export function serveTasks(clock: Clock): void {
  process.on("message", (task: Task) => {
    runTask(task, clock).then(
      (outcome) => process.send?.({ outcome } satisfies Answer),
      (error: unknown) => process.send?.({ error: String(error) } satisfies Answer),
    );
  });
}
