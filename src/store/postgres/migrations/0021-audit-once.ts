import type { MigrationBuilder } from "node-pg-migrate";

/** An entry that is written again, because nobody knows whether it was written, is still one entry. */
export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    ALTER TABLE audit_entry ADD COLUMN once text COLLATE "C";
    CREATE UNIQUE INDEX audit_entry_once ON audit_entry (once) WHERE once IS NOT NULL;
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("ALTER TABLE audit_entry DROP COLUMN once");
}
