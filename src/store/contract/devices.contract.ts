/** What a store of devices promises. Run on each implementation. */
import type { Test } from "tap";
import type { DeviceRow, DeviceStore } from "../../services/devices/ports.js";

const row = (deviceId: string, driverId = "dora", createdAt = 1_000): DeviceRow => ({
  deviceId,
  driverId,
  tokenHash: `hash-of-${deviceId}`,
  label: "My old phone",
  createdAt,
  revokedAt: null,
});

export async function deviceStoreContract(t: Test, make: (t: Test) => Promise<DeviceStore>): Promise<void> {
  await t.test(
    "R-GPS-7: a device is found by its token's hash until for ever, and says when it was revoked",
    async (t) => {
      const store = await make(t);
      t.same(await store.add(row("one"), 2), row("one"));
      t.same(await store.find("hash-of-one"), row("one"));
      t.equal(await store.find("hash-of-another"), null);
      t.equal(await store.revoke("another", "one", 5), null, "nobody revokes another's");
      t.same(await store.revoke("dora", "one", 5), { ...row("one"), revokedAt: 5 });
      t.same(await store.revoke("dora", "one", 9), { ...row("one"), revokedAt: 5 }, "the first time stays");
      t.same(await store.find("hash-of-one"), { ...row("one"), revokedAt: 5 });
    },
  );

  await t.test("R-ORD-5: adding again changes nothing, also when there is no room any more", async (t) => {
    const store = await make(t);
    await store.add(row("one"), 1);
    t.same(await store.add({ ...row("one"), label: "Other", createdAt: 9 }, 1), row("one"));
    t.same(await store.list("dora", 10), [row("one")]);
  });

  await t.test("R-PRO-5: a driver has so many devices at the most, also when they come at once", async (t) => {
    const store = await make(t);
    const added = await Promise.all(Array.from({ length: 8 }, (_, n) => store.add(row(`d${n}`, "dora", n), 3)));
    t.equal(added.filter((each) => each !== null).length, 3);
    t.equal((await store.list("dora", 10)).length, 3);
    const [first] = await store.list("dora", 1);
    await store.revoke("dora", first!.deviceId, 50);
    t.not(await store.add(row("next", "dora", 60), 3), null, "a revoked one leaves its place");
    t.same(
      (await store.list("dora", 2)).map(({ deviceId }) => deviceId),
      ["next", first!.deviceId],
      "the newest first",
    );
    t.not(await store.add(row("his", "dan"), 3), null, "each driver has room of his own");
  });

  await t.test("R-ACC-4: a driver's devices can be forgotten, and nobody else's", async (t) => {
    const store = await make(t);
    for (const each of [row("one"), row("two"), row("his", "dan")]) await store.add(each, 3);
    for (const _again of [1, 2]) await store.forget("dora");
    t.same(await store.list("dora", 10), []);
    t.equal(await store.find("hash-of-one"), null);
    t.equal((await store.list("dan", 10)).length, 1);
  });
}
