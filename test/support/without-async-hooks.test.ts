import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { readTap } from "./tap-output.js";

const folder = mkdtempSync(join(tmpdir(), "swift-eats-hooks-"));
t.teardown(() => rmSync(folder, { recursive: true }));

/** What the runner sees of a test file of this text. */
function runText(text: string) {
  const file = join(folder, "a.test.mjs");
  writeFileSync(file, `import t from "${import.meta.resolve("tap")}";\n${text}`);
  const guard = new URL("./without-async-hooks.js", import.meta.url);
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [`--import=${guard}`, file], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { result: readTap(stdout, { code: status, signal }), said: stdout + stderr };
}

const testThat = (line: string): string =>
  `t.test("one", async (t) => { t.pass(); ${line}; await new Promise((done) => process.once("beforeExit", done)); });`;

t.test("an error that nobody awaits fails the file, and is told", async (t) => {
  for (const line of [
    'process.nextTick(() => { throw new Error("late") })',
    'void Promise.reject(new Error("late"))',
  ]) {
    const { result, said } = runText(testThat(line));
    t.ok(result.failed > 0, line);
    t.match(said, /late/, "with its message");
  }
  t.match(runText(testThat("")).result, { passed: 1, failed: 0 }, "and nothing else does");
});

t.test("promises are not followed", async (t) => {
  const text = `
    import { createHook } from "node:async_hooks";
    let births = 0;
    createHook({ init: () => births++ }).enable();
    await Promise.all([Promise.resolve(), Promise.resolve()]);
    t.equal(births, 0);`;
  t.match(runText(text).result, { passed: 1, failed: 0 });
});
