/** How badly things go in this seed, and how often they went so: what every part of the world asks and tells. */
import { FAULT_KINDS, type FaultKind, type Faults, type Phase, type Trace } from "../ports.js";

export interface FaultBook extends Faults {
  enter(phase: Phase): void;
}

/** `intensities`: of the kinds that this seed has; the others never happen. */
export function createFaults(intensities: ReadonlyMap<FaultKind, number>, trace: Trace): FaultBook {
  const counts = noFaults();
  let phase: Phase = "heal";
  return {
    get phase() {
      return phase;
    },
    counts,
    intensity: (kind) => (phase === "chaos" ? (intensities.get(kind) ?? 0) : 0),
    happened(kind, where, detail) {
      counts[kind]++;
      trace.note(`fault ${kind}`, where, [], () => `${kind} at ${where}${detail === undefined ? "" : `: ${detail}`}`);
    },
    enter(next) {
      phase = next;
      trace.note(`phase ${next}`, "world", [], () => `the world enters: ${next}`);
    },
  };
}

export function noFaults(): Record<FaultKind, number> {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
}
