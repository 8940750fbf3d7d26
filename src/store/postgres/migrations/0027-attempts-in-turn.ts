import type { MigrationBuilder } from "node-pg-migrate";

/**
 * The time of an attempt at a password is the time at which its buckets are its own. Read before it waited for them, it
 * was older than that of the attempt before, and who was let wait by a neighbour was refused for a microsecond.
 */
const taken = (before: string, after: string): string => `
CREATE OR REPLACE FUNCTION password_attempt_v1(keys text[], token_ms float8[], capacity_ms float8[]) RETURNS float8
  LANGUAGE plpgsql AS $function$
DECLARE
  now_ms float8${before};
  wait_ms float8;
BEGIN
  INSERT INTO password_attempt (key, full_at)
    SELECT w.key, 0 FROM unnest(keys) w(key) ORDER BY w.key ON CONFLICT DO NOTHING;
  PERFORM 1 FROM password_attempt a WHERE a.key = ANY(keys) ORDER BY a.key FOR UPDATE;${after}
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
const NOW = "extract(epoch FROM clock_timestamp()) * 1000";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(taken("", `\n  now_ms := ${NOW};`));
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(taken(` := ${NOW}`, ""));
}
