import t from "tap";
import type { MirrorEntry, MirrorPort } from "../ports.js";
import { VirtualClock } from "../testkit/mod.js";
import { MirrorBatch } from "./mirror-batch.js";

const entry = (key: string, counter: number): MirrorEntry => ({
  key,
  version: [1, counter],
  value: counter,
  expiresAt: Number.MAX_SAFE_INTEGER,
});

function batchOf(port: Partial<MirrorPort>) {
  const clock = new VirtualClock(0);
  const written: string[] = [];
  const batch = new MirrorBatch(
    {
      write: (entries) => void written.push(entries.map(({ key, value }) => `${key}=${value}`).join(" ")),
      read: async (keys) => keys.map(() => null),
      close: async () => {},
      ...port,
    },
    clock,
    50,
    3,
  );
  function pass(ms: number): void {
    const until = clock.now() + ms;
    while (clock.step(until));
    clock.moveTo(until);
  }
  return { pass, written, batch };
}

t.test("R-GPS-5: who is near hears each as it is said, others the newest of each key a while later", async (t) => {
  const near: string[] = [];
  const { pass, written, batch } = batchOf({
    atOnce({ key, value }) {
      near.push(`${key}=${value}`);
      return key !== "here";
    },
  });
  for (const [counter, key] of ["a", "b", "here", "a"].entries()) batch.put(entry(key, counter));
  t.same(near, ["a=0", "b=1", "here=2", "a=3"]);
  pass(49);
  t.same(written, []);
  pass(1);
  t.same(written, ["a=3 b=1"], "what only the near one wants is not collected");
  pass(200);
  t.equal(written.length, 1);
});

t.test("what is collected has a bound, and the end of the host waits for no clock", async (t) => {
  const { pass, written, batch } = batchOf({});
  for (const [counter, key] of ["a", "b", "c", "d"].entries()) batch.put(entry(key, counter));
  t.same(written, ["a=0 b=1 c=2"]);
  batch.flush();
  t.same(written, ["a=0 b=1 c=2", "d=3"]);
  pass(200);
  t.equal(written.length, 2);
});
