/** The actors of the engine alone: counters in memory, one that tells them, and accounts that are committed. */
import { actorRef, defineActor } from "../../src/actors/runtime/mod.js";

export const TELLS_A_SPRAY = 1_000;
/** What a counter that is told alternately adds: the tell's number modulo this. */
export const NUMBERS = 1_000;

export type CounterContract = {
  add: { input: number; reply: number };
  read: { input: null; reply: number };
};
export const CounterRef = actorRef<CounterContract>("counter");

export type SprayerContract = {
  /** Tells counters `from`, `from + 1`, … modulo `actors`. */
  spray: {
    input: { readonly prefix: string; readonly from: number; readonly count: number; readonly actors: number };
    reply: null;
  };
  /** Bytes of the thread's heap in use, after a collection. */
  heap: { input: null; reply: number };
};
export const SprayerRef = actorRef<SprayerContract>("sprayer");

export const counterKey = (prefix: string, number: number): string => `${prefix}-${number}`;

let known: { readonly prefix: string; readonly keys: readonly string[] } = { prefix: "", keys: [] };
/** The counters' names, made once for each question: as an order knows its restaurant's, and the peers' sprayers their references. */
function keysOf(prefix: string, actors: number): readonly string[] {
  if (known.prefix !== prefix || known.keys.length !== actors)
    known = { prefix, keys: Array.from({ length: actors }, (_, number) => counterKey(prefix, number)) };
  return known.keys;
}

const FOREVER_MS = 3_600_000;
const isVolatile = { version: 1, durability: "volatile", idleMs: FOREVER_MS } as const;

export const Counter = defineActor<CounterContract, { readonly sum: number }>({
  ...isVolatile,
  ref: CounterRef,
  init: () => ({ sum: 0 }),
  volatileCommands: ["add", "read"],
  commands: {
    add(ctx, number) {
      const sum = ctx.state.sum + number;
      ctx.become({ sum });
      return sum;
    },
    read: (ctx) => ctx.state.sum,
  },
});

export const Sprayer = defineActor<SprayerContract, null>({
  ...isVolatile,
  ref: SprayerRef,
  init: () => null,
  volatileCommands: ["spray", "heap"],
  commands: {
    spray(ctx, { prefix, from, count, actors }) {
      const keys = keysOf(prefix, actors);
      for (let number = from; number < from + count; number++)
        ctx.cast(CounterRef, keys[number % actors]!, "add", number % NUMBERS);
      return null;
    },
    heap() {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    },
  },
});

export type AccountContract = { add: { input: number; reply: number } };
export const AccountRef = actorRef<AccountContract>("account");

/** A state of some 400 bytes, as an order's: every `add` is one actor's commit, with the command it remembers. */
export const Account = defineActor<AccountContract, { readonly sum: number; readonly padding: string }>({
  ref: AccountRef,
  version: 1,
  durability: "commit",
  idleMs: FOREVER_MS,
  init: (key) => ({ sum: 0, padding: key.padEnd(380, "·").slice(0, 190) }),
  commands: {
    add(ctx, number) {
      const sum = ctx.state.sum + number;
      ctx.become({ ...ctx.state, sum });
      return sum;
    },
  },
});
