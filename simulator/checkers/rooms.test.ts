import t from "tap";
import { brokenBy, brokenForAuditor } from "./fixtures/clean-world.js";
import type { Recorder } from "./mod.js";

const ONCE = ["rule-15-lines-once-for-all"];
const SHOWN = ["rule-15-no-gap-no-repeat"];
const ROOM = "trip:o-1";
const lines = (...texts: string[]) => texts.map((text, index) => ({ offset: index + 1, text }));

const brokenIn = (talk: (recorder: Recorder) => void): readonly string[] => brokenBy(({ recorder }) => talk(recorder));

t.test("RULES 15: a conversation that both see alike is right, however late one of them came", async (t) => {
  t.strictSame(
    brokenIn((recorder) => {
      recorder.room(ROOM, "c-1", lines("hello"), 1);
      recorder.room(ROOM, "c-1", lines("hello", "", "coming"), 2);
      recorder.said(ROOM, "c-1", "hello", 1, 3);
      recorder.said(ROOM, "d-1", "coming", 3, 4);
      recorder.room(ROOM, "d-1", lines("hello", "", "coming").slice(1), 5);
    }),
    [],
  );
});

t.test("RULES 15: lines that change, go, leave a hole, differ or come twice are found", async (t) => {
  const wrong: readonly (readonly [string, readonly string[], (recorder: Recorder) => void])[] = [
    ["a hole", SHOWN, (recorder) => recorder.room(ROOM, "c-1", [...lines("a"), { offset: 3, text: "c" }], 1)],
    [
      "a line that goes",
      SHOWN,
      (recorder) => {
        recorder.room(ROOM, "c-1", lines("a", "b"), 1);
        recorder.room(ROOM, "c-1", lines("a"), 2);
      },
    ],
    [
      "a line that changes",
      SHOWN,
      (recorder) => {
        recorder.room(ROOM, "c-1", lines("a"), 1);
        recorder.room(ROOM, "c-1", lines("b"), 2);
      },
    ],
    [
      "not the same for both",
      ONCE,
      (recorder) => {
        recorder.room(ROOM, "c-1", lines("a"), 1);
        recorder.room(ROOM, "d-1", lines("b"), 2);
      },
    ],
    ["the same line twice", ONCE, (recorder) => recorder.room(ROOM, "c-1", lines("a", "a"), 1)],
    [
      "acknowledged as another line than it is",
      ONCE,
      (recorder) => {
        recorder.room(ROOM, "c-1", lines("a", "b"), 1);
        recorder.said(ROOM, "c-1", "b", 1, 2);
      },
    ],
  ];
  for (const [what, rules, talk] of wrong) t.strictSame(brokenIn(talk), rules, what);
});

t.test("RULES 2, 15: a line that was acknowledged and never committed is found by who sees the commits", async (t) => {
  t.strictSame(
    brokenForAuditor((_auditor, { recorder }) => recorder.said(ROOM, "c-1", "hello", 1, 1)),
    ONCE,
  );
});
