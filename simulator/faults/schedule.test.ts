import t from "tap";
import { DIRECTIONS, FAULT_KINDS, faultText, isCut } from "./kinds.js";
import { countKey, planFaults } from "./schedule.js";

const HOUR = { nodes: 3, leaseMs: 3_000, forMs: 3_600_000 };

t.test("R-CLU-2: one seed, one schedule; another seed, another", async (t) => {
  t.strictSame(planFaults({ seed: 5, ...HOUR }), planFaults({ seed: 5, ...HOUR }));
  t.notSame(planFaults({ seed: 5, ...HOUR }), planFaults({ seed: 6, ...HOUR }));
});

t.test("R-CLU-2: every kind comes before any comes twice, and all ways to cut come in time", async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const first = planFaults({ seed, ...HOUR, most: FAULT_KINDS.length });
    t.strictSame(first.map(({ fault }) => fault.kind).sort(), [...FAULT_KINDS].sort());
  }
  const cuts = planFaults({ seed: 1, ...HOUR }).flatMap(({ fault }) => (isCut(fault) ? [fault] : []));
  t.strictSame([...new Set(cuts.map((cut) => cut.direction))].sort(), [...DIRECTIONS].sort());
  t.strictSame([...new Set(cuts.map((cut) => cut.manner))].sort(), ["drop", "reset"]);
  t.strictSame([...new Set(cuts.map((cut) => cut.node))].sort(), [0, 1, 2], "no node is spared");
});

t.test("R-CLU-2: faults do not overlap, with a healthy pause between; a pause outlasts two leases", async (t) => {
  const planned = planFaults({ seed: 9, ...HOUR });
  t.ok(planned.length > 100);
  for (const [index, { atMs, fault }] of planned.entries()) {
    const before = planned[index - 1];
    if (before !== undefined) {
      const lastsMs = before.fault.kind === "roll-nodes" ? 0 : before.fault.forMs;
      t.ok(atMs >= before.atMs + lastsMs + 2_000, `${faultText(before.fault)}, then ${faultText(fault)}`);
    }
    if (fault.kind === "pause-node") t.ok(fault.forMs >= 2 * HOUR.leaseMs && fault.forMs <= 3 * HOUR.leaseMs);
    t.ok(atMs < HOUR.forMs);
  }
});

t.test("only what is asked for, and no more than asked for", async (t) => {
  const planned = planFaults({ seed: 2, ...HOUR, only: ["kill-nats", "roll-nodes"], most: 7 });
  t.equal(planned.length, 7);
  t.strictSame([...new Set(planned.map(({ fault }) => countKey(fault)))].sort(), ["kill-nats", "roll-nodes"]);
  t.strictSame(planFaults({ seed: 2, ...HOUR, forMs: 1_000 }), [], "no time, no fault");
});

t.test("in haste the same faults take less time, and a pause still outlasts two leases", async (t) => {
  const most = FAULT_KINDS.length;
  const usual = planFaults({ seed: 3, ...HOUR, most });
  const hasty = planFaults({ seed: 3, ...HOUR, most, hasty: true });
  t.ok(hasty.at(-1)!.atMs < usual.at(-1)!.atMs);
  for (const { fault } of hasty) if (fault.kind === "pause-node") t.ok(fault.forMs >= 2 * HOUR.leaseMs);
});
