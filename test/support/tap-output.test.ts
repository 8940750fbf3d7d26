import t from "tap";
import { readTap, readTogether } from "./tap-output.js";

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

const TWO = [
  "TAP version 14",
  "ok 1 - one # time=12.5ms",
  "    ok 1 - end of file 0",
  "ok 2 - end of file 0 # time=0.5ms",
  "",
  "not ok 3 - two # time=1.5s",
  "ok 4 - three # skip no server",
];

t.test("files of one process are told apart by what stands after each", async (t) => {
  const output = [...TWO, "ok 5 - end of file 1", "1..5"].join("\n");
  const [first, second] = readTogether(output, 2, bad);
  t.strictSame(first!.result, { passed: 1, failed: 0, skipped: [], failures: [] });
  t.strictSame(second!.result, { passed: 0, failed: 1, skipped: ["three (no server)"], failures: ["two"] });
  t.strictSame([first!.ms, second!.ms], [12.5, 1_500]);
  t.match(first!.output, /one/);
  t.notMatch(first!.output, /two/);
  t.match(second!.output, /two/);
});

t.test("the file in which a shared process ends has failed, and those after it have not run", async (t) => {
  const [first, second, third] = readTogether(TWO.join("\n"), 3, { code: null, signal: "SIGKILL" });
  t.match(first!.result, { passed: 1, failed: 0 });
  t.match(second!.result, { failed: 2, failures: ["two", /without a plan \(signal SIGKILL\)/] });
  t.match(third!.result, { failed: 1, failures: [/not run/] });
  t.match(readTogether([...TWO, "1..4"].join("\n"), 2, bad)[1]!.result, { failures: ["two", /ended before the file/] });
  t.match(readTogether("", 2, bad), [{ result: { failed: 1 } }, { result: { failed: 1 } }]);
});

t.test("a shared process that ends badly, or goes on after its last file, fails the last", async (t) => {
  const fineFiles = ["ok 1 - one", "ok 2 - end of file 0", "ok 3 - two", "ok 4 - end of file 1"];
  const plain = [...fineFiles, "1..4"].join("\n");
  t.match(readTogether(plain, 2, fine), [{ result: { failed: 0 } }, { result: { failed: 0 } }]);
  t.match(readTogether(plain, 2, bad)[1]!.result, { failures: [/exit status 1/] });
  const late = [...fineFiles, "not ok 5 - too late", "1..5"].join("\n");
  t.match(readTogether(late, 2, bad)[1]!.result, { passed: 1, failures: ["too late"] });
  const empty = ["ok 1 - end of file 0", "ok 2 - two", "ok 3 - end of file 1", "1..3"].join("\n");
  t.match(readTogether(empty, 2, fine)[0]!.result, { failures: ["the file holds no test"] });
});
