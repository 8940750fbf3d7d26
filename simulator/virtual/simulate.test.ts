import t from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { violationText } from "../checkers/mod.js";
import { FAULT_KINDS } from "./ports.js";
import { failingSeeds } from "./run/failing.js";
import type { SeedTask } from "./run/messages.js";
import { runSeeds, type SeedsOutcome } from "./run/seeds.js";

/** As many seeds as fit in twenty seconds, and so many at the least: enough for every kind of fault to come. */
const LEAST_SEEDS = 40;
const MOST_SEEDS = 400;
const FOR_MS = 20_000;
/** Two cold ones cost more than one that gets warm, and other tests run beside this one. */
const PROCESSES = 1;
/** Of them, so many run twice. */
const TWICE = 4;

const clock = systemClock();
const run = (tasks: Iterable<SeedTask>, processes: number): Promise<SeedsOutcome> =>
  runSeeds({ tasks, processes, clock });

function* seedsInTime(): Iterable<SeedTask> {
  const until = clock.monotonic() + FOR_MS;
  for (let seed = 1; seed <= LEAST_SEEDS || (seed <= MOST_SEEDS && clock.monotonic() < until); seed++)
    yield { seed, twice: seed <= TWICE };
}

/** Of the first run of every seed. */
let hashes: SeedsOutcome["hashes"] = new Map();

const text = ({ failed }: SeedsOutcome): string =>
  failed
    .map(({ seed, violations, broke, hash, secondHash }) =>
      [
        `seed ${seed}`,
        broke ?? "",
        secondHash === null || secondHash === hash ? "" : `${hash}, then ${secondHash}`,
        violationText(violations, 1),
      ].join("\n"),
    )
    .join("\n");

t.test(
  "R-SIM-2, R-ENG-2: whole clusters keep every rule in every seed, and each kind of fault really comes",
  async (t) => {
    const outcome = await run(seedsInTime(), PROCESSES);
    hashes = outcome.hashes;
    t.ok(outcome.seeds >= LEAST_SEEDS, `${outcome.seeds} seeds`);
    t.equal(text(outcome), "", "no violation");
    for (const kind of FAULT_KINDS) t.ok(outcome.faults[kind] > 0, `${kind} has happened`);
    t.equal(new Set(outcome.hashes.values()).size, outcome.seeds, "every seed is a world of its own");
    t.comment(
      `${outcome.seeds} seeds in ${outcome.seconds.toFixed(1)} s, ${outcome.virtualHours.toFixed(1)} virtual hours`,
    );
  },
);

t.test(
  "R-SIM-2: a seed is the same after others as before them, and in another process; seeds that once failed do not any more",
  async (t) => {
    const back = [3, 2, 1];
    // Those that were among the first have been judged just now.
    const known = failingSeeds().filter(({ seed }) => !hashes.has(seed));
    const outcome = await run(
      [...known.map(({ seed }) => seed), ...back].map((seed) => ({ seed, twice: false })),
      PROCESSES,
    );
    t.equal(text(outcome), "", "no violation");
    t.equal(outcome.seeds, known.length + back.length);
    for (const seed of back) t.equal(outcome.hashes.get(seed), hashes.get(seed));
  },
);
