import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import { type Clock, systemClock } from "../../../lib/clock.js";
import { recordingLog } from "../../../lib/log.js";
import { lockDataDirectory } from "./data-directory-lock.js";
import { identityOf, judgeProcess } from "./processes.js";

const clock = systemClock();
/** Time runs fifty times faster. */
const fast: Clock = {
  ...clock,
  monotonic: () => clock.monotonic() * 50,
  after: (delayMs, run) => clock.after(delayMs / 50, run),
};

async function newDirectory(t: Test): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "swift-eats-lock-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const log = recordingLog();
const lock = (dataDir: string, on = clock) => lockDataDirectory({ dataDir, clock: on, log });
const inUse = { name: "DataDirectoryInUse" };
const mine = identityOf(process.pid)!;

t.test("R-OPS-1: one at a time, also within one process; a directory that is not there is made", async (t) => {
  const dataDir = path.join(await newDirectory(t), "new", "data");
  const held = await lock(dataDir);
  await t.rejects(lock(dataDir), inUse);
  await t.rejects(lock(dataDir), { message: new RegExp(`process ${process.pid}`) });
  await held.release();
  const again = await lock(dataDir);
  await again.release();
  t.strictSame(await readdir(dataDir), []);
});

t.test("R-OPS-1: of many that start at the same instant at most one goes on", async (t) => {
  const dataDir = await newDirectory(t);
  for (let round = 0; round < 10; round++) {
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => lock(dataDir)));
    const won = tries.filter((one) => one.status === "fulfilled");
    t.ok(won.length <= 1);
    for (const one of won) await one.value.release();
    t.strictSame(await readdir(dataDir), [], "who gives way leaves nothing behind");
  }
});

t.test(
  "R-OPS-1: a lock whose process is dead, or whose id is another process now, is taken over at once",
  async (t) => {
    const dataDir = await newDirectory(t);
    const dead = { ...mine, pid: 2 ** 31 - 2 };
    const reused = { ...mine, started: `${mine.started}9` };
    t.equal(judgeProcess(dead), "dead");
    t.equal(judgeProcess(reused), "dead");
    t.equal(judgeProcess(mine), "alive");
    await writeFile(path.join(dataDir, "node-1.lock"), JSON.stringify(dead));
    await writeFile(path.join(dataDir, "node-2.lock"), JSON.stringify(reused));
    // A clock that stands still: nothing may wait.
    const held = await lock(dataDir, { ...clock, after: () => t.fail("it waits") as never });
    t.equal((await readdir(dataDir)).length, 1);
    await held.release();
  },
);

t.test("R-OPS-1: a lock of another boot or container counts as long as it is touched", async (t) => {
  const dataDir = await newDirectory(t);
  const file = path.join(dataDir, "node-3.lock");
  const foreign = { ...mine, world: "another boot" };
  t.equal(judgeProcess(foreign), "foreign");
  await writeFile(file, JSON.stringify(foreign));
  let beats = 1_000;
  const stopBeating = clock.every(5, () => void utimes(file, ++beats, beats).catch(() => {}));
  await t.rejects(lock(dataDir, fast), inUse);
  stopBeating();
  await utimes(file, 5_000, 5_000);
  const held = await lock(dataDir, fast);
  t.notOk((await readdir(dataDir)).includes("node-3.lock"));
  await held.release();
});

t.test("R-OPS-1: a lock that cannot be read is watched like one of another boot", async (t) => {
  const dataDir = await newDirectory(t);
  await writeFile(path.join(dataDir, "node-4.lock"), "not a lock");
  const held = await lock(dataDir, fast);
  await held.release();
});
