/** Our engine and its store alone: durable actors asked from another thread, so many at a time. */
import { systemClock } from "../../src/lib/clock.js";
import { migrate } from "../../src/store/postgres/mod.js";
import { serveProgram } from "../harness/serve.js";
import { startEngine, told } from "./engine.js";
import { AccountRef, NUMBERS } from "./engine-actors.js";

const clock = systemClock();
const ACTORS = 5_000;

export interface CommitQuestion {
  readonly inFlight: number;
  readonly seconds: number;
}
export interface CommitAnswer {
  readonly commits: number;
  readonly seconds: number;
  /** Accounts whose last answer was not the sum of what was added. */
  readonly wrong: number;
}

await serveProgram(async ({ databaseUrl }: { readonly databaseUrl: string }) => {
  await migrate(databaseUrl);
  const { client, options, stop } = await startEngine({ connectionString: databaseUrl });
  const sums = new Float64Array(ACTORS);
  let next = 0;
  return {
    address: null,
    async answer(question): Promise<CommitAnswer> {
      const { inFlight, seconds } = question as CommitQuestion;
      const began = clock.monotonic();
      const until = began + seconds * 1000;
      let [commits, wrong] = [0, 0];
      const lane = async (): Promise<void> => {
        while (clock.monotonic() < until) {
          const number = next++;
          const actor = number % ACTORS;
          const added = number % NUMBERS;
          sums[actor] = sums[actor]! + added;
          const expected = sums[actor];
          const sum = await told(client.ask(AccountRef, `account-${actor}`, "add", added, options()));
          if (sum !== expected) wrong++;
          commits++;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
      return { commits, seconds: (clock.monotonic() - began) / 1000, wrong };
    },
    stop,
  };
});
