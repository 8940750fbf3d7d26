/**
 * The clock of one process: a view on the time of a whole world that may be wrong, be paused (what falls due waits and
 * then happens at once, in order), and die (nothing it was asked for ever happens).
 *
 * Invariants: nothing happens before it is due by this clock; its monotonic time never goes backwards; whole milliseconds
 * only, so that the same run is the same everywhere.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";

export interface ProcessClock extends Clock {
  /** Milliseconds by which its wall clock is ahead of the world's (behind: negative), beside what it drifts. */
  skew(ms: number): void;
  /** From now on its second is shorter than the world's by this many millionths (longer: negative). */
  drift(partsPerMillion: number): void;
  pause(): void;
  resume(): void;
  die(): void;
  readonly state: "running" | "paused" | "dead";
}

const MILLION = 1_000_000;

/**
 * `clock`: the world's; it says who comes first among things that are due at one instant. `onResume` is told before what
 * has waited happens.
 */
export function createProcessClock(clock: Clock, onResume: () => void = () => {}): ProcessClock {
  let state: "running" | "paused" | "dead" = "running";
  let waiting: (() => void)[] = [];
  let skewMs = 0;
  let partsPerMillion = 0;
  let base = { world: clock.monotonic(), own: clock.monotonic() };

  const monotonic = (): number => {
    if (partsPerMillion === 0) return base.own + clock.monotonic() - base.world;
    const passed = clock.monotonic() - base.world;
    return base.own + passed + Math.floor((passed * partsPerMillion) / MILLION);
  };

  function arrive(dueAt: number, run: () => void): void {
    const leftMs = dueAt - monotonic();
    if (leftMs > 0) clock.after(inWorld(leftMs), () => arrive(dueAt, run));
    else if (state === "paused") waiting.push(run);
    else run();
  }

  /** Own milliseconds in the world's: never too many; `arrive` looks again. */
  function inWorld(ms: number): number {
    return partsPerMillion === 0 ? ms : Math.max(1, Math.floor((ms * MILLION) / (MILLION + partsPerMillion)));
  }

  function after(delayMs: number, run: () => void): Cancel {
    let task: (() => void) | null = run;
    const wait = Math.max(0, Math.ceil(delayMs));
    const dueAt = monotonic() + wait;
    const cancel = clock.after(inWorld(wait), () =>
      arrive(dueAt, () => {
        if (state !== "dead") task?.();
      }),
    );
    return () => {
      task = null;
      cancel();
    };
  }

  return {
    now: () => clock.now() + skewMs + monotonic() - clock.monotonic(),
    monotonic,
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
    skew(ms) {
      skewMs = Math.round(ms);
    },
    drift(parts) {
      base = { own: monotonic(), world: clock.monotonic() };
      partsPerMillion = Math.round(parts);
    },
    pause() {
      if (state === "running") state = "paused";
    },
    resume() {
      if (state !== "paused") return;
      state = "running";
      onResume();
      // Each by itself, as the timers of a machine that wakes up; whoever is paused again meanwhile waits again.
      for (const run of waiting.splice(0)) clock.after(0, () => arrive(monotonic(), run));
    },
    die() {
      state = "dead";
      waiting = [];
    },
    get state() {
      return state;
    },
  };
}
