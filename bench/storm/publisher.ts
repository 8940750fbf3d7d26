/**
 * Publishes the storm's events at a steady pace, whatever the server does: what is due is due. Owns the numbers: those of a
 * channel are 1, 2, 3…, and one is published only when the one before it is durable, so that a channel's order is known.
 */
import { type Clock, sleep } from "../../src/lib/clock.js";
import { randomInteger, seededRandom } from "../../src/lib/random.js";
import { encoded, newHistogram, record } from "../lib/histogram.js";
import type { StormAdapter, StormPlan } from "../peers/ports.js";
import type { Published } from "./messages.js";

const TICK_MS = 5;
const ATTEMPTS = 20;
const AGAIN_MS = 200;

export interface Publisher {
  publish(seconds: number): Promise<Published>;
}

export function createPublisher(adapter: StormAdapter, plan: StormPlan, clock: Clock): Publisher {
  const counts: number[] = new Array(plan.channels).fill(0);
  const last: Promise<void>[] = new Array(plan.channels).fill(Promise.resolve());
  const random = seededRandom(plan.seed);
  return {
    async publish(seconds) {
      const lag = newHistogram();
      const latency = newHistogram();
      const failures: Record<string, number> = {};
      const one = async (channel: number, number: number, dueAt: number): Promise<void> => {
        for (let attempt = 1; ; attempt++) {
          try {
            await adapter.publish(channel, number);
            record(latency, clock.monotonic() - dueAt);
            return;
          } catch (cause) {
            const reason = cause instanceof Error ? cause.message : String(cause);
            failures[reason] = (failures[reason] ?? 0) + 1;
            if (attempt === ATTEMPTS) throw new Error(`Event ${number} of channel ${channel}: ${reason}`);
            await sleep(clock, AGAIN_MS);
          }
        }
      };
      const began = clock.monotonic();
      const total = Math.round(plan.eventsPerSecond * seconds);
      let made = 0;
      await new Promise<void>((resolve) => {
        const cancel = clock.every(TICK_MS, () => {
          const elapsedMs = clock.monotonic() - began;
          for (; made < total && (made * 1000) / plan.eventsPerSecond <= elapsedMs; made++) {
            const dueAt = began + (made * 1000) / plan.eventsPerSecond;
            record(lag, Math.max(0, clock.monotonic() - dueAt));
            const channel = randomInteger(random, plan.channels);
            const number = ++counts[channel]!;
            last[channel] = last[channel]!.then(() => one(channel, number, dueAt));
            // Awaited below; until then nobody else hears of a failure.
            last[channel].catch(() => undefined);
          }
          if (made < total) return;
          cancel();
          resolve();
        });
      });
      await Promise.all(last);
      return { counts: [...counts], lag: encoded(lag), latency: encoded(latency), failures };
    },
  };
}
