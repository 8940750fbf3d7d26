import t from "tap";
import { systemClock } from "../../lib/clock.js";
import type { AnnouncementRecord } from "../../protocol/mod.js";
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

t.test("R-COM-2: what the database refuses leaves nothing open for whoever is next", async (t) => {
  const { connectionString } = await withPostgres();
  const session = await openSession(t, connectionString);
  await session.query("TRUNCATE announcement");
  const store = createPostgresAnnouncementStore({ connectionString, clock: systemClock() });
  t.teardown(() => store.close());
  const record: AnnouncementRecord = {
    ...{ announcementId: "a", title: "Rain", text: "It rains", level: "warning", startsAt: 100, endsAt: 900 },
    ...{ roles: ["driver"], zones: [], createdAt: 1, createdBy: "ann" },
  };
  await t.rejects(store.add({ ...record, text: "No text holds \u0000." }, 9, 0));
  t.same(await store.list(1_000, 9), []);
  t.same(await store.add(record, 9, 0), record);
});
