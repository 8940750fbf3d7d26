import t from "tap";
import type { Trace } from "../ports.js";
import { createTrace } from "./trace.js";

function traced(write: (trace: Trace, at: (now: number) => void) => void): Trace {
  let now = Date.UTC(2026, 0, 1);
  const trace = createTrace({ now: () => now });
  write(trace, (next) => {
    now = next;
  });
  return trace;
}

t.test(
  "R-SIM-2: everything that happened is in the hash: what, to whom, when, in which order, with which numbers",
  async (t) => {
    const runs: Record<string, (trace: Trace, at: (now: number) => void) => void> = {
      nothing: () => {},
      one: (trace) => trace.note("commit", "order/1", [1, 2]),
      "another thing": (trace) => trace.note("crash", "order/1", [1, 2]),
      "another entity": (trace) => trace.note("commit", "order/2", [1, 2]),
      "other numbers": (trace) => trace.note("commit", "order/1", [2, 1]),
      "a great number": (trace) => trace.note("commit", "order/1", [1 + 2 ** 32, 2]),
      "a negative number": (trace) => trace.note("commit", "order/1", [-1, 2]),
      "another time": (trace, at) => {
        at(5);
        trace.note("commit", "order/1", [1, 2]);
      },
      twice: (trace) => {
        trace.note("commit", "order/1", [1, 2]);
        trace.note("commit", "order/1", [1, 2]);
      },
      "a and b": (trace) => {
        trace.note("a", "x");
        trace.note("b", "x");
      },
      "b and a": (trace) => {
        trace.note("b", "x");
        trace.note("a", "x");
      },
    };
    const hashes = Object.entries(runs).map(([name, run]) => [name, traced(run).hash()] as const);
    for (const [name, hash] of hashes) {
      t.match(hash, /^[0-9a-f]{16}$/);
      t.same(
        hashes.filter(([, other]) => other === hash).map(([other]) => other),
        [name],
      );
      t.equal(traced(runs[name]!).hash(), hash, "and the same again");
    }
  },
);

t.test("R-SIM-2: a fraction never goes into the hash: machines round differently", async (t) => {
  t.throws(() => traced((trace) => trace.note("gps", "driver/1", [0.5])), RangeError);
});

t.test("R-SIM-2: stories are told by entity, in order, within bounds, and change no hash", async (t) => {
  const silent = traced((trace) => trace.note("a", "x"));
  const told = traced((trace) => trace.note("a", "x", undefined, () => "it happened"));
  t.equal(told.hash(), silent.hash());
  t.same(
    told.story("x").map(({ text }) => text),
    ["it happened"],
  );
  const trace = createTrace({ now: () => 0, linesPerEntity: 3, maxEntities: 2 });
  for (let i = 1; i <= 5; i++) trace.note("step", "x", undefined, () => `x${i}`);
  trace.note("step", "y", undefined, () => "y1");
  trace.note("step", "x", undefined, () => "x6");
  t.same(
    trace.story("x", "y").map(({ text }) => text),
    ["x4", "x5", "y1", "x6"],
  );
  trace.note("step", "z", undefined, () => "z1");
  t.same(
    trace.story().map(({ text }) => text),
    ["x4", "x5", "x6", "z1"],
    "who was quiet longest gave way",
  );
});

t.test("R-SIM-2: a run that tells no stories has the same hash as one that does", async (t) => {
  const hashes = [true, false].map((stories) => {
    const trace = createTrace({ now: () => 7, stories });
    let told = 0;
    trace.note("commit", "order/1", [1], () => `line ${++told}`);
    t.equal(trace.story("order/1").length, stories ? 1 : 0);
    t.equal(told, stories ? 1 : 0, "and makes no lines");
    return trace.hash();
  });
  t.equal(hashes[0], hashes[1]);
});
