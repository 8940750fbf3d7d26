import t from "tap";
import { createScheduler } from "./scheduler.js";
import { createStreams } from "./streams.js";

const START = Date.UTC(2026, 0, 1);

/** Who comes when, with several processes that are due at the same instants. */
async function order(seed: number): Promise<string> {
  const scheduler = createScheduler(seed, START);
  const said: string[] = [];
  const clocks = ["a", "b", "c"].map((name) => [name, scheduler.process(name)] as const);
  for (let instant = 1; instant <= 10; instant++)
    for (const [name, clock] of clocks)
      for (const number of [1, 2]) clock.after(instant, () => said.push(`${instant}${name}${number}`));
  await scheduler.until(() => false, START + 100);
  return said.join(" ");
}

t.test("R-SIM-2: the seed says who comes first at an instant, and within a process nobody is overtaken", async (t) => {
  t.equal(await order(1), await order(1));
  t.not(await order(1), await order(2));
  const firsts = new Set<string>();
  for (const word of (await order(3)).split(" ").filter((_, index) => index % 6 === 0)) firsts.add(word.slice(-2, -1));
  t.ok(firsts.size > 1, "and not always the same");
  for (const seed of [1, 2, 3]) {
    const words = (await order(seed)).split(" ");
    for (let instant = 1; instant <= 10; instant++)
      for (const name of ["a", "b", "c"])
        t.ok(
          words.indexOf(`${instant}${name}1`) < words.indexOf(`${instant}${name}2`),
          `seed ${seed}: ${instant}${name}`,
        );
  }
});

t.test("R-SIM-2: time stands still while promises run, and goes straight to what is due next", async (t) => {
  const scheduler = createScheduler(1, START);
  const seen: string[] = [];
  scheduler.clock.after(1_000, () => {
    void (async () => {
      for (let i = 0; i < 50; i++) await null;
      seen.push(`promises at ${scheduler.now - START}`);
    })();
  });
  scheduler.clock.after(1_001, () => seen.push("next"));
  scheduler.clock.after(1_000_000, () => seen.push("last"));
  t.equal(await scheduler.until(() => seen.length === 3, START + 2_000_000), true);
  t.same(seen, ["promises at 1000", "next", "last"]);
  t.equal(scheduler.now, START + 1_000_000, "no further than the condition needed");
  t.equal(scheduler.steps, 3);
});

t.test("R-SIM-2: time ends at the limit, and what was cancelled does not happen", async (t) => {
  const scheduler = createScheduler(1, START);
  let ran = 0;
  scheduler.clock.after(10, () => ran++)();
  const stop = scheduler.clock.every(100, () => ran++);
  t.equal(await scheduler.until(() => false, START + 250), false);
  t.equal(ran, 2);
  t.equal(scheduler.now, START + 250);
  stop();
  await scheduler.until(() => false, START + 1_000);
  t.equal(ran, 2);
});

t.test("R-SIM-2: an error that nobody catches ends the run, as does going round without end", async (t) => {
  const scheduler = createScheduler(1, START);
  scheduler.clock.after(1, () => {
    throw new Error("uncaught");
  });
  await t.rejects(
    scheduler.until(() => false, START + 10),
    { message: "uncaught" },
  );
  const again = (): void => void scheduler.clock.after(0, again);
  again();
  await t.rejects(
    scheduler.until(() => false, START + 10),
    /without end/,
  );
});

t.test("R-SIM-2: what one component draws changes nothing for another", async (t) => {
  const drawn = (before: readonly string[]): number[] => {
    const streams = createStreams(7);
    for (const name of before) streams.of(name).next();
    return Array.from({ length: 5 }, () => streams.of("network").next());
  };
  t.same(drawn([]), drawn(["store", "client c-1", "swarm", "store"]));
  t.notSame(drawn([]), drawn(["network"]));
  const first = (seed: number, name: string): number => createStreams(seed).of(name).next();
  const all = [1, 2, 3, 4].flatMap((seed) => ["a", "b", "network", "store"].map((name) => first(seed, name)));
  t.equal(new Set(all).size, all.length);
});
