import type { MigrationBuilder } from "node-pg-migrate";

/**
 * The outbox of events as a queue: a row leaves once the stream has the event, so no row is ever marked as published,
 * and the oldest are found without looking at the others. Rows come and go all the time: the vacuum follows closely, or
 * the front of the index fills with dead entries.
 */
export function up(migration: MigrationBuilder): void {
  migration.sql(`
ALTER TABLE event_outbox DROP COLUMN published_at;
ALTER TABLE event_outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX event_outbox_at ON event_outbox (at);
`);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP INDEX event_outbox_at;
ALTER TABLE event_outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE event_outbox ADD COLUMN published_at double precision;
`);
}
