/**
 * The limit of asks across threads: a worker that answers each message of a MessagePort with one, the same objects that
 * our link carries, and nothing else.
 */
import { isMainThread, type MessagePort, parentPort, Worker } from "node:worker_threads";
import { systemClock } from "../../src/lib/clock.js";
import { serveProgram } from "../harness/serve.js";
import type { MailboxAnswer, MailboxQuestion } from "../peers/ports.js";

const clock = systemClock();
const CALLER = { id: "bench", role: "customer" };
const NUMBERS = 1_000;

interface Ask {
  readonly t: "ask";
  readonly id: number;
  readonly input: number;
}

/** Adds each ask's number to its actor's sum, as a counter does. */
function echo(port: MessagePort): void {
  const sums = new Map<string, number>();
  port.on("message", (ask: Ask & { readonly to: { readonly key: string } }) => {
    const sum = (sums.get(ask.to.key) ?? 0) + ask.input;
    sums.set(ask.to.key, sum);
    port.postMessage({ t: "reply", id: ask.id, value: sum });
  });
}

async function serve(): Promise<void> {
  await serveProgram(async () => {
    const worker = new Worker(new URL(import.meta.url));
    const waiting = new Map<number, (value: number) => void>();
    worker.on("message", (reply: { readonly id: number; readonly value: number }) => {
      waiting.get(reply.id)?.(reply.value);
      waiting.delete(reply.id);
    });
    let lastId = 0;
    let prefixes = 0;
    const ask = (key: string, input: number): Promise<number> =>
      new Promise((resolve) => {
        const id = ++lastId;
        waiting.set(id, resolve);
        worker.postMessage({
          t: "ask",
          id,
          to: { kind: "counter", key },
          name: "add",
          input,
          commandId: `c${id}`,
          bodyHash: "",
          caller: CALLER,
          notAfter: null,
        });
      });
    return {
      address: null,
      async answer(question): Promise<MailboxAnswer> {
        const asked = question as MailboxQuestion;
        if (asked.measure !== "asks") throw new Error("A bare port answers asks only.");
        const prefix = `counter${++prefixes}`;
        const { actors, count, inFlight } = asked;
        let next = 0;
        const lane = async (): Promise<void> => {
          for (let number = next++; number < count; number = next++)
            await ask(`${prefix}-${number % actors}`, number % NUMBERS);
        };
        const began = clock.monotonic();
        await Promise.all(Array.from({ length: inFlight }, lane));
        const seconds = (clock.monotonic() - began) / 1000;
        const sums = await Promise.all(Array.from({ length: actors }, (_, i) => ask(`${prefix}-${i}`, 0)));
        return { seconds, sum: sums.reduce((total, value) => total + value, 0) };
      },
      async stop() {
        await worker.terminate();
      },
    };
  });
}

if (isMainThread) await serve();
else if (parentPort !== null) echo(parentPort);
