import t from "tap";
import { FAULT_KINDS } from "../ports.js";
import { createStreams } from "../time/streams.js";
import { createTrace } from "../trace/trace.js";
import { createFaults } from "./faults.js";
import { drawSwarm } from "./swarm.js";

const SEEDS = 2_000;
const swarms = Array.from({ length: SEEDS }, (_, index) => drawSwarm(createStreams(index + 1)));

t.test("R-SIM-2: every kind of fault comes in many seeds and is missing in many", async (t) => {
  for (const kind of FAULT_KINDS) {
    const seeds = swarms.filter(({ intensities }) => intensities.has(kind)).length;
    t.ok(seeds > SEEDS / 10 && seeds < SEEDS / 2, `${kind} in ${seeds} of ${SEEDS}`);
  }
  t.ok(
    swarms.some(({ intensities }) => intensities.size === 0),
    "some seeds are calm",
  );
  t.ok(
    swarms.some(({ intensities }) => intensities.size > FAULT_KINDS.length / 2),
    "some have most of them",
  );
});

t.test("R-SIM-2: worlds are small, and of many shapes", async (t) => {
  for (const name of ["nodes", "workersPerNode", "restaurants", "drivers", "orders", "timeScale"] as const) {
    const values = new Set(swarms.map(({ sizes }) => sizes[name]));
    t.ok(values.size > 1 && Math.max(...values) <= 100, `${name}: ${[...values].sort((a, b) => a - b).join(", ")}`);
  }
  for (const { intensities, chaosMs, sizes } of swarms) {
    if (chaosMs < sizes.placingMs) t.fail("chaos ends before all has been ordered");
    for (const [kind, intensity] of intensities)
      if (!(intensity > 0 && intensity <= 1)) t.fail(`${kind} has the intensity ${intensity}`);
  }
});

t.test("R-SIM-2: faults come in chaos alone, and each is counted", async (t) => {
  const trace = createTrace({ now: () => 0 });
  const faults = createFaults(new Map([["link_drop", 0.5]]), trace);
  t.equal(faults.intensity("link_drop"), 0);
  faults.enter("chaos");
  t.equal(faults.intensity("link_drop"), 0.5);
  t.equal(faults.intensity("node_crash"), 0);
  faults.happened("link_drop", "n1>n2");
  t.equal(faults.counts.link_drop, 1);
  t.equal(faults.counts.node_crash, 0);
  faults.enter("heal");
  t.equal(faults.intensity("link_drop"), 0);
});

t.test("R-SIM-2: a seed with a focus has that fault at its worst, and everything else as before", async (t) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const plain = drawSwarm(createStreams(seed));
    const focused = drawSwarm(createStreams(seed), ["mailbox_flood"]);
    t.equal(focused.intensities.get("mailbox_flood"), 1);
    const others = (swarm: typeof plain) => [...swarm.intensities].filter(([kind]) => kind !== "mailbox_flood");
    t.same(others(focused), others(plain));
    t.same(focused.sizes, plain.sizes);
    t.equal(focused.chaosMs, plain.chaosMs);
  }
});
