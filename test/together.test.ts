import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readTogether } from "./support/tap-output.js";

const program = join(import.meta.dirname, "together.js");

/** What the runner sees when test files of these texts share a process. */
function run(t: Test, ...texts: readonly string[]) {
  const folder = t.testdir();
  const files = texts.map((text, number) => {
    const file = join(folder, `${number}.test.mjs`);
    writeFileSync(file, `import t from "tap";\n${text}`);
    return file;
  });
  const { stdout, status, signal } = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    input: files.join("\n"),
    timeout: 60_000,
  });
  return readTogether(stdout, files.length, { code: status, signal });
}

const PASSES = `t.test("fine", async (t) => t.ok(true));`;

t.test("each file says its own, and what fails in one is not another's", async (t) => {
  const fails = `t.test("not fine", async (t) => t.ok(false)); t.test("left out", { skip: "no server" }, async () => {});`;
  const waits = `await new Promise((done) => setTimeout(done, 20)); ${PASSES} await t.test("two", async (t) => t.ok(true));`;
  const parts = run(t, PASSES, fails, waits, `import "./not-there.mjs";`, PASSES);
  t.match(
    parts.map(({ result }) => result),
    [
      { passed: 1, failed: 0 },
      { passed: 0, failures: ["not fine"], skipped: ["left out (no server)"] },
      { passed: 2, failed: 0 },
      { passed: 0, failures: [/Cannot find module .*not-there/] },
      { passed: 1, failed: 0 },
    ],
  );
});

t.test("an error that nobody awaits, and an end in the midst, fail the file that made them", async (t) => {
  const throws = `t.test("one", (t) => { setTimeout(() => { throw new Error("late"); }, 1); setTimeout(() => t.end(), 50); });`;
  const late = run(t, PASSES, throws, PASSES).map(({ result }) => result.failed > 0);
  t.strictSame(late.slice(0, 2), [false, true]);
  const ended = run(t, PASSES, `t.test("one", async () => { process.kill(process.pid, "SIGKILL"); });`, PASSES);
  t.match(
    ended.map(({ result }) => result),
    [{ failed: 0 }, { failures: [/SIGKILL/] }, { failures: [/not run/] }],
  );
});

t.test("a file that holds no test is seen", async (t) => {
  t.match(run(t, "t;", PASSES)[0]!.result, { failures: ["the file holds no test"] });
});
