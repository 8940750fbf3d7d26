import t from "tap";
import { sleep, systemClock } from "./clock.js";
import { lateness, watchLoop } from "./loop-delay.js";

const clock = systemClock();

t.test("what was asked for between two looks is not late", async (t) => {
  t.equal(lateness(20e6), 0);
  t.equal(lateness(19e6), 0, "a timer may come early");
  t.equal(lateness(70.5e6), 50.5);
});

t.test("a loop that was held up is late by that, until it is looked at anew", async (t) => {
  const loop = watchLoop();
  await sleep(clock, 60);
  const until = clock.monotonic() + 300;
  while (clock.monotonic() < until);
  await sleep(clock, 60);
  t.ok(loop.lateMs(1) >= 250, `${loop.lateMs(1)} ms`);
  t.ok(loop.lateMs(0.01) < loop.lateMs(1));
  loop.reset();
  t.equal(loop.lateMs(1), 0, "nothing was seen since");
  loop.stop();
});
