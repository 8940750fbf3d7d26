/**
 * XState 5: actors of one system, each with a mailbox, in one thread. The counters are its lightest kind, a transition
 * function; a state machine costs more. An ask is what its documentation makes of it: an event that says whom to answer.
 */
import { type ActorRefFrom, assign, createActor, fromCallback, fromTransition, setup } from "xstate";
import { serveProgram } from "../../harness/serve.js";
import { answerWith, type Counters } from "./answer.js";

interface Answer {
  readonly type: "answer";
  readonly id: number;
  readonly sum: number;
}
interface Add {
  readonly type: "add";
  readonly number: number;
  readonly from?: { readonly id: number; readonly to: { send(event: Answer): void } };
}

const counter = fromTransition(
  (state: { readonly sum: number }, event: Add) => {
    const sum = state.sum + event.number;
    event.from?.to.send({ type: "answer", id: event.from.id, sum });
    return { sum };
  },
  { sum: 0 },
);
type Counter = ActorRefFrom<typeof counter>;

const city = setup({
  types: {
    context: {} as { readonly counters: readonly Counter[] },
    events: {} as { readonly type: "make"; readonly count: number },
  },
  actors: { counter },
}).createMachine({
  context: { counters: [] },
  on: {
    make: {
      actions: assign({
        counters: ({ spawn, event }) =>
          Array.from({ length: event.count }, (_, i) => spawn("counter", { id: `counter-${i}` })),
      }),
    },
  },
});

function openCounters(): Counters {
  const system = createActor(city).start();
  const counters = (): readonly Counter[] => system.getSnapshot().context.counters;
  const sprayer = createActor(
    fromCallback<{ readonly type: "spray"; readonly count: number; readonly numberOf: (index: number) => number }>(
      ({ receive }) =>
        receive(({ count, numberOf }) => {
          const all = counters();
          for (let index = 0; index < count; index++)
            all[index % all.length]!.send({ type: "add", number: numberOf(index) });
        }),
    ),
  ).start();
  let lastId = 0;
  const waiting = new Map<number, (sum: number) => void>();
  const asker = createActor(
    fromCallback<Answer>(({ receive }) =>
      receive(({ id, sum }) => {
        waiting.get(id)?.(sum);
        waiting.delete(id);
      }),
    ),
  ).start();
  const ask = (number: number, add: number): Promise<number> =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      counters()[number]!.send({ type: "add", number: add, from: { id, to: asker } });
    });
  return {
    make: (count) => system.send({ type: "make", count }),
    async spray(count, numberOf) {
      sprayer.send({ type: "spray", count, numberOf });
      await Promise.all(counters().map((_, number) => ask(number, 0)));
    },
    ask,
  };
}

await serveProgram(async () => ({ address: null, answer: answerWith(openCounters), stop: async () => undefined }));
