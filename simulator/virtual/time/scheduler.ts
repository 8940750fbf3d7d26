/**
 * The world's time: one heap of everything that is going to happen. Owns time and the order of things; does not own what
 * they do.
 *
 * Invariants:
 * - time moves only from one thing that is due to the next, and never while promises of the last one still run;
 * - at one instant the seed says which process comes first, anew for every instant; within a process things happen in
 *   the order in which they were asked for;
 * - everything follows from the seed and from what was asked for.
 */
import { betweenMilliseconds, createProcessClock, type ProcessClock } from "../../../src/actors/runtime/testkit/mod.js";
import type { Cancel, Clock } from "../../../src/lib/clock.js";
import { endOfTurn } from "../../../src/lib/schedule.js";
import type { Scheduler } from "../ports.js";

export interface WorldScheduler extends Scheduler {
  /** The world's time, milliseconds since the epoch. */
  readonly now: number;
  /**
   * Does what is due, one thing after the other, each followed by the promises that it settles, until the condition holds
   * (asked after every thing) or nothing is due before `limitAt`. Resolves with whether the condition holds. Rejects with
   * what a thing throws: in the real world it would have ended its process.
   */
  until(condition: () => boolean, limitAt: number): Promise<boolean>;
}

interface Task {
  readonly at: number;
  readonly tie: number;
  readonly order: number;
  run: (() => void) | null;
}

/** Things done in one turn of the real event loop; each still has its microtasks to itself. */
const STEPS_A_TURN = 64;
/** Far more than any instant of a small world holds. */
const MOST_STEPS_AT_ONCE = 200_000;

export function createScheduler(seed: number, startAt: number): WorldScheduler {
  const heap: Task[] = [];
  let now = startAt;
  let order = 0;
  let steps = 0;
  let stepsAtOnce = 0;

  const before = (a: Task, b: Task): boolean =>
    a.at !== b.at ? a.at < b.at : a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;

  function push(task: Task): void {
    let child = heap.length;
    heap.push(task);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = heap[parent] as Task;
      if (!before(task, above)) break;
      heap[child] = above;
      child = parent;
    }
    heap[child] = task;
  }

  function pop(): Task {
    const first = heap[0] as Task;
    const last = heap.pop() as Task;
    const length = heap.length;
    if (length === 0) return first;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= length) break;
      if (child + 1 < length && before(heap[child + 1] as Task, heap[child] as Task)) child++;
      if (!before(heap[child] as Task, last)) break;
      heap[parent] = heap[child] as Task;
      parent = child;
    }
    heap[parent] = last;
    return first;
  }

  /** A view whose things share one place in the order of every instant. */
  function view(name: string): Clock {
    const own = hashText(name, seed);
    const after = (delayMs: number, run: () => void): Cancel => {
      const at = now + Math.max(0, Math.ceil(delayMs));
      const task: Task = { at, tie: mix(own ^ (at >>> 0)), order: order++, run };
      push(task);
      return () => {
        task.run = null;
      };
    };
    return {
      now: () => now,
      monotonic: () => now - startAt,
      after,
      every(periodMs, run) {
        let cancel: Cancel = () => {};
        let cancelled = false;
        const again = (): void => {
          cancel = after(periodMs, () => {
            again();
            run();
          });
          if (cancelled) cancel();
        };
        again();
        return () => {
          cancelled = true;
          cancel();
        };
      },
    };
  }

  /** Does the next thing; false when none is due by `limitAt`. */
  function step(limitAt: number): boolean {
    for (;;) {
      const next = heap[0];
      if (next === undefined || next.at > limitAt) return false;
      pop();
      if (next.run === null) continue;
      stepsAtOnce = next.at === now ? stepsAtOnce + 1 : 0;
      if (stepsAtOnce > MOST_STEPS_AT_ONCE) throw new Error("Something goes round without end while no time passes");
      now = next.at;
      steps++;
      next.run();
      return true;
    }
  }

  return {
    clock: view("world"),
    process: (name): ProcessClock => createProcessClock(betweenMilliseconds(view(name))),
    get now() {
      return now;
    },
    get steps() {
      return steps;
    },
    until(condition, limitAt) {
      return new Promise((resolve, reject) => {
        let over = false;
        const turn = (): void => {
          if (over) return;
          try {
            if (condition()) {
              over = true;
              resolve(true);
            } else if (!step(limitAt)) {
              over = true;
              now = Math.max(now, limitAt);
              resolve(condition());
            }
          } catch (error) {
            over = true;
            reject(error);
          }
        };
        // Node runs all microtasks after each of these; many a turn spare the loop's own cost.
        const turns = (): void => {
          for (let i = 0; i < STEPS_A_TURN; i++) endOfTurn(turn);
          endOfTurn(() => {
            if (!over) turns();
          });
        };
        turns();
      });
    },
  };
}

/** 32 bits of a text. */
export function hashText(text: string, seed = 0): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return mix(hash);
}

/** Spreads 32 bits over 32 bits (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
