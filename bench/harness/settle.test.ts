import t from "tap";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { cpuSecondsBetween, type ProcessUsage } from "../lib/process.js";
import { strideOf } from "../load/pacer.js";
import { startProgram } from "./program.js";
import { areAlike, collectGarbage, giveBack, isWarm } from "./settle.js";

t.test("R-BEN-1: a process is at rest when its last seconds used the same", async (t) => {
  t.ok(areAlike([0.001, 0.008, 0.002, 0.003, 0.001]), "next to nothing is always the same");
  t.ok(areAlike([0.1, 0.11, 0.12, 0.1, 0.11]));
  t.notOk(areAlike([0.9, 0.4, 0.1, 0.1, 0.1]), "still reading something");
});

t.test("R-BEN-1: a side is warm when an operation has got no cheaper twice, under any of its loads", async (t) => {
  t.notOk(isWarm([]));
  t.notOk(isWarm([[18_600, 9_600]]), "nothing to compare it with");
  t.notOk(isWarm([[18_600], [18_500]]), "once may be chance");
  t.notOk(isWarm([[18_600], [12_900], [11_500]]));
  t.notOk(isWarm([[18_600], [12_900], [11_500], [11_400]]), "the last but one was much cheaper than all before");
  t.ok(isWarm([[18_600], [12_900], [11_500], [11_400], [11_700]]));
  t.ok(isWarm([[40], [44], [39]]), "what does not change is warm as soon as it can be known");
  t.notOk(
    isWarm([
      [40, 20],
      [41, 15],
      [40, 12],
    ]),
    "under the other load it still gets cheaper",
  );
});

t.test("R-BEN-1: processor time is exact while threads live, and in ticks when one has ended", async (t) => {
  const usage = (cpuSeconds: number, exactCpuSeconds: number): ProcessUsage => ({
    cpuSeconds,
    exactCpuSeconds,
    residentBytes: 0,
  });
  t.ok(Math.abs(cpuSecondsBetween(usage(1.0, 1.0012), usage(1.09, 1.1034)) - 0.1022) < 1e-9);
  t.ok(
    Math.abs(cpuSecondsBetween(usage(1.0, 1.0), usage(1.5, 0.7)) - 0.5) < 1e-9,
    "an ended thread took its time along",
  );
  t.ok(Math.abs(cpuSecondsBetween(usage(1.0, Number.NaN), usage(1.5, 1.5)) - 0.5) < 1e-9);
});

t.test("R-BEN-1: whoever carries orders is due as often in any part of a round", async (t) => {
  for (const [count, carrying] of [
    [10_000, 1_800],
    [1_000, 180],
  ] as const) {
    const turns = Array.from({ length: count }, (_, turn) => (turn * strideOf(count)) % count);
    t.equal(new Set(turns).size, count, "everybody once a round");
    const tenth = count / 10;
    const inTenths = Array.from(
      { length: 10 },
      (_, part) => turns.slice(part * tenth, (part + 1) * tenth).filter((one) => one < carrying).length,
    );
    const fair = carrying / 10;
    t.ok(
      inTenths.every((here) => Math.abs(here - fair) <= fair / 4),
      `${count}: ${inTenths}`,
    );
  }
  t.equal(strideOf(1), 1);
});

t.test("R-BEN-1: a program that is measured collects its garbage when it is asked, and goes on", async (t) => {
  const program = await startProgram(new URL("../limits/sockets.js", import.meta.url), { orderOf: {} });
  t.teardown(() => program.stop());
  for (const [asked, what] of [
    [collectGarbage, "its garbage"],
    [giveBack, "everything that it can"],
  ] as const) {
    // What happened before is told, so that what is told from now on is what was asked for.
    await program.gauges();
    asked([program.pid]);
    for (;;) {
      const { collector } = await program.gauges();
      if (collector.totalMs > 0) break;
      await sleep(systemClock(), 20);
    }
    t.pass(`it has collected ${what}`);
  }
});
