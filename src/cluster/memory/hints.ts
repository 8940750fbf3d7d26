/** Hints between nodes of one process, for tests and the simulation: delivered late, or not at all, as `fate` says. */
import type { Clock } from "../../lib/clock.js";
import type { Hints, OwnershipHint } from "../ports.js";

export interface MemoryHints {
  /** One node's access. `node` says who speaks: nobody hears its own hints. `clock`: that of its process. */
  open(node: string, clock?: Clock): Hints;
}

export interface MemoryHintsOptions {
  readonly clock: Clock;
  /** How many milliseconds a hint takes to this receiver; null loses it. Default: 1. */
  readonly fate?: (from: string, to: string) => number | null;
}

export function createMemoryHints({ clock, fate = () => 1 }: MemoryHintsOptions): MemoryHints {
  interface Ear {
    readonly node: string;
    readonly clock: Clock;
    readonly handlers: ((hint: OwnershipHint) => void)[];
  }
  const ears = new Set<Ear>();
  return {
    open(node, own = clock) {
      const ear: Ear = { node, clock: own, handlers: [] };
      ears.add(ear);
      return {
        announce(hint) {
          for (const to of ears) {
            if (to === ear) continue;
            const delayMs = fate(node, to.node);
            if (delayMs === null) continue;
            to.clock.after(delayMs, () => {
              if (ears.has(to)) for (const handler of to.handlers) handler(hint);
            });
          }
        },
        onHint: (handler) => void ear.handlers.push(handler),
        async close() {
          ears.delete(ear);
        },
      };
    },
  };
}
