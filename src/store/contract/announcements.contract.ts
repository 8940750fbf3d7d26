/** What a store of announcements promises. Run on each implementation. */
import type { Test } from "tap";
import type { AnnouncementRecord } from "../../protocol/mod.js";
import type { AnnouncementStore } from "../../services/announcements/ports.js";

const record = (announcementId: string, startsAt: number, endsAt: number): AnnouncementRecord => ({
  announcementId,
  title: "Rain",
  text: "It rains: 'ride' with care; ö",
  level: "warning",
  startsAt,
  endsAt,
  roles: ["driver"],
  zones: [],
  createdAt: 1,
  createdBy: "ann",
});
const ids = (records: readonly AnnouncementRecord[]): string[] => records.map(({ announcementId }) => announcementId);

export async function announcementStoreContract(t: Test, make: (t: Test) => Promise<AnnouncementStore>): Promise<void> {
  await t.test("R-COM-2: what is not over is found in the order of its start, planned ones too", async (t) => {
    const store = await make(t);
    t.same(await store.add(record("b", 200, 900), 9, 0), record("b", 200, 900));
    await store.add(record("a", 100, 300), 9, 0);
    await store.add(record("c", 200, 900), 9, 0);
    t.same(ids(await store.current(0, 9)), ["a", "b", "c"]);
    t.same(ids(await store.current(300, 9)), ["b", "c"], "over at its very end");
    t.same(ids(await store.current(0, 2)), ["a", "b"]);
    t.same(ids(await store.list(1_000, 2)), ["c", "b"]);
    t.same(ids(await store.list(200, 9)), ["a"]);
  });

  await t.test("R-COM-2, R-ORD-5: adding and withdrawing again change nothing", async (t) => {
    const store = await make(t);
    await store.add(record("a", 100, 900), 1, 0);
    t.same(await store.add({ ...record("a", 100, 900), title: "Snow" }, 1, 0), record("a", 100, 900));
    const withdrawn = { ...record("a", 100, 900), withdrawnAt: 250, withdrawnBecause: "dry" };
    t.same(await store.withdraw("a", 250, "dry"), withdrawn);
    t.same(await store.withdraw("a", 400, "again"), withdrawn, "the first stays");
    t.equal(await store.withdraw("nothing", 400, "why"), null);
    t.same(await store.current(300, 9), [], "who missed it sees by this that it stands no more");
  });

  await t.test("R-COM-2: what was taken back takes no room from what stands", async (t) => {
    const store = await make(t);
    for (const id of ["a", "b", "c"]) {
      await store.add(record(id, 100, 900), 2, 0);
      if (id !== "c") await store.withdraw(id, 250, "a misprint");
    }
    t.same(ids(await store.current(300, 2)), ["c"]);
  });

  await t.test("R-PRO-5: there are so many at a time at the most, also when they come at once", async (t) => {
    const store = await make(t);
    await store.add(record("over", 1, 50), 3, 0);
    const added = await Promise.all(Array.from({ length: 6 }, (_, n) => store.add(record(`n${n}`, 100, 900), 3, 60)));
    t.equal(added.filter((each) => each !== null).length, 3);
    t.equal((await store.current(60, 9)).length, 3);
  });
}
