import type { MigrationBuilder } from "node-pg-migrate";

/**
 * What becomes of a dead letter: it waits, was driven again or was set aside for good. `round` is part of the command id
 * under which it is driven, so that a drive whose answer was lost acts once, and one that surely did nothing can be
 * repeated. `driving_since` is set while nobody knows what came of a drive.
 */
export function up(migration: MigrationBuilder): void {
  migration.sql(`
    ALTER TABLE dead_letter
      ADD COLUMN attempts integer NOT NULL DEFAULT 0,
      ADD COLUMN caller json,
      ADD COLUMN not_after double precision,
      ADD COLUMN state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'driven', 'set_aside')),
      ADD COLUMN drives integer NOT NULL DEFAULT 0,
      ADD COLUMN round integer NOT NULL DEFAULT 0,
      ADD COLUMN driving_since double precision,
      ADD COLUMN answer text NOT NULL DEFAULT '',
      ADD COLUMN settled_at double precision;
    CREATE INDEX dead_letter_at ON dead_letter (at);
    CREATE INDEX dead_letter_settled ON dead_letter (settled_at) WHERE state <> 'waiting';
    CREATE INDEX ledger_refused_at ON ledger_refused (at);
  `);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
    DROP INDEX ledger_refused_at, dead_letter_settled, dead_letter_at;
    ALTER TABLE dead_letter DROP COLUMN attempts, DROP COLUMN caller, DROP COLUMN not_after, DROP COLUMN state,
      DROP COLUMN drives, DROP COLUMN round, DROP COLUMN driving_since, DROP COLUMN answer, DROP COLUMN settled_at;
  `);
}
