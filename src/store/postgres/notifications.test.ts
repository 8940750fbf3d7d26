import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { encode } from "../../lib/msgpack.js";
import { notificationStoreContract } from "../contract/notifications.contract.js";
import { entriesRead, openSession, untilBlocked } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresAccountStore, createPostgresNotificationStore } from "./mod.js";

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

t.test("R-ACC-2, R-COM-3: a device is pushed to for as long as the session that registered it", async (t) => {
  const { connectionString } = await withPostgres();
  const clock = systemClock();
  const session = await openSession(t, connectionString);
  const store = createPostgresNotificationStore({ connectionString, clock });
  const accounts = createPostgresAccountStore({ connectionString, clock });
  t.teardown(() => Promise.all([store.close(), accounts.close()]));
  await session.query(
    "INSERT INTO account (id, state, reason, created_at, version, consents) VALUES ('eva', 'active', '', 1, 1, '[]')",
  );
  const cook = { role: "restaurant", principalId: "r-of-eva" } as const;
  const HOUR = 3_600_000;
  const open = async (id: string) => {
    const now = clock.now();
    await session.query(
      `INSERT INTO account_session (id, account, role, principal, generation, last_key, created_at, used_at, expires_at)
         VALUES ($1, 'eva', 'restaurant', 'r-of-eva', 0, '', $2, $2, $3)`,
      [id, now, now + HOUR],
    );
  };
  const end = (id: string) => accounts.endSession(id, "role_ended", clock.now(), clock.now() + HOUR);
  const save = (deviceId: string, sessionId?: string) =>
    store.saveDevice(
      cook,
      { deviceId, token: `token-${deviceId}`, since: 1, ...(sessionId === undefined ? {} : { sessionId }) },
      9,
    );
  const kept = async () => (await store.devices(cook)).map(({ deviceId }) => deviceId);
  for (const id of ["s1", "s2", "s3"]) await open(id);
  await save("counter");
  await save("phone", "s1");
  await save("tablet", "s2");
  await save("tablet", "s3");
  t.same(await kept(), ["counter", "phone", "tablet"]);
  await end("s1");
  t.same(await kept(), ["counter", "tablet"]);
  await end("s2");
  t.same(await kept(), ["counter", "tablet"], "it was registered anew by a later one");
  t.equal(await save("phone", "s1"), "ended", "a token that nobody has told of yet");
  await session.query("BEGIN");
  await session.query("UPDATE account_session SET ended_at = 1, ended_why = 'banned' WHERE id = 's3'");
  const late = save("late", "s3");
  await untilBlocked(t, connectionString, "notifications");
  await session.query("COMMIT");
  t.equal(await late, "ended", "both at once");
  t.same(await kept(), ["counter"]);

  // Months pass, and nobody signs out: the phone lies in a drawer, or was sold, and its session runs out.
  await open("s4");
  await save("drawer", "s4");
  const told = async () => (await store.profiles([cook]))[0]!.deviceIds;
  t.same([await kept(), await told()], Array(2).fill(["counter", "drawer"]));
  await session.query("UPDATE account_session SET expires_at = $1 WHERE id = 's4'", [clock.now()]);
  t.same([await kept(), await told()], Array(2).fill(["counter"]));
  t.equal(await save("drawer", "s4"), "ended");
  await accounts.forget(clock.now() + 1, 10);
  t.same([await kept(), await told()], Array(2).fill(["counter"]), "nor when its session is forgotten");
  await open("s5");
  const fresh = { deviceId: "new", token: "new", since: 2, sessionId: "s5" };
  t.equal(await store.saveDevice(cook, fresh, 2), true, "it takes no place from those that are used");
  const { rows } = await session.query("SELECT device FROM notification_device ORDER BY device");
  t.same(
    rows.map(({ device }) => device),
    ["counter", "new"],
  );
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

t.test("R-COM-3: the list of the dead reads them alone, however many were told since", async (t) => {
  const { connectionString } = await withPostgres();
  const session = await openSession(t, connectionString);
  await session.query("TRUNCATE notification");
  await session.query(`
    INSERT INTO notification (id, role, principal, state, next_at, expires_at, created_at, settled_at, draft)
      SELECT 'n' || n, 'customer', 'c' || n, CASE WHEN n IN (7, 9) THEN 'dead' WHEN n = 8 THEN 'waiting' ELSE 'sent' END,
        n, n, n, CASE WHEN n = 8 THEN NULL ELSE n END, '{}' FROM generate_series(1, 1000) n`);
  await session.query("ANALYZE notification");
  for (const [state, found, index] of [
    ["dead", ["n9", "n7"], "notification_dead"],
    ["waiting", ["n8"], "notification_due"],
  ] as const) {
    const read = await entriesRead(t, connectionString, "notification", async () => {
      const store = createPostgresNotificationStore({ connectionString, clock: systemClock() });
      const listed = await store.list({ state }, Number.MAX_SAFE_INTEGER, 50);
      t.strictSame(
        listed.map(({ notificationId }) => notificationId),
        found,
      );
      await store.close();
    });
    t.strictSame(read, { [index]: found.length });
  }
});
