/** `mailbox`: the engine alone, beside a bare MessagePort and beside actor libraries. Durability is not asked for. */

import type { Look, RunningSide, Sample, Scenario, Side } from "../harness/ports.js";
import { type Program, startProgram } from "../harness/program.js";
import { peers } from "../peers/mod.js";
import type { MailboxAnswer, MailboxQuestion, ProgramOptions } from "../peers/ports.js";
import { peerSides, ratioOf, worst } from "./peer.js";

const NUMBERS = 1_000;
const ACTORS = 1_000;
const TRIAL = 2_000;
const ACTIVATIONS = 20_000;
/** Tells of one burst, whole rounds of numbers: what is told at once waits in mailboxes, and millions are a test of the heap. */
const MOST_TELLS = 200_000;
const LOADS = ["tells", "1 ask in flight", "64 asks in flight", "activations"] as const;

function questionOf(load: string, count: number): MailboxQuestion {
  switch (load) {
    case "tells":
      return { measure: "tells", actors: ACTORS, count };
    case "activations":
      return { measure: "activate", actors: count };
    default:
      return { measure: "asks", actors: ACTORS, count, inFlight: load.startsWith("64") ? 64 : 1 };
  }
}

/** 0 + 1 + … of the messages' numbers. */
export function sumOfNumbers(count: number): number {
  const rest = count % NUMBERS;
  return (Math.floor(count / NUMBERS) * (NUMBERS * (NUMBERS - 1))) / 2 + (rest * (rest - 1)) / 2;
}

function running(program: Program): RunningSide {
  const rates = new Map<string, number>();
  const ask = async (load: string, count: number): Promise<MailboxAnswer> =>
    (await program.ask(questionOf(load, count))) as MailboxAnswer;
  return {
    pids: () => [program.pid],
    gauges: () => program.gauges(),
    async load(load, seconds): Promise<Sample> {
      let rate = rates.get(load);
      if (rate === undefined) rate = TRIAL / (await ask(load, TRIAL)).seconds;
      const count = load === "activations" ? ACTIVATIONS : Math.max(TRIAL, Math.round(rate * seconds));
      const answer = { seconds: 0, sum: 0, heapBytes: undefined as number | undefined };
      let expected = 0;
      for (let left = count; left > 0; ) {
        const told = load === "tells" ? Math.min(left, MOST_TELLS) : left;
        const { seconds: took, sum, heapBytes } = await ask(load, told);
        answer.seconds += took;
        answer.sum += sum;
        answer.heapBytes = heapBytes;
        expected += sumOfNumbers(told);
        left -= told;
      }
      rates.set(load, count / answer.seconds);
      return {
        operations: count,
        seconds: answer.seconds,
        latency: null,
        lag: null,
        figures: {
          microsEach: (answer.seconds * 1e6) / count,
          ...(answer.heapBytes === undefined ? {} : { heapBytesEach: answer.heapBytes / count }),
        },
        problems: answer.sum === expected ? [] : [`the actors' sum is ${answer.sum}, not ${expected}`],
      };
    },
    stop: () => program.stop(),
  };
}

const ASKS = ["1 ask in flight", "64 asks in flight"] as const;
const asksToPort = (look: Look, load: string): number | null => ratioOf(look, "perSecond", "ours", "MessagePort", load);

export const mailbox: Scenario = {
  name: "mailbox",
  what: "The engine alone: tells from actor to actor, asks from another thread, waking actors up.",
  loads: LOADS,
  operation: "message",
  warmUpSeconds: 0.5,
  mostSeconds: 1.5,
  lagBoundMs: Number.POSITIVE_INFINITY,
  withoutIdle: false,
  sides: (): readonly Side[] => [
    {
      role: "ours",
      name: "ours",
      what: "volatile actors in one shard worker; asks come over the threads' link; tells stay in the worker",
      start: async () =>
        running(await startProgram(new URL("../programs/mailbox.js", import.meta.url), null, ["--expose-gc"])),
    },
    {
      role: "limit",
      name: "MessagePort",
      what: "a worker that answers each message with one",
      loads: ASKS,
      start: async () => running(await startProgram(new URL("../limits/message-port.js", import.meta.url), null)),
    },
    ...peerSides(peers.mailbox, {}, async (peer) => {
      const options: ProgramOptions = { scenario: "mailbox", databaseUrl: null, redisUrl: null, plan: null };
      return running(await startProgram(peer.program, options, peer.nodeOptions));
    }),
  ],
  goals: [
    {
      what: "tells/s ÷ nact's",
      unit: "×",
      better: "higher",
      atLeast: 1.5,
      ambition: 5,
      value: (look) => ratioOf(look, "perSecond", "ours", "nact"),
    },
    ...ASKS.map((load) => ({
      what: `asks across threads ÷ bare MessagePort, ${load}`,
      unit: "×" as const,
      better: "higher" as const,
      atLeast: 0.3,
      ambition: 0.7,
      value: (look: Look) => asksToPort(look, load),
    })),
  ],
  ratioToLimit: (look) =>
    worst(
      Math.min,
      ASKS.map((load) => asksToPort(look, load)),
    ),
};
