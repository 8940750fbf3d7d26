import type { MigrationBuilder } from "node-pg-migrate";

/**
 * Where drivers earn by the hour, a delivery pays nothing, and is one all the same: the line of its pay stands in the books
 * with nothing in it. Not validated, so that no release walks through all the books: what is there moves something.
 */
const entriesHold = (condition: string): string => `
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_amount_minor_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_amount_minor_check CHECK (${condition}) NOT VALID;
`;

export function up(pgm: MigrationBuilder): void {
  pgm.sql(entriesHold("amount_minor <> 0 OR account = 'driver_payable'"));
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(entriesHold("amount_minor <> 0"));
}
