/**
 * The questions of the mailbox scenario, put to an actor library: the same work as ours does, told apart into what a library
 * has to bring. Owns the counting and the time; knows no library.
 */
import { systemClock } from "../../../src/lib/clock.js";
import type { MailboxAnswer, MailboxQuestion } from "../ports.js";

/** What a message adds: its index modulo this. */
const NUMBERS = 1_000;
const clock = systemClock();

/** Counters that add what they are sent. An actor of the library's own, the sprayer, tells them, as an actor tells others. */
export interface Counters {
  /** Counters `0` to `count − 1` of a set of their own. */
  make(count: number): void;
  /** Has the sprayer tell the counters in turn, each message without an answer; resolves when the last has been handled. */
  spray(count: number, numberOf: (index: number) => number): Promise<void>;
  /** Adds, and answers with the counter's sum. */
  ask(counter: number, number: number): Promise<number>;
}

const heapUsed = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

export function answerWith(open: () => Counters): (question: unknown) => Promise<MailboxAnswer> {
  /** Those of `activate` stay, as the question says. */
  const kept: Counters[] = [];
  return async (asked) => {
    const question = asked as MailboxQuestion;
    const { actors, measure } = question;
    const counters = open();
    if (measure !== "activate") {
      counters.make(actors);
      await counters.spray(actors, () => 0);
    }
    const heapBefore = measure === "activate" ? heapUsed() : 0;
    const began = clock.monotonic();
    switch (measure) {
      case "tells":
        await counters.spray(question.count, (index) => index % NUMBERS);
        break;
      case "activate":
        counters.make(actors);
        await counters.spray(actors, (index) => index % NUMBERS);
        kept.push(counters);
        break;
      case "asks": {
        let next = 0;
        const lane = async (): Promise<void> => {
          for (let number = next++; number < question.count; number = next++)
            await counters.ask(number % actors, number % NUMBERS);
        };
        await Promise.all(Array.from({ length: question.inFlight }, lane));
        break;
      }
    }
    const seconds = (clock.monotonic() - began) / 1000;
    const heap = measure === "activate" ? { heapBytes: heapUsed() - heapBefore } : {};
    let sum = 0;
    for (let counter = 0; counter < actors; counter++) sum += await counters.ask(counter, 0);
    return { seconds, sum, ...heap };
  };
}
