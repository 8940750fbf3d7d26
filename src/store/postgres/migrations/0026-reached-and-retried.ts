import type { MigrationBuilder } from "node-pg-migrate";

/**
 * Who acts under an id is looked up for every message to a restaurant or a customer. And of the erasures that are not done,
 * those tried longest ago come first, so that some that have to wait for long do not keep all others waiting.
 */
export function up(migration: MigrationBuilder): void {
  migration.sql(`
    CREATE INDEX account_role_principal ON account_role (principal, role) WHERE state = 'active';
    ALTER TABLE account_erasure ADD COLUMN tried_at double precision NOT NULL DEFAULT 0;
  `);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
    ALTER TABLE account_erasure DROP COLUMN tried_at;
    DROP INDEX account_role_principal;
  `);
}
