/**
 * Threads that think for the zones of one shard worker, so that it never waits for a decision: it only hands over the
 * question and is handed the answer.
 */
import { Piscina } from "piscina";
import type { DecisionPool } from "../actors/domain/mod.js";

/** Zones ask one question at a time; more than this many at once are answered by not being answered. */
const MOST_QUESTIONS = 64;

export interface DecisionThreads extends DecisionPool {
  close(): Promise<void>;
}

export function createDecisionPool(threads: number): DecisionThreads {
  const pool = new Piscina({
    filename: new URL("./decision-thread.js", import.meta.url).href,
    minThreads: 1,
    maxThreads: threads,
    maxQueue: MOST_QUESTIONS,
    // A city's quiet hour is no reason to start a thread anew at the next order.
    idleTimeout: 600_000,
  });
  return {
    solve: (question) => pool.run(question),
    close: () => pool.destroy(),
  };
}
