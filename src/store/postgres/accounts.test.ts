import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { accountsContract } from "../contract/accounts.contract.js";
import { openSession } from "./fixtures/sessions.js";
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

t.test("R-COM-3: who acts under an id is found without looking at everybody", async (t) => {
  const session = await openSession(t, connectionString);
  const plan = await session.query(
    "SET enable_seqscan = off; EXPLAIN SELECT account FROM account_role WHERE role = 'restaurant' AND principal = 'r' AND state = 'active'",
  );
  t.match(JSON.stringify(plan), "account_role_principal");
});
