import t from "tap";
import { systemClock } from "../../lib/clock.js";
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
