import t from "tap";
import type { Operation } from "../checkers/mod.js";
import { countOperations, gapFigures, heldUp } from "./figures.js";
import type { Inflicted } from "./inflict.js";

const operation = (
  subject: string,
  invokedAt: number,
  returnedAt: number,
  outcome: Operation["outcome"],
): Operation => ({
  principal: "c",
  type: "order.place",
  subject,
  invokedAt,
  returnedAt,
  outcome,
  code: outcome === "ok" ? "" : "timeout",
});

function inflicted(kind: "kill-node" | "roll-nodes", beganAt: number, healthyAt: number): Inflicted {
  const fault = kind === "roll-nodes" ? { kind } : { kind, node: 0, forMs: 1 };
  return { fault, beganAt, healedAt: healthyAt, healthyAt, drains: [], endedAlone: [] };
}

t.test("R-CLU-1: a command is held up from the fault to its answer, over every try in between", async (t) => {
  const operations = [
    operation("before", 0, 900, "ok"),
    operation("tried", 1_000, 3_000, "unknown"),
    operation("tried", 3_500, 6_000, "ok"),
    operation("late", 4_000, 4_700, "fail"),
    operation("quick", 4_000, 4_010, "ok"),
    operation("after", 9_000, 9_900, "ok"),
  ];
  const history = {
    placements: [],
    orders: [],
    drivers: [],
    tablets: [],
    faults: [],
    operations,
    gaps: [],
    starts: [],
    channels: [],
    unwritten: 0,
  };
  const { "kill-node": waits } = heldUp(history, [inflicted("kill-node", 2_000, 8_000)]);
  t.equal(waits?.count, 2);
  t.equal(waits?.max, 4_000, "from the fault at 2,000 to the answer at 6,000");
  t.strictSame(countOperations(operations), { total: 6, ok: 4, fail: 1, unknown: 1 });
});

t.test("R-CLU-4: gaps while nodes are rolled are told apart from others", async (t) => {
  const gap = (lostAt: number, backAt: number) => ({ principal: "c", lostAt, backAt, from: "a", to: "b" });
  const figures = gapFigures([gap(500, 900), gap(1_500, 1_600)], [inflicted("roll-nodes", 1_000, 2_000)]);
  t.equal(figures.gapsWhileRolling.count, 1);
  t.equal(figures.gapsWhileRolling.max, 100);
  t.equal(figures.gapsElsewhere.max, 400);
});
