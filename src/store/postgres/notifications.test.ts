import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { encode } from "../../lib/msgpack.js";
import { notificationStoreContract } from "../contract/notifications.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresNotificationStore } from "./mod.js";

t.test("notifications on PostgreSQL keep the contract", async (t) => {
  const { connectionString } = await withPostgres();
  await notificationStoreContract(t, async (t) => {
    const session = await openSession(t, connectionString);
    await session.query("TRUNCATE notification, notification_inbox, notification_wishes, notification_device");
    const store = createPostgresNotificationStore({ connectionString, clock: systemClock() });
    t.teardown(() => store.close());
    return store;
  });
});

t.test(
  "R-COM-3: what a commit says to people is copied out of the outbox in its transaction, once planned gone",
  async (t) => {
    const { connectionString } = await withPostgres();
    const session = await openSession(t, connectionString);
    await session.query("TRUNCATE notification, notification_inbox");
    const store = createPostgresNotificationStore({ connectionString, clock: systemClock() });
    t.teardown(() => store.close());
    const add = (kind: string, type: string, offset: number) =>
      session.query(
        `INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body) VALUES ($1, 'n1', $2, 0, $3, 7, $4)`,
        [kind, offset, type, Buffer.from(encode({ hello: offset }))],
      );
    await session.query("BEGIN");
    await add("order", "order.confirmed", 1);
    t.same(await store.pending(10), [], "not before it is committed");
    await session.query("COMMIT");
    await add("order", "order.preparing", 2);
    await add("restaurant", "restaurant.alert", 1);
    await add("driver", "order.confirmed", 1);
    await add("chat-room", "chat.unheard", 1);
    const pending = await store.pending(10);
    t.same(
      pending.map(({ kind, key, offset, type, at }) => [kind, key, offset, type, at]),
      [
        ["order", "n1", 1, "order.confirmed", 7],
        ["restaurant", "n1", 1, "restaurant.alert", 7],
        ["chat-room", "n1", 1, "chat.unheard", 7],
      ],
    );
    await session.query("DELETE FROM event_outbox");
    t.equal((await store.pending(10)).length, 3, "whoever takes the outbox away takes nothing from us");
    await store.plan(
      [],
      pending.map(({ id }) => id),
    );
    t.same(await store.pending(10), []);
  },
);
