/**
 * The lines of one generator process. Owns when they break and come back and what is measured of it; the adapter owns
 * how a line is opened and what it says.
 *
 * Invariant: a line has at most one connection that is listened to; what it has heard is counted in one tally for good.
 */
import { type Clock, sleep } from "../../src/lib/clock.js";
import { encoded, newHistogram, record } from "../lib/histogram.js";
import type { StormAdapter, StormLine, StormPlan } from "../peers/ports.js";
import type { Endured, Heard } from "./messages.js";
import { outagesOf } from "./schedule.js";
import { Tally } from "./tally.js";

/** Lines that are being opened for the first time at once: the storm itself is what is measured, not this. */
const OPENING = 100;
/** After the server ended a line, it comes back as an app would. */
const COME_AGAIN_MS = 250;
const LOOK_EVERY_MS = 20;
const STUCK_MS = 60_000;

interface Line {
  readonly index: number;
  readonly channel: number;
  readonly tally: Tally;
  connection: StormLine | null;
  resume: unknown;
  live: boolean;
  /** Rises with every connection: what an abandoned one says is not heard. */
  generation: number;
  /** Called with the server's answer. */
  waiting: ((recovered: boolean) => void) | null;
}

export interface Lines {
  open(): Promise<void>;
  endure(seconds: number): Promise<Endured>;
  hear(published: readonly number[], withinMs: number): Promise<Heard>;
  close(): void;
}

export function createLines(
  adapter: StormAdapter,
  plan: StormPlan,
  range: { readonly from: number; readonly to: number },
  clock: Clock,
): Lines {
  const lines: Line[] = Array.from({ length: range.to - range.from }, (_, i) => ({
    index: range.from + i,
    channel: (range.from + i) % plan.channels,
    tally: new Tally(),
    connection: null,
    resume: null,
    live: false,
    generation: 0,
    waiting: null,
  }));
  let ended: Record<string, number> = {};
  let closing = false;
  let storms = 0;

  function connect(line: Line, live: (recovered: boolean) => void): void {
    const generation = ++line.generation;
    const { index, channel, resume } = line;
    line.live = false;
    line.waiting = live;
    line.connection = adapter.open(
      { index, channel, resume },
      {
        live(recovered) {
          if (line.generation !== generation || line.live) return;
          line.live = true;
          const { waiting } = line;
          line.waiting = null;
          waiting?.(recovered);
        },
        event(position, number) {
          if (line.generation === generation) line.tally.event(position, number);
        },
        closed(reason) {
          if (line.generation !== generation || closing) return;
          ended[reason] = (ended[reason] ?? 0) + 1;
          const { waiting } = line;
          cut(line);
          // Whoever waits for it goes on waiting: it is not back yet.
          clock.after(COME_AGAIN_MS, () => {
            if (line.connection === null && !closing && line.generation === generation + 1) {
              connect(line, waiting ?? (() => undefined));
            }
          });
        },
      },
    );
  }
  function cut(line: Line): void {
    line.generation++;
    line.live = false;
    line.waiting = null;
    if (line.connection !== null) line.resume = line.connection.cut();
    line.connection = null;
  }
  async function until(done: () => boolean, withinMs: number): Promise<boolean> {
    const deadline = clock.monotonic() + withinMs;
    while (!done()) {
      if (clock.monotonic() > deadline) return false;
      await sleep(clock, LOOK_EVERY_MS);
    }
    return true;
  }
  const away = (): number => lines.filter(({ live }) => !live).length;

  return {
    async open() {
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < lines.length) {
          const line = lines[next++]!;
          await new Promise<void>((resolve) => connect(line, () => resolve()));
        }
      };
      await Promise.all(Array.from({ length: OPENING }, lane));
    },
    async endure(seconds) {
      const replay = newHistogram();
      const lag = newHistogram();
      let reconnects = 0;
      let unrecovered = 0;
      ended = {};
      const began = clock.monotonic();
      const totalMs = seconds * 1000;
      const storm = { ...plan, seed: plan.seed + 7919 * storms++ };
      const at = (dueMs: number, run: () => void): void => {
        clock.after(dueMs - (clock.monotonic() - began), () => {
          record(lag, Math.max(0, clock.monotonic() - began - dueMs));
          run();
        });
      };
      for (const line of lines) {
        for (const { fromMs, toMs } of outagesOf(storm, line.index, totalMs)) {
          at(fromMs, () => {
            // What this return would have taken is not known: it must not look like a quick one.
            if (line.waiting !== null)
              ended["cut again while still behind"] = (ended["cut again while still behind"] ?? 0) + 1;
            cut(line);
          });
          at(toMs, () => {
            if (line.connection !== null) return;
            reconnects++;
            // From the moment at which it was to come back: what this process is late counts, too.
            const dueAt = began + toMs;
            connect(line, (recovered) => {
              record(replay, clock.monotonic() - dueAt);
              if (!recovered) unrecovered++;
            });
          });
        }
      }
      await sleep(clock, totalMs + 1.5 * plan.awayMs);
      if (!(await until(() => away() === 0, STUCK_MS))) {
        ended["not back in time"] = away();
      }
      return { replay: encoded(replay), lag: encoded(lag), reconnects, unrecovered, ended };
    },
    async hear(published, withinMs) {
      const hasAll = (): boolean => lines.every(({ channel, tally }) => tally.delivered >= (published[channel] ?? 0));
      const agree = (): boolean => {
        const tops = new Map<number, number>();
        for (const { channel, tally } of lines) tops.set(channel, Math.max(tops.get(channel) ?? 0, tally.position));
        return lines.every(({ channel, tally }) => tally.position === tops.get(channel));
      };
      await until(() => hasAll() && agree(), withinMs);
      return {
        lines: lines.map(({ channel, tally }) => {
          const { position, delivered, repeated, outOfOrder, digest } = tally;
          return { channel, position, delivered, repeated, outOfOrder, digest };
        }),
      };
    },
    close() {
      closing = true;
      for (const line of lines) line.connection?.close();
    },
  };
}
