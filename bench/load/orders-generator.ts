/**
 * A generator of whole orders, a process of its own, for ours and for every peer through an adapter. Open loop: an order is
 * due when it is due, and waits for a free customer at its own expense. Or as many as customers can place one after another.
 */
import { systemClock } from "../../src/lib/clock.js";
import type { Address } from "../harness/program-messages.js";
import { serveProgram } from "../harness/serve.js";
import { encoded, newHistogram, record } from "../lib/histogram.js";
import type { OrdersAdapter, OrdersPlan } from "../peers/ports.js";

export interface OrdersGeneratorOptions {
  /** A module with `orders`. */
  readonly adapter: string;
  readonly address: Address;
  readonly plan: OrdersPlan;
}
export interface OrdersQuestion {
  /** Null: as many as go, every customer ordering again as soon as the last order has come. */
  readonly perSecond: number | null;
  readonly seconds: number;
}
export interface OrdersAnswer {
  readonly delivered: number;
  /** Until the last was delivered. */
  readonly seconds: number;
  /** From the intended time, encoded. */
  readonly placed: string;
  readonly latency: string;
  readonly lag: string;
  readonly problems: readonly string[];
}

const clock = systemClock();
const TICK_MS = 5;
const MAX_PROBLEMS = 10;

await serveProgram(async ({ adapter, address, plan }: OrdersGeneratorOptions) => {
  const { orders } = (await import(adapter)) as { orders: OrdersAdapter };
  const flow = await orders.open(address, plan);
  let next = 0;
  const free = Array.from({ length: plan.customers }, (_, i) => i);

  async function run({ perSecond, seconds }: OrdersQuestion): Promise<OrdersAnswer> {
    const [placed, latency, lag] = [newHistogram(), newHistogram(), newHistogram()];
    const problems: string[] = [];
    let [delivered, failed, underWay] = [0, 0, 0];
    const due: number[] = [];
    const began = clock.monotonic();
    const until = began + seconds * 1000;
    let allDone = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      allDone = resolve;
    });
    let isOver = false;
    const end = (): void => {
      if (isOver && underWay === 0 && due.length === 0) allDone();
    };
    function start(dueAt: number): void {
      const customer = free.pop();
      if (customer === undefined) {
        due.push(dueAt);
        return;
      }
      underWay++;
      flow
        .order(next++, customer, dueAt)
        .then(
          ({ placedMs, deliveredMs }) => {
            delivered++;
            record(placed, placedMs);
            record(latency, deliveredMs);
          },
          (cause: unknown) => {
            failed++;
            if (problems.length < MAX_PROBLEMS) problems.push(cause instanceof Error ? cause.message : String(cause));
          },
        )
        .finally(() => {
          underWay--;
          free.push(customer);
          const waiting = due.shift();
          if (waiting !== undefined) start(waiting);
          else if (perSecond === null && clock.monotonic() < until) start(clock.monotonic());
          end();
        });
    }
    let cursor = 0;
    let tickDue = began + TICK_MS;
    const stop = clock.every(TICK_MS, () => {
      const now = clock.monotonic();
      if (perSecond === null) record(lag, Math.max(0, now - tickDue));
      tickDue = now + TICK_MS;
      for (; perSecond !== null; cursor++) {
        const dueAt = began + (cursor * 1000) / perSecond;
        if (dueAt > now || dueAt >= until) break;
        record(lag, now - dueAt);
        start(dueAt);
      }
      if (now < until) return;
      stop();
      isOver = true;
      end();
    });
    if (perSecond === null) for (let i = free.length; i > 0; i--) start(clock.monotonic());
    await done;
    if (failed > 0) problems.unshift(`${failed} orders failed`);
    return {
      delivered,
      seconds: (clock.monotonic() - began) / 1000,
      placed: encoded(placed),
      latency: encoded(latency),
      lag: encoded(lag),
      problems,
    };
  }

  return {
    address: null,
    answer: (question) => run(question as OrdersQuestion),
    stop: () => flow.close(),
  };
});
