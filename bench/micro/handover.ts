/**
 * What a decision costs the shard worker that asks for it: a question about 500 orders and 1,000 drivers is written, goes
 * through the engine as an effect does, is copied for the pool's thread, and the answer is copied back. The deciding
 * itself happens in the pool and is measured by `decide.ts`.
 *
 *   node dist/bench/micro/handover.js [orders] [drivers] [rounds]
 */
import {
  type DecisionRequest,
  decisionRules,
  defaultDomainSettings,
  solveDecision,
  writeQuestion,
} from "../../src/actors/domain/mod.js";
import { systemClock } from "../../src/lib/clock.js";
import { decode, encode } from "../../src/lib/msgpack.js";
import { seededRandom } from "../../src/lib/random.js";

const [ORDERS = 500, DRIVERS = 1_000, ROUNDS = 200] = process.argv.slice(2).map(Number);
const NOW = 1_800_000_000_000;
const random = seededRandom(3);
const clock = systemClock();
const lat = (): number => 51 + random.next() * 0.1;
const lng = (): number => 7 + random.next() * 0.1;

const request: DecisionRequest = {
  id: "00000000-0000-7000-8000-000000000000",
  now: NOW,
  seed: 1,
  leadMs: 30_000,
  orders: Array.from({ length: ORDERS }, (_, i) => [
    `order-${i}-of-this-evening`,
    `restaurant-${i % 120}`,
    lat(),
    lng(),
    lat(),
    lng(),
    NOW - 300_000,
    NOW + random.next() * 1_200_000,
    i % 5 === 0 ? ["driver-1-of-this-evening"] : [],
  ]),
  drivers: Array.from({ length: DRIVERS }, (_, i) => [
    `driver-${i}-of-this-evening`,
    lat(),
    lng(),
    NOW + (i % 3) * 300_000,
    random.next(),
    0.5 + random.next() / 2,
    "bicycle",
    0.125,
  ]),
  recent: [],
  previous: [],
  ways: { way: 1.2, paced: 1.1, vehicles: { bicycle: 1.1 } },
  rules: decisionRules(defaultDomainSettings),
};

const answer = solveDecision(request);
const times: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const began = clock.monotonic();
  structuredClone(decode(encode({ input: writeQuestion(request) })));
  structuredClone(answer);
  times.push(clock.monotonic() - began);
}
times.sort((a, b) => a - b);
const at = (share: number): string => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(2);
console.log(
  `handing over ${ORDERS} orders and ${DRIVERS} drivers (${encode(request).length} bytes), ${ROUNDS} times, in ms: ` +
    `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`,
);
