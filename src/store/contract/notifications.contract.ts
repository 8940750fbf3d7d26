/** What a store of notifications promises. Run on each implementation. */
import type { Test } from "tap";
import type { Draft, NotificationStore } from "../../services/notifications/ports.js";

const LEASE_MS = 100;
const ALL = ["push", "sms", "email", "call"] as const;
const ann = { role: "customer", principalId: "ann" } as const;

const draft = (notificationId: string, more: Partial<Draft> = {}): Draft => ({
  ...ann,
  notificationId,
  kind: "order_confirmed",
  channel: "push",
  subject: "order/o",
  facts: { restaurant: "Ajiaco's ö 'x'" },
  createdAt: 10,
  expiresAt: 1_000,
  ...more,
});
const by = {
  at: 5,
  role: "support",
  principalId: "s1",
  action: "notification.retry",
  subject: "n",
  reason: "why",
} as const;

export async function notificationStoreContract(t: Test, make: (t: Test) => Promise<NotificationStore>): Promise<void> {
  await t.test("R-COM-3: planning again changes nothing; what is due is given to one at a time", async (t) => {
    const store = await make(t);
    t.equal(await store.plan([draft("a"), draft("b", { createdAt: 20, deviceIds: ["d"] })], []), 2);
    t.equal(await store.plan([draft("a", { kind: "driver_near" }), draft("c", { createdAt: 500 })], []), 1);
    const both = await Promise.all([store.take(50, LEASE_MS, 10, ALL), store.take(50, LEASE_MS, 10, ALL)]);
    t.same(
      both
        .flat()
        .map(({ notificationId }) => notificationId)
        .sort(),
      ["a", "b"],
      "each to one of them",
    );
    t.same(
      both.flat().find(({ notificationId }) => notificationId === "b"),
      {
        ...draft("b", { createdAt: 20, deviceIds: ["d"] }),
        attempts: 1,
      },
    );
    t.same(await store.take(50 + LEASE_MS - 1, LEASE_MS, 10, ALL), []);
    t.same((await store.take(50 + LEASE_MS, LEASE_MS, 1, ALL)).length, 1, "whoever took it may have died");
  });

  await t.test("R-COM-3: only what goes by the ways that are asked for is given out", async (t) => {
    const store = await make(t);
    const later = [draft("c", { channel: "push", createdAt: 12 }), draft("d", { channel: "call", createdAt: 13 })];
    await store.plan([draft("a", { channel: "sms" }), draft("b", { channel: "email", createdAt: 11 }), ...later], []);
    const taken = async (...args: Parameters<typeof store.take>) =>
      (await store.take(...args)).map(({ notificationId }) => notificationId).sort();
    t.same(await taken(50, LEASE_MS, 1, ["push", "call"]), ["c"], "the oldest of these");
    t.same(await taken(50, LEASE_MS, 9, []), []);
    t.same(await taken(50, LEASE_MS, 9, ["email", "call"]), ["b", "d"]);
    t.same(await taken(50, LEASE_MS, 9, ALL), ["a"]);
  });

  await t.test(
    "R-COM-3: waits, is given up, is tried again by a person, is told; late word of an old try is nothing",
    async (t) => {
      const store = await make(t);
      await store.plan([draft("a")], []);
      await store.take(50, LEASE_MS, 10, ALL);
      await store.settle("a", 1, { state: "waiting", nextAt: 300, reason: "no answer" }, 60);
      t.match(await store.list({ state: "waiting" }, 1_000, 10), [{ nextAt: 300, reason: "no answer", attempts: 1 }]);
      t.same(await store.take(299, LEASE_MS, 10, ALL), []);
      t.match(await store.take(300, LEASE_MS, 10, ALL), [{ notificationId: "a", attempts: 2 }]);
      await store.settle("a", 1, { state: "sent" }, 310);
      await store.settle("a", 2, { state: "dead", reason: "no answer" }, 320);
      t.match(await store.list({ state: "dead" }, 1_000, 10), [{ notificationId: "a", settledAt: 320 }]);
      t.equal(await store.retry("nothing", 400, 900, by), "not_found");
      t.match(await store.retry("a", 400, 2_000, by), { state: "waiting", attempts: 0, nextAt: 400 });
      t.equal(await store.retry("a", 400, 2_000, by), "not_dead");
      t.match(await store.take(400, LEASE_MS, 10, ALL), [{ attempts: 1, expiresAt: 2_000 }]);
      await store.settle("a", 1, { state: "sent" }, 410);
      await store.settle("a", 1, { state: "dead", reason: "late" }, 420);
      const [record] = await store.list({ principalId: "ann" }, 1_000, 10);
      t.strictSame(record, {
        notificationId: "a",
        ...ann,
        kind: "order_confirmed",
        channel: "push",
        subject: "order/o",
        state: "sent",
        attempts: 1,
        createdAt: 10,
        settledAt: 410,
      });
      t.equal(await store.forget(410, 10), 0);
      t.equal(await store.forget(411, 10), 1);
    },
  );

  await t.test("R-COM-3: lists go by age; wishes and devices are one's own; erased is gone", async (t) => {
    const store = await make(t);
    const bob = { role: "restaurant", principalId: "ann" } as const;
    await store.plan([draft("a"), draft("b", { createdAt: 20 }), draft("c", { ...bob, createdAt: 30 })], []);
    const ids = async (before: number, limit: number) =>
      (await store.list({}, before, limit)).map(({ notificationId }) => notificationId);
    t.same(await ids(1_000, 2), ["c", "b"]);
    t.same(await ids(20, 2), ["a"]);
    t.equal(await store.wishes(ann), null);
    const wishes = { locale: "tr", kinds: { order_confirmed: [], eta_changed: ["sms"] } } as const;
    await store.saveWishes(ann, { locale: "de", kinds: {} });
    await store.saveWishes(ann, structuredClone(wishes) as never);
    t.same(await store.wishes(ann), wishes);
    t.equal(await store.wishes(bob), null);
    const device = (deviceId: string, token: string, since: number) => ({ deviceId, token, since });
    t.ok(await store.saveDevice(ann, device("p", "one", 1), 2));
    t.ok(await store.saveDevice(ann, device("q", "two", 2), 2));
    t.notOk(await store.saveDevice(ann, device("r", "three", 3), 2), "there is room for two");
    t.ok(await store.saveDevice(ann, device("p", "new", 9), 2));
    t.same(await store.devices(ann), [device("p", "new", 1), device("q", "two", 2)]);
    t.same(await store.devices(bob), []);
    t.same(await store.profiles([bob, ann, bob]), [
      { wishes: null, deviceIds: [] },
      { wishes, deviceIds: ["p", "q"] },
      { wishes: null, deviceIds: [] },
    ]);
    t.same(await store.profiles([]), []);
    await store.removeDevice(ann, "p");
    t.same(await store.devices(ann), [device("q", "two", 2)]);
    await store.erase(ann);
    t.same([await store.wishes(ann), await store.devices(ann)], [null, []]);
    t.same(await ids(1_000, 9), ["c"]);
  });

  await t.test("R-COM-3: a token that somebody registers is nobody else's any more", async (t) => {
    const store = await make(t);
    const bob = { role: "customer", principalId: "bob" } as const;
    const annDrives = { role: "driver", principalId: "ann" } as const;
    const device = (deviceId: string, token: string) => ({ deviceId, token, since: 1 });
    await store.saveDevice(ann, device("p", "phone"), 2);
    await store.saveDevice(ann, device("q", "tablet"), 2);
    await store.saveDevice(annDrives, device("p", "phone"), 2);
    t.same(await store.devices(ann), [device("p", "phone"), device("q", "tablet")], "a person's roles share a phone");
    t.ok(await store.saveDevice(bob, device("p", "phone"), 2));
    t.same([await store.devices(ann), await store.devices(annDrives)], [[device("q", "tablet")], []]);
    t.same(await store.devices(bob), [device("p", "phone")]);
    t.notOk(await store.saveDevice(bob, device("r", "tablet"), 1), "there is no room");
    t.same(await store.devices(ann), [], "the tablet is not hers for that");
    const people = Array.from({ length: 6 }, (_, n) => ({ role: "driver", principalId: `d${n}` }) as const);
    await Promise.all(people.map((each) => store.saveDevice(each, device("p", "phone"), 2)));
    const holders = await Promise.all([bob, ...people].map((each) => store.devices(each)));
    t.equal(holders.flat().length, 1, "also when they come at once");
  });
}
