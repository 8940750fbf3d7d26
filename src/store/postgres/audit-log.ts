/** The audit on PostgreSQL. The table itself refuses to change or lose a row. */

import { OutcomeUnknown, StoreUnavailable } from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { AuditEntry } from "../../protocol/mod.js";
import type { AuditLog } from "../../services/audit/ports.js";
import { writeAudit } from "./account-rows.js";
import { openConnections } from "./connection.js";
import type pg from "./pg.js";
import { ask, findable } from "./reads.js";
import { inTransaction } from "./transaction.js";

const MAX_WAITING = 128;

interface Row {
  id: number;
  at: number;
  role: AuditEntry["role"];
  principal: string;
  account: string | null;
  action: string;
  subject: string;
  reason: string;
}

export function createPostgresAuditLog(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): AuditLog & { close(): Promise<void> } {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats audit",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "audit" }),
  });
  return {
    async append(entries) {
      try {
        await connections.run((client) => inTransaction(client, () => writeAudit(client, entries)));
      } catch (error) {
        // Not repeated: it may have been written.
        if (error instanceof OutcomeUnknown) throw new StoreUnavailable(error.message, { cause: error });
        throw error;
      }
    },
    async read({ subject, principalId, before, limit }) {
      const rows = await connections.run((client) =>
        ask<Row & pg.QueryResultRow>(
          client,
          `audit_read${subject === undefined ? "" : "_of"}${principalId === undefined ? "" : "_by"}`,
          `SELECT id, at, role, principal, account, action, subject, reason FROM audit_entry
             WHERE id < $1 ${subject === undefined ? "AND $2::text IS NULL" : "AND subject = $2"}
               ${principalId === undefined ? "AND $3::text IS NULL" : "AND principal = $3"}
             ORDER BY id DESC LIMIT $4`,
          [
            before ?? Number.MAX_SAFE_INTEGER,
            subject === undefined ? null : findable(subject),
            principalId === undefined ? null : findable(principalId),
            limit,
          ],
        ),
      );
      return rows.map(({ id, principal, account, ...row }) => ({
        entryId: id,
        at: row.at,
        role: row.role,
        principalId: principal,
        ...(account === null ? {} : { accountId: account }),
        action: row.action,
        subject: row.subject,
        reason: row.reason,
      }));
    },
    close: () => connections.close(),
  };
}
