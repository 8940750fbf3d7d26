/**
 * Thousands of deadlines a second on one timer. Coarse: an entry expires up to one tick late, never early. Entries are
 * links of the wheel's own lists, so that arming and disarming allocate nothing and take constant time.
 *
 * Invariant: the clock's timer runs exactly while at least one entry is armed.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";

/** Anything that waits on a wheel extends this; only the wheel writes its fields. */
export interface WheelEntry {
  /** Monotonic milliseconds. */
  dueAt: number;
  wheelNext: WheelEntry | null;
  wheelPrevious: WheelEntry | null;
}

export interface TimerWheel<E extends WheelEntry> {
  /** Sets or moves the entry's expiry to `dueAt`, in monotonic milliseconds of the wheel's clock. */
  arm(entry: E, dueAt: number): void;
  /** Harmless when the entry is not armed. */
  disarm(entry: E): void;
  readonly size: () => number;
  close(): void;
}

export function createTimerWheel<E extends WheelEntry>(options: {
  readonly clock: Clock;
  readonly tickMs: number;
  readonly slots: number;
  /** Called for each entry that is due; it is disarmed by then and may be armed anew. */
  readonly expire: (entry: E) => void;
}): TimerWheel<E> {
  const { clock, tickMs, slots, expire } = options;
  const heads: WheelEntry[] = Array.from({ length: slots }, () => {
    const head: WheelEntry = { dueAt: 0, wheelNext: null, wheelPrevious: null };
    head.wheelNext = head;
    head.wheelPrevious = head;
    return head;
  });
  let lastTick = Math.floor(clock.monotonic() / tickMs);
  let count = 0;
  let timer: Cancel | null = null;

  function unlink(entry: WheelEntry): boolean {
    if (entry.wheelNext === null || entry.wheelPrevious === null) return false;
    entry.wheelPrevious.wheelNext = entry.wheelNext;
    entry.wheelNext.wheelPrevious = entry.wheelPrevious;
    entry.wheelNext = null;
    entry.wheelPrevious = null;
    return true;
  }

  function link(entry: WheelEntry): void {
    // Never the slot of the tick at hand, and never further than one turn: what is due later is linked again when met.
    const ahead = Math.ceil(entry.dueAt / tickMs) - lastTick;
    const tick = lastTick + Math.min(Math.max(ahead, 1), slots - 1);
    const head = heads[tick % slots] as WheelEntry;
    entry.wheelNext = head;
    entry.wheelPrevious = head.wheelPrevious;
    (head.wheelPrevious as WheelEntry).wheelNext = entry;
    head.wheelPrevious = entry;
  }

  function advance(): void {
    timer = null;
    const now = clock.monotonic();
    const current = Math.floor(now / tickMs);
    // After a long pause one whole turn meets every entry.
    lastTick = Math.max(lastTick, current - slots);
    while (lastTick < current) {
      lastTick += 1;
      const head = heads[lastTick % slots] as WheelEntry;
      for (let entry = head.wheelNext; entry !== null && entry !== head; entry = head.wheelNext) {
        unlink(entry);
        if (entry.dueAt > now) {
          link(entry);
          continue;
        }
        count -= 1;
        expire(entry as E);
      }
    }
    run();
  }

  function run(): void {
    if (timer === null && count > 0) timer = clock.after(tickMs, advance);
  }

  return {
    arm(entry, dueAt) {
      if (count === 0) lastTick = Math.max(lastTick, Math.floor(clock.monotonic() / tickMs));
      if (!unlink(entry)) count += 1;
      entry.dueAt = dueAt;
      link(entry);
      run();
    },
    disarm(entry) {
      if (!unlink(entry)) return;
      count -= 1;
      if (count > 0) return;
      timer?.();
      timer = null;
    },
    size: () => count,
    close() {
      timer?.();
      timer = null;
      for (const head of heads) {
        head.wheelNext = head;
        head.wheelPrevious = head;
      }
      count = 0;
    },
  };
}
