import t from "tap";
import { VirtualClock } from "../actors/runtime/testkit/mod.js";
import { whenStarterIsGone } from "./starter.js";

t.test("R-OPS-1: a node whose starter is gone is told so, once", async (t) => {
  const clock = new VirtualClock(0);
  let parent = 4711;
  let told = 0;
  whenStarterIsGone(
    clock,
    () => parent,
    () => {
      told++;
    },
  );
  while (clock.step(60_000)) {}
  t.equal(told, 0, "not while it lives");
  parent = 1;
  while (clock.step(120_000)) {}
  t.equal(told, 1);
});
