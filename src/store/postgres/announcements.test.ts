import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { announcementStoreContract } from "../contract/announcements.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresAnnouncementStore } from "./mod.js";

t.test("announcements on PostgreSQL keep the contract", async (t) => {
  const { connectionString } = await withPostgres();
  await announcementStoreContract(t, async (t) => {
    const session = await openSession(t, connectionString);
    await session.query("TRUNCATE announcement");
    const store = createPostgresAnnouncementStore({ connectionString, clock: systemClock() });
    t.teardown(() => store.close());
    return store;
  });
});
