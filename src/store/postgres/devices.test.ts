import t from "tap";
import { systemClock } from "../../lib/clock.js";
import type { DeviceRow } from "../../services/devices/ports.js";
import { deviceStoreContract } from "../contract/devices.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresDeviceStore } from "./mod.js";

t.test("devices on PostgreSQL keep the contract", async (t) => {
  const { connectionString } = await withPostgres();
  await deviceStoreContract(t, async (t) => {
    const session = await openSession(t, connectionString);
    await session.query("TRUNCATE gps_device");
    const store = createPostgresDeviceStore({ connectionString, clock: systemClock() });
    t.teardown(() => store.close());
    return store;
  });
});

t.test("R-GPS-7: what the database refuses leaves nothing open for whoever is next", async (t) => {
  const { connectionString } = await withPostgres();
  const session = await openSession(t, connectionString);
  await session.query("TRUNCATE gps_device");
  const store = createPostgresDeviceStore({ connectionString, clock: systemClock() });
  t.teardown(() => store.close());
  const row: DeviceRow = {
    ...{ deviceId: "one", driverId: "dora", tokenHash: "hash-of-one", label: "My old phone" },
    ...{ createdAt: 1_000, revokedAt: null },
  };
  await t.rejects(store.add({ ...row, label: "No text holds \u0000." }, 2));
  t.same(await store.list("dora", 9), []);
  t.same(await store.add(row, 2), row);
});
