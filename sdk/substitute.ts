/**
 * Polls while no socket comes through. Owns when they run: some patience after the socket was lost, one at a time, until
 * it is live again or the client is closed. Does not own what is asked, nor what is done with the answer.
 *
 * Invariants: no poll runs while the socket is live; an answer that comes after the socket is back is not handed on; what
 * fails for now is asked again, a final refusal ends the polls.
 */
import type { Cancel, Clock } from "../src/lib/clock.js";
import type { Client } from "./client.js";
import { SwiftEatsError } from "./errors.js";

export interface Substitute<T> {
  /** How long the socket may be away before the first poll, and the pause between two, in milliseconds. */
  readonly patienceMs: number;
  readonly everyMs: number;
  ask(signal: AbortSignal): Promise<T>;
  /** Answers the pause before the next poll in milliseconds, if it is not to be the usual one. */
  answered(answer: T): number | undefined;
  /** Polls bring the news now, or do so no longer. */
  changed?(running: boolean): void;
  refused(error: SwiftEatsError): void;
}

export function substitute<T>(client: Client, clock: Clock, options: Substitute<T>): { stop(): void } {
  let stopped = false;
  let running = false;
  let waiting: Cancel | null = null;
  let asking: AbortController | null = null;

  const turn = (next: boolean): void => {
    if (running === next) return;
    running = next;
    options.changed?.(next);
  };
  const end = (): void => {
    waiting?.();
    waiting = null;
    asking?.abort();
    asking = null;
    turn(false);
  };
  const poll = async (): Promise<void> => {
    waiting = null;
    const by = new AbortController();
    asking = by;
    let pauseMs = options.everyMs;
    try {
      const answer = await options.ask(by.signal);
      if (by.signal.aborted) return;
      turn(true);
      pauseMs = options.answered(answer) ?? pauseMs;
    } catch (error) {
      if (by.signal.aborted) return;
      if (error instanceof SwiftEatsError && !error.temporary) {
        stop();
        options.refused(error);
        return;
      }
      turn(false);
      if (error instanceof SwiftEatsError) pauseMs = Math.max(pauseMs, error.retryAfterMs);
    }
    if (by.signal.aborted) return;
    asking = null;
    waiting = clock.after(pauseMs, () => void poll());
  };
  const follow = (): void => {
    const { name } = client.state;
    if (stopped || name === "live" || name === "closed") end();
    // A client that nobody has connected yet is not one whose socket is away.
    else if (name !== "idle" && waiting === null && asking === null) {
      waiting = clock.after(options.patienceMs, () => void poll());
    }
  };
  const stopListening = client.onState(follow);
  follow();

  function stop(): void {
    if (stopped) return;
    stopped = true;
    stopListening();
    end();
  }
  return { stop };
}
