/** A process of a run: seeds one after the other, as it is told. */
import type { FromRunner, ToRunner } from "./messages.js";
import { runTask } from "./runner.js";

process.on("message", (message: ToRunner) => {
  if (message.t === "end") {
    process.disconnect();
    return;
  }
  void runTask(message.task).then((summary) => {
    const done: FromRunner = { t: "done", summary };
    process.send?.(done);
  });
});
