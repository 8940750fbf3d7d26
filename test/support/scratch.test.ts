import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { makeScratch } from "./scratch.js";

t.test("whoever names a directory for what is thrown away gets it", async (t) => {
  const place = t.testdir();
  t.equal(makeScratch("/elsewhere", place).directory, null);
  t.equal(makeScratch("", null).directory, null, "and so does who has no room");
});

t.test("what tests throw away lies by itself, and is gone afterwards", async (t) => {
  const place = t.testdir();
  const scratch = makeScratch(undefined, place);
  const directory = scratch.directory!;
  t.equal(statSync(directory).mode & 0o7777, 0o1777, "everybody's, like the system's own");
  writeFileSync(join(directory, "left"), "something");
  const { pid: gone } = spawnSync(process.execPath, ["-e", ""]);
  const left = join(place, `swift-eats-tests-${gone}-left`);
  mkdirSync(left);
  const second = makeScratch("", place);
  t.notOk(existsSync(left), "what an ended run left behind goes with the next");
  t.ok(existsSync(join(directory, "left")), "and not what one that still runs has");
  second.remove();
  scratch.remove();
  t.notOk(existsSync(directory));
});
