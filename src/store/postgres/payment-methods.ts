/** The statements of saved payment methods. */
import type { MethodStore, SavedMethod } from "../../services/payments/ports.js";
import type { Ask } from "./money.js";
import { findable } from "./reads.js";

const COLUMNS = `id, customer_id AS "customerId", label, token AS "sealedToken", at`;

type Row = SavedMethod & { readonly [column: string]: unknown };

export function postgresMethods(ask: Ask): MethodStore {
  return {
    async save({ id, customerId, label, sealedToken, at }, most) {
      const rows = await ask<{ kept: boolean }>(
        "method_save",
        // Two at once may pass the bound by one: it keeps lists short, nothing hangs on it.
        `WITH kept AS (
           INSERT INTO payment_method (id, customer_id, label, token, at)
             SELECT $1::text, $2::text, $3::text, $4::text, $5::float8
             WHERE (SELECT count(*) FROM payment_method m WHERE m.customer_id = $2::text) < $6::int
             ON CONFLICT (id) DO NOTHING RETURNING 1)
         SELECT EXISTS (SELECT FROM kept) OR EXISTS (
           SELECT FROM payment_method m WHERE m.id = $1::text AND m.customer_id = $2::text) AS kept`,
        [id, customerId, label, sealedToken, at, most],
      );
      return rows[0]!.kept;
    },
    ofCustomer: (customerId) =>
      ask<Row>(
        "method_of_customer",
        `SELECT ${COLUMNS} FROM payment_method WHERE customer_id = $1::text ORDER BY at, id`,
        [findable(customerId)],
      ),
    async find(customerId, id) {
      const rows = await ask<Row>(
        "method_find",
        `SELECT ${COLUMNS} FROM payment_method WHERE id = $2::text AND customer_id = $1::text`,
        [findable(customerId), findable(id)],
      );
      return rows[0] ?? null;
    },
    async remove(customerId, id) {
      const rows = await ask<{ id: string }>(
        "method_remove",
        "DELETE FROM payment_method WHERE id = $2::text AND customer_id = $1::text RETURNING id",
        [findable(customerId), findable(id)],
      );
      return rows.length > 0;
    },
  };
}
