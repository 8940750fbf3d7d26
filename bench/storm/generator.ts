/** A generator process of the storm: some of the lines, or the publisher. Asked by `side.ts`. */
import { systemClock } from "../../src/lib/clock.js";
import { serveProgram } from "../harness/serve.js";
import type { StormAdapterMaker } from "../peers/ports.js";
import { createLines } from "./lines.js";
import type { GeneratorOptions, StormQuestion } from "./messages.js";
import { createPublisher } from "./publisher.js";

await serveProgram(async ({ adapter: url, address, note, plan, from, to }: GeneratorOptions) => {
  const clock = systemClock();
  const { storm } = (await import(url)) as { readonly storm: StormAdapterMaker };
  const adapter = storm(address, note, plan);
  const lines = createLines(adapter, plan, { from, to }, clock);
  const publisher = createPublisher(adapter, plan, clock);
  return {
    address: null,
    answer(asked) {
      const question = asked as StormQuestion;
      switch (question.ask) {
        case "open":
          return lines.open();
        case "endure":
          return lines.endure(question.seconds);
        case "publish":
          return publisher.publish(question.seconds);
        case "hear":
          return lines.hear(question.published, question.withinMs);
      }
    },
    async stop() {
      lines.close();
      await adapter.close();
    },
  };
});
