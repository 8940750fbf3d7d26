/**
 * Our engine alone: one worker thread with volatile actors, asked from the main thread over the link that threads of a
 * node use. Tells go from actor to actor inside the worker, as an order tells its restaurant.
 */
import { systemClock } from "../../src/lib/clock.js";
import { serveProgram } from "../harness/serve.js";
import type { MailboxAnswer, MailboxQuestion } from "../peers/ports.js";
import { startEngine, told } from "./engine.js";
import { CounterRef, counterKey, NUMBERS, SprayerRef, TELLS_A_SPRAY } from "./engine-actors.js";

const clock = systemClock();
const READS_AT_ONCE = 256;

await serveProgram(async () => {
  const { client, options, stop } = await startEngine({ connectionString: null });

  /** Whatever was told before is handled before a read of the same actor is answered. */
  async function sumOf(prefix: string, actors: number): Promise<number> {
    let sum = 0;
    for (let from = 0; from < actors; from += READS_AT_ONCE) {
      const keys = Array.from({ length: Math.min(READS_AT_ONCE, actors - from) }, (_, i) =>
        counterKey(prefix, from + i),
      );
      const values = await Promise.all(keys.map((key) => told(client.ask(CounterRef, key, "read", null, options()))));
      sum += values.reduce((total, value) => total + value, 0);
    }
    return sum;
  }
  async function spray(prefix: string, actors: number, count: number): Promise<void> {
    for (let from = 0; from < count; from += TELLS_A_SPRAY) {
      const input = { prefix, from, count: Math.min(TELLS_A_SPRAY, count - from), actors };
      await told(client.ask(SprayerRef, "sprayer", "spray", input, options()));
    }
  }
  async function asks(prefix: string, actors: number, count: number, inFlight: number): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let number = next++; number < count; number = next++)
        await told(client.ask(CounterRef, counterKey(prefix, number % actors), "add", number % NUMBERS, options()));
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  }
  const heapBytes = (): Promise<number> => told(client.ask(SprayerRef, "sprayer", "heap", null, options()));
  let prefixes = 0;

  async function answer(question: MailboxQuestion): Promise<MailboxAnswer> {
    // Actors of this question alone: those of `tells` and `asks` are awake before the time counts.
    const prefix = `counter${++prefixes}`;
    const { measure, actors } = question;
    if (measure !== "activate") await sumOf(prefix, actors);
    const heapBefore = measure === "activate" ? await heapBytes() : 0;
    const began = clock.monotonic();
    if (measure === "asks") await asks(prefix, actors, question.count, question.inFlight);
    else await spray(prefix, actors, measure === "tells" ? question.count : actors);
    await told(client.ask(CounterRef, counterKey(prefix, actors - 1), "read", null, options()));
    const seconds = (clock.monotonic() - began) / 1000;
    const heap = measure === "activate" ? { heapBytes: (await heapBytes()) - heapBefore } : {};
    return { seconds, sum: await sumOf(prefix, actors), ...heap };
  }

  return {
    address: null,
    answer: (question) => answer(question as MailboxQuestion),
    stop,
  };
});
