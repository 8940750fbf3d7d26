import type { MigrationBuilder } from "node-pg-migrate";

/** Times are milliseconds since the epoch. */
export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    CREATE TABLE announcement (
      announcement_id text PRIMARY KEY,
      starts_at bigint NOT NULL,
      ends_at bigint NOT NULL,
      withdrawn_at bigint,
      record jsonb NOT NULL
    );
    CREATE INDEX announcement_ends ON announcement (ends_at);
    CREATE INDEX announcement_starts ON announcement (starts_at);
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("DROP TABLE announcement");
}
