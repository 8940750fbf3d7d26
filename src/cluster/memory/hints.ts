/** Hints between nodes of one process, for tests and the simulation: delivered late, twice, or not at all, as `fate` says. */
import type { Clock } from "../../lib/clock.js";
import type { Hints, OwnershipHint, Testimony } from "../ports.js";

export interface MemoryHints {
  /** One node's access. `node` says who speaks: nobody hears its own hints. `clock`: that of its process. */
  open(node: string, clock?: Clock): Hints;
}

export interface MemoryHintsOptions {
  readonly clock: Clock;
  /**
   * How many milliseconds a hint, or a testimony, takes to this receiver; null loses it; a list delivers it once for each.
   * Default: 1.
   */
  readonly fate?: (from: string, to: string) => number | readonly number[] | null;
}

interface Ear {
  readonly node: string;
  readonly clock: Clock;
  readonly hints: ((hint: OwnershipHint) => void)[];
  readonly testimony: ((testimony: Testimony) => void)[];
}

export function createMemoryHints({ clock, fate = () => 1 }: MemoryHintsOptions): MemoryHints {
  const ears = new Set<Ear>();

  function tellOthers(from: Ear, tell: (to: Ear) => void): void {
    for (const to of ears) {
      if (to === from) continue;
      const delays = fate(from.node, to.node);
      for (const delayMs of typeof delays === "number" ? [delays] : (delays ?? [])) {
        to.clock.after(delayMs, () => {
          if (ears.has(to)) tell(to);
        });
      }
    }
  }

  return {
    open(node, own = clock) {
      const ear: Ear = { node, clock: own, hints: [], testimony: [] };
      ears.add(ear);
      return {
        announce: (hint) =>
          tellOthers(ear, ({ hints }) => {
            for (const handler of hints) handler(hint);
          }),
        onHint: (handler) => void ear.hints.push(handler),
        testify: (said) =>
          tellOthers(ear, ({ testimony }) => {
            for (const handler of testimony) handler(said);
          }),
        onTestimony: (handler) => void ear.testimony.push(handler),
        async close() {
          ears.delete(ear);
        },
      };
    },
  };
}
