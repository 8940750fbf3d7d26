import type { MigrationBuilder } from "node-pg-migrate";

/**
 * Accounts that were erased while something of the person still stands elsewhere: a row until nothing does. And attempts
 * at a password: until when each account's and each address's bucket is not full again, by the server's clock, so that
 * all nodes count together. Guesses are not worth a place in the log: after a crash of the server they are forgotten.
 */
const TABLES = `
CREATE TABLE account_erasure (
  account  text COLLATE "C" PRIMARY KEY REFERENCES account (id),
  asked_at double precision NOT NULL
);
INSERT INTO account_erasure (account, asked_at)
  SELECT id, extract(epoch FROM clock_timestamp()) * 1000 FROM account WHERE state = 'erased';

CREATE UNLOGGED TABLE password_attempt (
  key     text COLLATE "C" PRIMARY KEY,
  full_at double precision NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX password_attempt_full_at ON password_attempt (full_at);

-- One attempt from each bucket or from none. Keys come in one order, so that two callers never wait for each other.
CREATE FUNCTION password_attempt_v1(keys text[], token_ms float8[], capacity_ms float8[]) RETURNS float8
  LANGUAGE plpgsql AS $function$
DECLARE
  now_ms float8 := extract(epoch FROM clock_timestamp()) * 1000;
  wait_ms float8;
BEGIN
  INSERT INTO password_attempt (key, full_at)
    SELECT w.key, 0 FROM unnest(keys) w(key) ORDER BY w.key ON CONFLICT DO NOTHING;
  PERFORM 1 FROM password_attempt a WHERE a.key = ANY(keys) ORDER BY a.key FOR UPDATE;
  SELECT max(greatest(a.full_at, now_ms) + w.token_ms - w.capacity_ms - now_ms) INTO wait_ms
    FROM unnest(keys, token_ms, capacity_ms) w(key, token_ms, capacity_ms) JOIN password_attempt a ON a.key = w.key;
  IF wait_ms > 0 THEN
    RETURN wait_ms;
  END IF;
  UPDATE password_attempt a SET full_at = greatest(a.full_at, now_ms) + w.token_ms
    FROM unnest(keys, token_ms) w(key, token_ms) WHERE a.key = w.key;
  RETURN 0;
END
$function$;
`;

export function up(migration: MigrationBuilder): void {
  migration.sql(TABLES);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP FUNCTION password_attempt_v1;
DROP TABLE password_attempt, account_erasure;
`);
}
