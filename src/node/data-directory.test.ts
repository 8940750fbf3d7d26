import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { makeDataDirectory } from "./data-directory.js";

t.test("R-OPS-1: the data directory is made with all that is above it, and found when it is there", async (t) => {
  const deep = join(t.testdir(), "a", "b", "c");
  makeDataDirectory(deep);
  t.ok(statSync(deep).isDirectory());
  writeFileSync(join(deep, "kept"), "x");
  makeDataDirectory(deep);
  t.ok(statSync(join(deep, "kept")).isFile());
});

t.test("R-OPS-1: a data directory that cannot be is refused with its name and what to do", async (t) => {
  const file = join(t.testdir({ file: "x" }), "file");
  const help = /cannot be used: .*--data-dir/;
  t.throws(() => makeDataDirectory(file), { message: help });
  t.throws(() => makeDataDirectory(file), { message: /is a file, not a directory/ });
  t.throws(() => makeDataDirectory(join(file, "below")), { message: help });
});

t.test(
  "R-OPS-1: where the system refuses new names the node says so at once",
  {
    skip: process.platform === "linux" ? false : "only Linux has /proc",
  },
  async (t) => {
    t.throws(() => makeDataDirectory("/proc/swift-eats/data"), { message: /\/proc\/swift-eats\/data cannot be used/ });
  },
);
