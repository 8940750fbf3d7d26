import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { makeScratch } from "./scratch.js";

t.test("whoever names a directory for what is thrown away gets it", async (t) => {
  t.equal(makeScratch("/elsewhere").directory, null);
});

t.test("what tests throw away lies in memory where there is room, and is gone afterwards", async (t) => {
  const scratch = makeScratch(undefined);
  const { directory } = scratch;
  if (directory === null) {
    t.pass("there is no room");
    return;
  }
  t.teardown(() => scratch.remove());
  t.equal(statSync(directory).mode & 0o7777, 0o1777, "everybody's, like the system's own");
  writeFileSync(join(directory, "left"), "something");
  const { pid: gone } = spawnSync(process.execPath, ["-e", ""]);
  const left = join(dirname(directory), `swift-eats-tests-${gone}-left`);
  mkdirSync(left);
  t.teardown(() => rmSync(left, { recursive: true, force: true }));
  const second = makeScratch("");
  t.notOk(existsSync(left), "what an ended run left behind goes with the next");
  t.ok(existsSync(join(directory, "left")), "and not what one that still runs has");
  second.remove();
  scratch.remove();
  t.notOk(existsSync(directory));
});
