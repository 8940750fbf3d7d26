import t from "tap";
import { seededRandom } from "../src/lib/random.js";
import { scriptedSockets, WELCOME } from "./fixtures/scripted-socket.js";
import { settled, VirtualClock } from "./fixtures/virtual-clock.js";
import { type IndexedDbLike, openIndexedDbStorage } from "./indexed-db.js";
import { createClient } from "./node.js";

/** As a browser does it: transactions end in order, some time after their requests have succeeded, and may fail there. */
function browser() {
  const disk = new Map<string, string>();
  const sorted = () => [...disk].sort(([a], [b]) => (a < b ? -1 : 1));
  const state = { full: false, closed: false, opened: 0 };
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
          getAll: () => asked(sorted().map(([, value]) => value)),
          getAllKeys: () => asked(sorted().map(([key]) => key)),
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
  /** Closed by the browser: what was opened before is of no use, opening anew works. */
  const take = (): void => {
    const gone = state.opened;
    for (const each of opened) if (each.number <= gone) each.gone = true;
  };
  const opened: { readonly number: number; gone: boolean }[] = [];
  const open = () => {
    const own = { number: ++state.opened, gone: false };
    opened.push(own);
    const transaction = () => {
      if (own.gone) throw new Error("InvalidStateError");
      return database.transaction();
    };
    return asked({ ...database, transaction });
  };
  const indexedDB = { open } as unknown as IndexedDbLike;
  return { indexedDB, disk, state, take };
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

t.test("R-RST-4: a database that the browser takes away from a sleeping page is opened anew", async (t) => {
  const { indexedDB, disk, state, take } = browser();
  const storage = await openIndexedDbStorage({ indexedDB });
  storage.setItem("command", "given");
  await storage.settled();
  take();
  state.closed = true;
  storage.setItem("inbox", "one");
  storage.removeItem("command");
  await t.rejects(storage.settled(), /InvalidState/, "not even anew");
  state.closed = false;
  take();
  storage.setItem("inbox", "two");
  storage.setItem("inbox", "three");
  await storage.settled();
  t.same([...disk], [["inbox", "three"]], "what the page holds is on the disk, also what failed before");
  t.ok(state.opened <= 5, "once for all that met the same loss");
});

t.test(
  "R-PRO-3: two windows of one store keep their commands beside each other, and those of older versions",
  async (t) => {
    const { indexedDB, disk } = browser();
    const clock = new VirtualClock();
    const notAfter = clock.now() + 60_000;
    const old = ["z", "y"].map((key) => ({ key, type: "driver.pickup", body: { orderId: key }, notAfter }));
    disk.set("steps", JSON.stringify(old));
    disk.set("steps.of-somebody-else/x", JSON.stringify({ ...old[0], key: "x" }));
    const window = async () => {
      const storage = await openIndexedDbStorage({ indexedDB });
      const { Socket, made } = scriptedSockets();
      const options = { url: "http://n", token: "t", WebSocket: Socket, clock, random: seededRandom(1) };
      return { storage, made, client: createClient({ ...options, storage, storageKey: "steps" }) };
    };
    const keys = ({ client }: Awaited<ReturnType<typeof window>>) =>
      client.pending().map((each) => each.idempotencyKey);
    const [one, two] = await Promise.all([window(), window()]);
    t.same([one, two].map(keys), [
      ["z", "y"],
      ["z", "y"],
    ]);
    const gives = ({ client }: typeof one, idempotencyKey: string): void => {
      client.command("driver.deliver", { orderId: idempotencyKey }, { idempotencyKey }).catch(() => undefined);
    };
    gives(one, "c");
    await clock.advance(1);
    gives(two, "b");
    gives(two, "a");
    await Promise.all([one.storage.settled(), two.storage.settled()]);
    one.client.close();
    two.client.close();

    const three = await window();
    t.same(keys(three), ["z", "y", "c", "b", "a"], "all of both, in the order in which they were given");
    three.client.connect();
    const [socket] = three.made;
    socket!.opens();
    socket!.receives(WELCOME(clock.now()));
    for (let answered = 0; answered < 5; answered++) {
      await settled();
      const id = socket!.sent.filter(([op]) => op === 4)[answered]![1];
      socket!.receives([17, id, {}]);
    }
    await three.storage.settled();
    t.same([...disk.keys()], ["steps.of-somebody-else/x"], "what was answered is gone");
    three.client.close();
  },
);
