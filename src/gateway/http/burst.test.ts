import t from "tap";
import type { NativeResponse } from "../native.js";
import { Burst } from "./burst.js";

/** A burst whose turns end when the test says so. */
function setUp() {
  const written: string[] = [];
  const ends: (() => void)[] = [];
  const aborts = new Map<string, () => void>();
  let now = 1_000;
  let corked = false;
  const burst = new Burst<string>(
    (_res, answer, at) => written.push(`${answer} at ${at}${corked ? ", corked" : ""}`),
    () => now,
    (run) => ends.push(run),
  );
  const answer = (name: string): void => {
    const res = {
      onAborted: (handler: () => void) => aborts.set(name, handler),
      cork(write: () => void) {
        corked = true;
        write();
        corked = false;
      },
    } as unknown as NativeResponse;
    burst.answer(res, name);
  };
  return {
    answer,
    aborts,
    written,
    ends,
    at: (next: number) => {
      now = next;
    },
  };
}
const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, i) => `a${from + i}`);

t.test("R-TRK-1: few are answered at once, many together at the end of the turn, in order", (t) => {
  const { answer, written, ends, aborts, at } = setUp();
  for (const name of names(0, 10)) answer(name);
  t.same(
    written.splice(0),
    names(0, 4).map((name) => `${name} at 1000`),
  );
  t.equal(ends.length, 1, "one end for all");
  t.same([...aborts.keys()], names(4, 10), "the native server wants to know of those that wait");
  at(1_003);
  ends.shift()?.();
  t.same(
    written.splice(0),
    names(4, 10).map((name) => `${name} at 1003, corked`),
  );
  answer("next");
  t.same(written, ["next at 1003"], "a new millisecond begins anew");
  t.equal(ends.length, 0);
  t.end();
});

t.test("rule 16: whoever has gone is not answered, and no more wait than the bound", (t) => {
  const { answer, written, ends, aborts } = setUp();
  for (const name of names(0, 7)) answer(name);
  aborts.get("a5")?.();
  ends.shift()?.();
  t.same(
    written.map((one) => one.split(" ")[0]),
    ["a0", "a1", "a2", "a3", "a4", "a6"],
  );
  written.splice(0);
  for (const name of names(0, 1_100)) answer(name);
  t.equal(written.length, 1_100 - 1_024);
  ends.shift()?.();
  t.equal(written.length, 1_100);
  t.end();
});
