import type { MigrationBuilder } from "node-pg-migrate";

/**
 * What is open of a restaurant's orders, and of a driver's and an agent's rooms, is read each time that one of them wakes.
 * Without an index of its own that reading went through all there had ever been, a page of the table for each: a kitchen
 * that had been in business for a year or two could not be woken any more within the time that a statement has.
 */
export function up(pgm: MigrationBuilder): void {
  pgm.sql("CREATE INDEX actor_index_live_counterparty ON actor_index (kind, counterparty, at DESC) WHERE live;");
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("DROP INDEX actor_index_live_counterparty;");
}
