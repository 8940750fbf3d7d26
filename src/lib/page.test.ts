import t from "tap";
import { MOST_AT_ONCE, pageByAge } from "./page.js";

/** Every row by following the pages, and how long the pages were. */
async function followed(times: readonly number[], limit: number) {
  const rows = times.map((at, id) => ({ at, id })).sort((a, b) => b.at - a.at || b.id - a.id);
  const ids: number[] = [];
  const lengths: number[] = [];
  for (let before: number | undefined = Number.POSITIVE_INFINITY; before !== undefined; ) {
    const from: number = before;
    const page: Awaited<ReturnType<typeof pageByAge<{ at: number; id: number }>>> = await pageByAge(
      async (most) => rows.filter(({ at }) => at < from).slice(0, most),
      ({ at }) => at,
      limit,
    );
    ids.push(...page.rows.map(({ id }) => id));
    lengths.push(page.rows.length);
    before = page.nextBefore;
  }
  return { ids: ids.sort((a, b) => a - b), lengths };
}

t.test("following the pages shows every row once, however many share a millisecond", async (t) => {
  const times = [1, 2, 2, 2, 2, 3, 4, 4, 5, 5, 5];
  for (let limit = 1; limit <= 12; limit++) {
    t.strictSame((await followed(times, limit)).ids, [...times.keys()], `${limit} a page`);
  }
});

t.test("a page is as long as asked for, or ends before a millisecond that it would cut", async (t) => {
  t.strictSame((await followed([1, 2, 3, 4, 5], 2)).lengths, [2, 2, 1]);
  t.strictSame((await followed([1, 2, 2, 3, 4], 3)).lengths, [2, 3]);
  t.strictSame(
    (await followed([1, 2, 2, 2, 2], 3)).lengths,
    [4, 1],
    "only one that is all of one millisecond is longer",
  );
  t.strictSame((await followed([], 3)).lengths, [0]);
  t.strictSame((await followed([2, 2, 2], 1)).lengths, [3], "and nothing comes after the last");
});

t.test("R-PRO-5: no page is longer than the bound", async (t) => {
  const many = Array.from({ length: MOST_AT_ONCE + 5 }, () => 7);
  const { lengths } = await followed([...many, 1], 10);
  t.strictSame(lengths, [MOST_AT_ONCE, 1], "what is beyond it is not to be had, what is older is");
});
