import fc from "fast-check";
import t from "tap";
import { manualClock } from "./fixtures/bench.js";
import { createTimerWheel, type WheelEntry } from "./timer-wheel.js";

interface Entry extends WheelEntry {
  readonly name: number;
}
const entry = (name: number): Entry => ({ name, dueAt: 0, wheelNext: null, wheelPrevious: null });

t.test("entries expire never early and at most a tick late, whatever is armed, moved and disarmed", async (t) => {
  const action = fc.record({
    name: fc.integer({ min: 0, max: 9 }),
    delayMs: fc.integer({ min: 0, max: 900 }),
    disarm: fc.boolean(),
    advanceMs: fc.integer({ min: 0, max: 300 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const clock = manualClock();
      const due = new Map<number, number>();
      const entries = Array.from({ length: 10 }, (_, name) => entry(name));
      const wheel = createTimerWheel<Entry>({
        clock,
        tickMs: 10,
        slots: 16,
        expire({ name }) {
          const at = due.get(name);
          if (at === undefined) throw new Error(`${name} expired though it was not armed`);
          const late = clock.monotonic() - at;
          if (late < 0 || late > 20) throw new Error(`${name} expired ${late} ms late`);
          due.delete(name);
        },
      });
      for (const { name, delayMs, disarm, advanceMs } of actions) {
        if (disarm) {
          wheel.disarm(entries[name]!);
          due.delete(name);
        } else {
          wheel.arm(entries[name]!, clock.monotonic() + delayMs);
          due.set(name, clock.monotonic() + delayMs);
        }
        clock.advance(advanceMs);
        if (wheel.size() !== due.size) throw new Error("the wheel counts wrongly");
      }
      clock.advance(2_000);
      return due.size === 0 && wheel.size() === 0 && clock.timers() === 0;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test("an expiring entry may arm itself and disarm others", async (t) => {
  const clock = manualClock();
  const seen: number[] = [];
  const [first, second, third] = [entry(1), entry(2), entry(3)];
  const wheel = createTimerWheel<Entry>({
    clock,
    tickMs: 10,
    slots: 4,
    expire(expired) {
      seen.push(expired.name);
      if (expired === first && seen.length < 3) {
        wheel.arm(first, clock.monotonic());
        wheel.disarm(second);
      }
    },
  });
  for (const each of [first, second, third]) wheel.arm(each, clock.monotonic() + 5);
  clock.advance(100);
  t.same(seen, [1, 3, 1]);
});
