/** What people with power did, and why. */
import { ROLES, type Role } from "../commands.js";
import { Count, Id, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

/** An entry is never changed and never removed. It names ids, never persons. */
export const AuditEntry = Strict({
  entryId: Count(Number.MAX_SAFE_INTEGER),
  at: Millis,
  /** Who did it: the principal of the token, and the account behind it where there is one. */
  role: Type.Unsafe<Role>({ type: "string", enum: [...ROLES] }),
  principalId: Id,
  accountId: Type.Optional(Id),
  /** `account.ban`, `order.refund`. */
  action: Type.String({ maxLength: 64 }),
  /** What it was done to: `account/…`, `order/…`. */
  subject: Type.String({ maxLength: 140 }),
  reason: Text(300),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const AUDIT_OPERATIONS = operations({
  "audit.read": {
    method: "GET",
    path: "/v1/audit",
    summary: "What was done by support and admins, newest first. `nextBefore` leads to the next page.",
    access: ["support", "admin"],
    tier: "browse",
    query: Strict({
      subject: Type.Optional(Type.String({ minLength: 1, maxLength: 140, pattern: "^[\\x21-\\x7e]*$" })),
      principalId: Type.Optional(Id),
      before: Type.Optional(Count(Number.MAX_SAFE_INTEGER)),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    }),
    reply: Strict({
      entries: Type.Array(AuditEntry, { maxItems: 200 }),
      nextBefore: Type.Optional(Count(Number.MAX_SAFE_INTEGER)),
    }),
    refusals: ["unavailable"],
  },
});
