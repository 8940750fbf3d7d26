/**
 * The way between a process and a server of the world (the database, the payment provider, the shared mirror): a request
 * travels, is served at once and whole, and its answer travels back. Owns cuts of such ways; what a way does otherwise is
 * decided by whoever sends.
 */
import type { Clock } from "../../../src/lib/clock.js";
import type { ProcessClock } from "../ports.js";

export interface Wire {
  /** Nothing passes until `heal`, and neither side is told. */
  cut(): void;
  /** What was sent meanwhile arrives now, as a network's repeats do; its answer reaches nobody. */
  heal(): void;
  readonly open: boolean;
  send<T>(trip: Trip<T>): Promise<T>;
}

export interface Trip<T> {
  /** Until the request arrives. */
  readonly thereMs: number;
  /** Until the answer arrives; null: it never does. */
  readonly backMs: number | null;
  /** How long the process waits. */
  readonly patienceMs: number;
  /** What it hears after waiting in vain. */
  readonly silence: () => Error;
  /** At the server. */
  readonly serve: () => Promise<T>;
}

/** `world`: what is on the way goes on while the process sleeps or dies. */
export function createWire(world: Clock, process: ProcessClock): Wire {
  let open = true;
  let stuck: (() => void)[] = [];
  return {
    cut() {
      open = false;
    },
    heal() {
      open = true;
      const late = stuck;
      stuck = [];
      for (const arrive of late) world.after(0, arrive);
    },
    get open() {
      return open;
    },
    send({ thereMs, backMs, patienceMs, silence, serve }) {
      return new Promise((resolve, reject) => {
        // What a dead process waits for never comes, and neither does its own impatience.
        if (process.state === "dead") return;
        const giveUp = process.after(patienceMs, () => reject(silence()));
        const answer = (tell: () => void): void => {
          if (backMs === null) return;
          world.after(backMs, () => {
            if (!open) return;
            process.after(0, () => {
              giveUp();
              tell();
            });
          });
        };
        world.after(thereMs, () => {
          const arrive = (): void => {
            serve().then(
              (value) => answer(() => resolve(value)),
              (error: unknown) => answer(() => reject(error)),
            );
          };
          if (open) arrive();
          else stuck.push(() => void serve().catch(() => {}));
        });
      });
    },
  };
}
