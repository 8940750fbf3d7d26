import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { accountsContract } from "../contract/accounts.contract.js";
import { restoredSessionsContract } from "../contract/restored-sessions.contract.js";
import { openSession, untilBlocked } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresAccountStore, createPostgresAuditLog } from "./mod.js";

const clock = systemClock();
const { connectionString } = await withPostgres();

t.test("accounts on Postgres keep the contract", (t) =>
  accountsContract(t, async (t) => {
    const accounts = createPostgresAccountStore({ connectionString, clock });
    const audit = createPostgresAuditLog({ connectionString, clock });
    t.teardown(() => Promise.all([accounts.close(), audit.close()]));
    return { accounts, audit };
  }),
);

t.test("R-CLU-6, R-ACC-2: a token that is newer than a restored database counts", async (t) => {
  const accounts = createPostgresAccountStore({ connectionString, clock });
  t.teardown(() => accounts.close());
  await restoredSessionsContract(t, accounts);
});

t.test("R-ADM-2: the database refuses to change the audit or to lose any of it, whoever asks", async (t) => {
  const audit = createPostgresAuditLog({ connectionString, clock });
  t.teardown(() => audit.close());
  await audit.append([
    { at: 1, role: "admin", principalId: "root", action: "account.ban", subject: "account/kept", reason: "for good" },
  ]);
  const session = await openSession(t, connectionString);
  for (const statement of [
    "UPDATE audit_entry SET reason = 'another'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "UPDATE audit_entry SET reason = 'another' WHERE false",
  ]) {
    await t.rejects(session.query(statement), { code: "42501" }, statement);
  }
  t.match(await audit.read({ subject: "account/kept", limit: 5 }), [{ reason: "for good" }]);
});

t.test("R-ACC-2: who had to wait for another's attempt is counted when its turn comes", async (t) => {
  const accounts = createPostgresAccountStore({ connectionString, clock });
  t.teardown(() => accounts.close());
  const bucket = { key: "waited for", perMinute: 0.001, burst: 2 };
  const other = await openSession(t, connectionString);
  await other.query("BEGIN");
  await other.query("INSERT INTO password_attempt VALUES ($1, 0)", [bucket.key]);
  const waiting = accounts.takeAttempts([bucket]);
  await untilBlocked(t, connectionString, "accounts");
  await other.query("SELECT password_attempt_v1(ARRAY[$1], ARRAY[6e7::float8], ARRAY[12e7::float8])", [bucket.key]);
  await other.query("COMMIT");
  t.equal(await waiting, 0, "the second of two");
  t.ok((await accounts.takeAttempts([bucket])) > 0);
});

t.test("R-COM-3: who acts under an id is found without looking at everybody", async (t) => {
  const session = await openSession(t, connectionString);
  const plan = await session.query(
    "SET enable_seqscan = off; EXPLAIN SELECT account FROM account_role WHERE role = 'restaurant' AND principal = 'r' AND state = 'active'",
  );
  t.match(JSON.stringify(plan), "account_role_principal");
});
