import type { MigrationBuilder } from "node-pg-migrate";

/**
 * People. What is personal stands here sealed (`person`, `asks`) or as a keyed hash (`email_hash`); ids, states and times
 * stand as they are. Times are milliseconds since the epoch; `revocation.at` is the server's own clock, because every node
 * reads by it.
 *
 * The audit takes rows and gives them, and does nothing else: whoever may write to the database through the node cannot
 * rewrite what was done.
 */
const TABLES = `
CREATE TABLE account (
  id text COLLATE "C" PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('active', 'banned', 'erased')),
  reason text NOT NULL,
  created_at double precision NOT NULL,
  version bigint NOT NULL,
  email_hash text COLLATE "C" UNIQUE,
  password text,
  data_key bytea,
  master_id text COLLATE "C",
  person bytea,
  consents text NOT NULL,
  CHECK (state <> 'erased' OR (email_hash IS NULL AND password IS NULL AND data_key IS NULL AND person IS NULL))
);
CREATE INDEX account_master_id ON account (master_id);

CREATE TABLE account_role (
  account text COLLATE "C" NOT NULL REFERENCES account (id),
  role text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'applied', 'rejected', 'ended')),
  application text COLLATE "C" UNIQUE,
  since double precision NOT NULL,
  reason text NOT NULL,
  asks bytea,
  place integer NOT NULL,
  PRIMARY KEY (account, role, principal)
);
CREATE INDEX account_role_waiting ON account_role (since) WHERE state = 'applied';

CREATE TABLE account_session (
  id text COLLATE "C" PRIMARY KEY,
  account text COLLATE "C" NOT NULL REFERENCES account (id),
  role text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL,
  generation integer NOT NULL,
  last_key text NOT NULL,
  created_at double precision NOT NULL,
  used_at double precision NOT NULL,
  expires_at double precision NOT NULL,
  ended_at double precision,
  ended_why text
);
CREATE INDEX account_session_account ON account_session (account);
CREATE INDEX account_session_principal ON account_session (principal, role) WHERE ended_at IS NULL;
CREATE INDEX account_session_expires_at ON account_session (expires_at);

CREATE TABLE revocation (
  key text COLLATE "C" PRIMARY KEY,
  at double precision NOT NULL,
  until double precision NOT NULL,
  why text NOT NULL
);
CREATE INDEX revocation_at ON revocation (at);
CREATE INDEX revocation_until ON revocation (until);

CREATE TABLE sealed_key (
  kid text COLLATE "C" PRIMARY KEY,
  purpose text NOT NULL,
  sealed bytea NOT NULL,
  master_id text NOT NULL,
  public_key text,
  created_at double precision NOT NULL,
  active_from double precision NOT NULL,
  until double precision NOT NULL
);

CREATE TABLE audit_entry (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at double precision NOT NULL,
  role text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL,
  account text COLLATE "C",
  action text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  reason text NOT NULL
);
CREATE INDEX audit_entry_subject ON audit_entry (subject, id);
CREATE INDEX audit_entry_principal ON audit_entry (principal, id);

CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION 'the audit is never changed' USING ERRCODE = 'insufficient_privilege';
END
$function$;
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays();
`;

export function up(migration: MigrationBuilder): void {
  migration.sql(TABLES);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP TABLE audit_entry;
DROP FUNCTION audit_entry_stays();
DROP TABLE sealed_key, revocation, account_session, account_role, account;
`);
}
