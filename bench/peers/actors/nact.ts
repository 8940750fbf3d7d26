/** nact 7: actors with mailboxes in one thread, a message each turn of the event loop. */
import { dispatch, query, type Ref, spawn, spawnStateless, start } from "nact";
import { serveProgram } from "../../harness/serve.js";
import { answerWith, type Counters } from "./answer.js";

const ASK_WITHIN_MS = 120_000;

/** `answerTo` is who asked. nact's own type of a reference tells nothing of what it takes. */
interface Add {
  readonly number: number;
  readonly answerTo: Ref<number> | null;
}
interface Spray {
  readonly count: number;
  readonly numberOf: (index: number) => number;
  readonly answerTo: Ref<null>;
}

/**
 * nact tells queries apart by the lower 32 bits of a random number: of ten thousand at a time, one run in eighty or so had
 * two alike, of which one never ended. In this program, which wants no chance, they are counted.
 */
let queries = 0;
Math.random = () => ((queries++ % 2 ** 31) + 0.5) / Number.MAX_SAFE_INTEGER;

function openCounters(): Counters {
  const system = start();
  const counters: Ref<Add>[] = [];
  const sprayer = spawnStateless(
    system,
    ({ count, numberOf, answerTo }: Spray) => {
      for (let index = 0; index < count; index++)
        dispatch(counters[index % counters.length]!, { number: numberOf(index), answerTo: null });
      dispatch(answerTo, null);
    },
    "sprayer",
  );
  const ask = (counter: number, number: number): Promise<number> =>
    query(counters[counter]!, (answerTo: Ref<number>): Add => ({ number, answerTo }), ASK_WITHIN_MS);
  return {
    make(count) {
      for (let i = 0; i < count; i++) {
        counters.push(
          spawn(
            system,
            (sum: number, { number, answerTo }: Add) => {
              const next = sum + number;
              if (answerTo !== null) dispatch(answerTo, next);
              return next;
            },
            `counter-${i}`,
            { initialState: 0 },
          ),
        );
      }
    },
    async spray(count, numberOf) {
      await query(sprayer, (answerTo: Ref<null>): Spray => ({ count, numberOf, answerTo }), ASK_WITHIN_MS);
      // A mailbox keeps its order: once every counter has answered, it has handled what it was told before.
      await Promise.all(counters.map((_, counter) => ask(counter, 0)));
    },
    ask,
  };
}

await serveProgram(async () => ({ address: null, answer: answerWith(openCounters), stop: async () => undefined }));
