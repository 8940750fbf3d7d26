import t from "tap";
import { endOfTurn } from "../../../lib/schedule.js";
import { createProcessClock } from "./process-clock.js";
import { VirtualClock } from "./virtual-clock.js";

const START = 1_700_000_000_000;

function drive(world: VirtualClock, untilMs: number): void {
  while (world.step(START + untilMs)) {}
  world.moveTo(START + untilMs);
}

t.test("R-SIM-2: a clock that drifts wakes nobody early by its own time, and loses nothing", async (t) => {
  for (const parts of [0, 500, -500, 50_000, -50_000, 200_000, -200_000]) {
    const world = new VirtualClock(START);
    const clock = createProcessClock(world);
    clock.drift(parts);
    const woken: { readonly asked: number; readonly at: number; readonly world: number }[] = [];
    for (const asked of [0, 1, 2, 3, 7, 100, 999, 10_000]) {
      clock.after(asked, () => woken.push({ asked, at: clock.monotonic(), world: world.monotonic() }));
    }
    drive(world, 20_000);
    t.equal(woken.length, 8, `${parts} millionths: all of them come`);
    for (const { asked, at, world: passed } of woken) {
      t.ok(at >= asked && at <= asked + 1, `${parts} millionths: ${asked} ms end after ${at} of its own`);
      const expected = asked / (1 + parts / 1e6);
      t.ok(Math.abs(passed - expected) <= 3, `${parts} millionths: ${asked} ms end after ${passed} of the world's`);
    }
  }
});

t.test("R-SIM-2: drift is part of the wall clock too, and a jump is of the wall clock alone", async (t) => {
  const world = new VirtualClock(START);
  const clock = createProcessClock(world);
  clock.drift(100_000);
  drive(world, 1_000);
  t.equal(clock.now(), START + 1_100);
  t.equal(clock.monotonic(), 1_100);
  clock.skew(-5_000);
  t.equal(clock.now(), START - 3_900, "the wall clock goes back");
  t.equal(clock.monotonic(), 1_100, "the monotonic one does not");
  clock.drift(0);
  drive(world, 2_000);
  t.equal(clock.monotonic(), 2_100, "what was drifted stays, nothing is added");
});

t.test("R-SIM-2: what falls due during a pause happens afterwards, in order, each in a turn of its own", async (t) => {
  const world = new VirtualClock(START);
  const clock = createProcessClock(world);
  const order: string[] = [];
  clock.after(10, () => {
    order.push("a");
    void Promise.resolve().then(() => order.push("after a"));
  });
  clock.after(20, () => order.push("b"));
  const cancel = clock.after(30, () => order.push("cancelled"));
  clock.after(2_000, () => order.push("c"));
  clock.pause();
  drive(world, 1_000);
  t.same(order, [], "it sleeps");
  cancel();
  clock.resume();
  while (world.step(START + 1_000)) await new Promise<void>((resolve) => endOfTurn(resolve));
  t.same(order, ["a", "after a", "b"]);
  drive(world, 3_000);
  t.same(order.at(-1), "c");
});

t.test("R-SIM-2: nothing that a dead process asked for happens", async (t) => {
  const world = new VirtualClock(START);
  const clock = createProcessClock(world);
  let ran = 0;
  clock.after(10, () => ran++);
  const stop = clock.every(5, () => ran++);
  drive(world, 6);
  t.equal(ran, 1);
  clock.pause();
  drive(world, 20);
  clock.die();
  clock.resume();
  drive(world, 100);
  t.equal(ran, 1);
  t.equal(clock.state, "dead");
  stop();
});
