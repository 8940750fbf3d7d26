/** Reading the audit. Whoever does something writes its own entry, in its own transaction where it can. */
import type { AUDIT_OPERATIONS, OperationHandlers } from "../../protocol/mod.js";
import type { AuditLog } from "./ports.js";

export type { AuditDraft, AuditLog, AuditQuery } from "./ports.js";

const PAGE = 50;

export function auditOperations(log: Pick<AuditLog, "read">): OperationHandlers<typeof AUDIT_OPERATIONS> {
  return {
    "audit.read": async ({ query }) => {
      const limit = query.limit ?? PAGE;
      try {
        const found = await log.read({ ...query, limit: limit + 1 });
        const entries = found.slice(0, limit);
        const last = entries.at(-1);
        const more = found.length > limit && last !== undefined;
        return { ok: true, value: { entries, ...(more ? { nextBefore: last.entryId } : {}) } };
      } catch {
        return { ok: false, code: "unavailable", retryAfterMs: 2_000 };
      }
    },
  };
}
