import t from "tap";
import { type IndexedDbLike, openIndexedDbStorage } from "./indexed-db.js";

/** As a browser does it: transactions end in order, some time after their requests have succeeded, and may fail there. */
function browser() {
  const disk = new Map<string, string>();
  const state = { full: false, closed: false };
  const asked = <T>(result: T) => {
    const request = { result, error: null, onsuccess: null as (() => void) | null, onerror: null };
    queueMicrotask(() => request.onsuccess?.());
    return request;
  };
  let before: Promise<void> = Promise.resolve();
  const database = {
    createObjectStore: () => undefined,
    transaction() {
      if (state.closed) throw new Error("InvalidStateError");
      const changes: (() => void)[] = [];
      const transaction = {
        error: null as unknown,
        oncomplete: null as (() => void) | null,
        onabort: null as (() => void) | null,
        objectStore: () => ({
          getAll: () => asked([...disk.values()]),
          getAllKeys: () => asked([...disk.keys()]),
          put(value: string, key: string) {
            changes.push(() => void disk.set(key, value));
            return asked(key);
          },
          delete(key: string) {
            changes.push(() => void disk.delete(key));
            return asked(undefined);
          },
        }),
      };
      before = before.then(async () => {
        for (let turn = 0; turn < 5; turn++) await null;
        if (state.full) {
          transaction.error = new Error("QuotaExceededError");
          transaction.onabort?.();
          return;
        }
        for (const change of changes) change();
        transaction.oncomplete?.();
      });
      return transaction;
    },
  };
  const indexedDB = { open: () => asked(database) } as unknown as IndexedDbLike;
  return { indexedDB, disk, state };
}

t.test("R-RST-4, R-PRO-3: what is settled is on the disk, and one failure does not outlast its cause", async (t) => {
  const { indexedDB, disk, state } = browser();
  const storage = await openIndexedDbStorage({ indexedDB });
  storage.setItem("inbox", "one");
  await storage.settled();
  t.equal(disk.get("inbox"), "one", "settled means committed");
  state.full = true;
  storage.setItem("inbox", "two");
  storage.setItem("other", "x");
  await t.rejects(storage.settled(), /Quota/, "a request may succeed and its transaction fail");
  state.full = false;
  storage.setItem("inbox", "three");
  await t.rejects(storage.settled(), /Quota/, "the other one is not there");
  storage.removeItem("other");
  await storage.settled();
  t.same([...disk], [["inbox", "three"]], "now everything is as it was given");
  state.closed = true;
  t.doesNotThrow(() => storage.setItem("inbox", "four"));
  await t.rejects(storage.settled(), /InvalidState/);
  t.equal(storage.getItem("inbox"), "four");
});
