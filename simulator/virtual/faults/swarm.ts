/**
 * What a seed is like: its size, and which faults it has how badly. Swarm testing: a random subset of faults per seed finds
 * more than all of them always, because many faults hide each other (Groce et al., "Swarm Testing", ISSTA 2012).
 */
import { pick, type Random, randomInteger } from "../../../src/lib/random.js";
import { FAULT_KINDS, type FaultKind, type Sizes, type Streams } from "../ports.js";

export interface Swarm {
  readonly sizes: Sizes;
  readonly intensities: ReadonlyMap<FaultKind, number>;
  /** How long faults go on after the world has started. */
  readonly chaosMs: number;
  /** Whether the nodes share a mirror. */
  readonly hasMirror: boolean;
  /** Whether gateways wait as long as in life for devices that say nothing; otherwise a world's few minutes are too short. */
  readonly isPatient: boolean;
}

/** Of all seeds: one without any fault shows that the others' findings are the faults' doing. */
const CALM_CHANCE = 0.04;

/** `focus`: kinds that come in any case, and wildly, beside what the seed draws. */
export function drawSwarm(streams: Streams, focus: readonly FaultKind[] = []): Swarm {
  const random = streams.of("swarm");
  const sizes: Sizes = {
    nodes: pick(random, [2, 3, 3, 4]),
    workersPerNode: pick(random, [1, 1, 1, 2]),
    restaurants: 2 + randomInteger(random, 3),
    drivers: 3 + randomInteger(random, 5),
    orders: 6 + randomInteger(random, 11),
    timeScale: pick(random, [30, 60, 60, 90]),
    placingMs: 20_000 + randomInteger(random, 25_000),
  };
  const calm = random.next() < CALM_CHANCE;
  const share = pick(random, [0.1, 0.25, 0.4, 0.7]);
  const chosen = streams.of("swarm faults");
  const intensities = new Map<FaultKind, number>();
  for (const kind of FAULT_KINDS) {
    const isChosen = chosen.next() < share;
    const intensity = hundredths(chosen);
    if (focus.includes(kind)) intensities.set(kind, 1);
    else if (isChosen && !calm) intensities.set(kind, intensity);
  }
  return {
    sizes,
    intensities,
    chaosMs: sizes.placingMs + randomInteger(random, 25_000),
    hasMirror: random.next() < 0.5,
    // Whoever reads nothing answers no ping: only a patient gateway comes to what it must do about what waits for them.
    isPatient: intensities.has("client_stuck_reader"),
  };
}

/** From 0.05 to 1; mild more often than wild. */
function hundredths(random: Random): number {
  const even = 5 + randomInteger(random, 96);
  return random.next() < 0.5 ? even / 100 : Math.max(5, Math.floor(even / 4)) / 100;
}
