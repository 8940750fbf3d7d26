import t from "tap";
import type { Clock } from "./clock.js";
import { Gathering } from "./gather.js";

function handClock() {
  let now = 1_000;
  const due: { readonly at: number; readonly run: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(delayMs, run) {
      due.push({ at: now + delayMs, run });
      return () => undefined;
    },
    every: () => () => undefined,
  };
  const go = (ms: number): void => {
    now += ms;
    for (const each of due.splice(0)) {
      if (each.at <= now) each.run();
      else due.push(each);
    }
  };
  return { clock, go, timers: () => due.length };
}

t.test("the first runs at once; what comes within the window runs together, in order, at its end", async (t) => {
  const { clock, go, timers } = handClock();
  const gathering = new Gathering(clock, 10);
  const ran: number[] = [];
  const add = (number: number): void => gathering.add(() => ran.push(number));
  add(1);
  t.same(ran, [1]);
  go(4);
  add(2);
  go(3);
  add(3);
  t.same([ran, timers()], [[1], 1], "one timer for all");
  go(3);
  t.same(ran, [1, 2, 3]);
  go(5);
  add(4);
  t.same(ran, [1, 2, 3], "the window begins anew with every piece");
  go(5);
  t.same(ran, [1, 2, 3, 4]);
  go(10);
  add(5);
  t.same([ran.at(-1), timers()], [5, 0], "after a pause nobody waits");
  go(1);
  gathering.add(() => {
    ran.push(6);
    add(7);
  });
  go(9);
  t.equal(ran.at(-1), 6, "what is added while they run belongs to the next");
  go(10);
  t.equal(ran.at(-1), 7);
});

t.test("without a window everything runs at once", async (t) => {
  const { clock, timers } = handClock();
  const gathering = new Gathering(clock, 0);
  let count = 0;
  for (let i = 0; i < 5; i++) gathering.add(() => count++);
  t.same([count, timers()], [5, 0]);
});
