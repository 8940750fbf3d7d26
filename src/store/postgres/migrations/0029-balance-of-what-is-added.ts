import type { MigrationBuilder } from "node-pg-migrate";

/**
 * Each statement's entries are judged by themselves: what is added to a transaction sums to zero, so the whole does. To
 * join the entries that are there already was to walk through all the books with every booking, some microseconds for each
 * order that was ever delivered.
 */
const judgedBy = (condition: string): string => `
CREATE OR REPLACE FUNCTION ledger_balanced_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
  wrong bigint;
BEGIN
  ${condition}
    LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'ledger transaction ' || wrong || ' does not sum to zero';
  END IF;
  RETURN NULL;
END
$function$;
`;

export function up(pgm: MigrationBuilder): void {
  pgm.sql(
    judgedBy(`SELECT a.transaction INTO wrong FROM added a
    GROUP BY a.transaction HAVING sum(a.amount_minor) <> 0 OR min(a.currency) <> max(a.currency)
      OR min(a.currency) <> (SELECT t.currency FROM ledger_transaction t WHERE t.id = a.transaction)`),
  );
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(
    judgedBy(`SELECT e.transaction INTO wrong FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction
    WHERE e.transaction IN (SELECT a.transaction FROM added a)
    GROUP BY e.transaction HAVING sum(e.amount_minor) <> 0 OR count(*) FILTER (WHERE e.currency <> t.currency) > 0`),
  );
}
