import t from "tap";
import {
  type DecisionPool,
  type DecisionRequest,
  decisionEffect,
  decisionRules,
  defaultDomainSettings,
  inProcessDecisions,
  solveDecision,
  writeQuestion,
} from "../actors/domain/mod.js";
import { systemClock } from "../lib/clock.js";
import { createDecisionPool } from "./decision-pool.js";

const clock = systemClock();
const after = (delayMs: number, run: () => void) => clock.after(delayMs, run);
const NOW = 1_800_000_000_000;

/** A small evening: `orders` waiting, half as many drivers around them. */
function question(id: string, orders: number, seed: number): DecisionRequest {
  const north = (index: number): number => 4.6 + ((index * 7 + seed) % 20) / 1_000;
  const east = (index: number): number => -74.1 + ((index * 13 + seed) % 20) / 1_000;
  return {
    id,
    now: NOW,
    seed,
    leadMs: 45_000,
    orders: Array.from({ length: orders }, (_, i) => [
      `o${i}`,
      `r${i % 3}`,
      north(i % 3),
      east(i % 3),
      north(i + 5),
      east(i + 9),
      NOW - 300_000,
      NOW + (i % 5) * 60_000,
      i % 4 === 0 ? ["d0"] : [],
    ]),
    drivers: Array.from({ length: Math.ceil(orders / 2) }, (_, i) => [
      `d${i}`,
      north(i + 2),
      east(i + 3),
      i % 2 === 0 ? NOW : NOW + 240_000,
      0,
      0.9,
      i % 2 === 0 ? "bicycle" : "car",
      i % 3 === 0 ? 0.5 : 0.1,
    ]),
    recent: [],
    previous: [],
    ways: { way: 1.2, paced: 1.1, vehicles: { car: 1.4 } },
    rules: decisionRules(defaultDomainSettings),
  };
}

const pools: Record<string, () => DecisionPool & { close(): Promise<void> }> = {
  threads: () => createDecisionPool(1),
  "the twin": () => ({ ...inProcessDecisions(after, 1), close: async () => {} }),
};

for (const [name, create] of Object.entries(pools)) {
  t.test(`R-DSP-1: ${name}: every question gets its own answer, the one that the pure function gives`, async (t) => {
    const pool = create();
    t.teardown(() => pool.close());
    const questions = [1, 2, 3, 4].map((seed) => question(`q${seed}`, 4 * seed, seed));
    const answers = await Promise.all(questions.map((each) => pool.solve(writeQuestion(each))));
    t.same(answers, questions.map(solveDecision));
    t.ok(answers.some(({ trips }) => trips.length > 0));
  });

  t.test(`R-DSP-1: ${name}: the answer comes in a later turn, and the asker goes on meanwhile`, async (t) => {
    const pool = create();
    t.teardown(() => pool.close());
    let turns = 0;
    let answered = false;
    const work = pool.solve(writeQuestion(question("q", 60, 1))).then(() => {
      answered = true;
    });
    t.notOk(answered);
    while (!answered && turns < 100_000) {
      turns++;
      await new Promise<void>((resolve) => clock.after(0, resolve));
    }
    await work;
    t.ok(turns > 0, `${turns} turns`);
  });

  t.test(`R-DSP-1: ${name}: nonsense is refused and the next question answered`, async (t) => {
    const pool = create();
    t.teardown(() => pool.close());
    const twice = question("q", 4, 1);
    await t.rejects(pool.solve(writeQuestion({ ...twice, orders: [...twice.orders, ...twice.orders] })), /orderId/);
    t.same(await pool.solve(writeQuestion(twice)), solveDecision(twice));
    const effect = decisionEffect(pool, 60_000, after);
    const request = { effectId: "e", actor: { kind: "k", key: "z" }, key: "q", attempt: 1 };
    t.equal(
      await effect({
        ...request,
        input: writeQuestion({ ...twice, drivers: [...twice.drivers, ...twice.drivers] }) as never,
      }),
      null,
    );
    t.same(await effect({ ...request, input: writeQuestion(twice) as never }), solveDecision(twice) as never);
  });
}

t.test("R-DSP-1: a pool that does not answer is not waited for", async (t) => {
  const effect = decisionEffect({ solve: () => new Promise(() => {}) }, 20, after);
  const input = writeQuestion(question("q", 1, 1)) as never;
  t.equal(await effect({ effectId: "e", actor: { kind: "k", key: "z" }, key: "q", attempt: 1, input }), null);
});
