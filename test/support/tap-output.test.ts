import t from "tap";
import { readTap } from "./tap-output.js";

const fine = { code: 0, signal: null };
const bad = { code: 1, signal: null };

t.test("tests are the outermost results, in both forms of a subtest", async (t) => {
  const output = [
    "TAP version 14",
    "# Subtest: one",
    "    ok 1 - inner",
    "    not ok 2 - inner # TODO one day",
    "    1..2",
    "ok 1 - one # time=12.5ms",
    "",
    "not ok 2 - two # time=3ms {",
    "    not ok 1 - numbers",
    "    1..1",
    "}",
    "noise: ok 3 is not a result",
    "ok 3 - three # SKIP no server",
    "1..3",
  ].join("\n");
  t.strictSame(readTap(output, bad), {
    passed: 1,
    failed: 1,
    skipped: ["inner (one day)", "three (no server)"],
    failures: ["two"],
  });
});

t.test("a file that dies, ends early, or ends badly has failed", async (t) => {
  t.match(readTap("TAP version 14\nok 1 - one\n", { code: null, signal: "SIGKILL" }), { passed: 1, failed: 1 });
  t.match(readTap("ok 1 - one\n1..2\n", fine), { failed: 1, failures: [/2 tests were planned and 1 ran/] });
  t.match(readTap("ok 1 - one\n1..1\n", bad), { failed: 1, failures: [/exit status 1/] });
  t.match(readTap("1..0\n", fine), { failed: 1, failures: ["the file holds no test"] });
  t.match(readTap("", bad), { failed: 1 });
});

t.test("a whole file may be skipped, and that is seen", async (t) => {
  t.strictSame(readTap("ok 1 - all # skip no database\n1..1\n", fine), {
    passed: 0,
    failed: 0,
    skipped: ["all (no database)"],
    failures: [],
  });
});
