/** Accounts as rows, and rows as accounts. */

import type { Role } from "../../protocol/mod.js";
import type {
  AccountRecord,
  AttemptBucket,
  AuditDraft,
  ConsentRecord,
  EndReason,
  KeyRecord,
  Revocation,
  RoleRecord,
  SessionRecord,
} from "../../services/accounts/ports.js";
import type pg from "./pg.js";
import { ask } from "./reads.js";

interface AccountRow {
  id: string;
  state: AccountRecord["state"];
  reason: string;
  created_at: number;
  version: number;
  email_hash: string | null;
  password: string | null;
  data_key: Uint8Array | null;
  master_id: string | null;
  person: Uint8Array | null;
  consents: string;
}

interface RoleRow {
  account: string;
  role: Role;
  principal: string;
  state: RoleRecord["state"];
  application: string | null;
  since: number;
  reason: string;
  asks: Uint8Array | null;
}

export interface SessionRow {
  id: string;
  account: string;
  role: Role;
  principal: string;
  generation: number;
  last_key: string;
  created_at: number;
  used_at: number;
  expires_at: number;
  ended_at: number | null;
  ended_why: EndReason | null;
}

export interface KeyRow {
  kid: string;
  purpose: KeyRecord["purpose"];
  sealed: Uint8Array;
  master_id: string;
  public_key: string | null;
  created_at: number;
  active_from: number;
  until: number;
}

/** The accounts of these rows, with their roles, in the rows' order. */
export async function withRoles(client: pg.ClientBase, rows: readonly AccountRow[]): Promise<AccountRecord[]> {
  if (rows.length === 0) return [];
  const roles = await ask<RoleRow>(
    client,
    "account_roles",
    "SELECT * FROM account_role WHERE account = ANY($1::text[]) ORDER BY account, place",
    [rows.map(({ id }) => id)],
  );
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    reason: row.reason,
    createdAt: row.created_at,
    version: row.version,
    emailHash: row.email_hash,
    password: row.password,
    dataKey: row.data_key,
    masterId: row.master_id,
    person: row.person,
    consents: JSON.parse(row.consents) as readonly ConsentRecord[],
    roles: roles
      .filter(({ account }) => account === row.id)
      .map(({ role, principal, state, application, since, reason, asks }) => ({
        role,
        principalId: principal,
        state,
        applicationId: application,
        since,
        reason,
        asks,
      })),
  }));
}

export type FoundAccount = AccountRow & pg.QueryResultRow;

export const sessionOf = (row: SessionRow): SessionRecord => ({
  id: row.id,
  accountId: row.account,
  role: row.role,
  principalId: row.principal,
  generation: row.generation,
  lastKey: row.last_key,
  createdAt: row.created_at,
  usedAt: row.used_at,
  expiresAt: row.expires_at,
  endedAt: row.ended_at,
  endedWhy: row.ended_why,
});

export const keyOf = (row: KeyRow): KeyRecord => ({
  kid: row.kid,
  purpose: row.purpose,
  sealed: row.sealed,
  masterId: row.master_id,
  publicKey: row.public_key,
  createdAt: row.created_at,
  activeFrom: row.active_from,
  until: row.until,
});

const bytes = (value: Uint8Array | null): Buffer | null => (value === null ? null : Buffer.from(value));

export const accountValues = (account: AccountRecord): unknown[] => [
  account.id,
  account.state,
  account.reason,
  account.createdAt,
  account.version,
  account.emailHash,
  account.password,
  bytes(account.dataKey),
  account.masterId,
  bytes(account.person),
  JSON.stringify(account.consents),
];

export async function writeRoles(client: pg.ClientBase, account: AccountRecord): Promise<void> {
  for (const [place, role] of account.roles.entries()) {
    await ask(
      client,
      "account_write_role",
      `INSERT INTO account_role (account, role, principal, state, application, since, reason, asks, place)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (account, role, principal) DO UPDATE SET state = excluded.state, application = excluded.application,
           since = excluded.since, reason = excluded.reason, asks = excluded.asks, place = excluded.place`,
      [
        account.id,
        role.role,
        role.principalId,
        role.state,
        role.applicationId,
        role.since,
        role.reason,
        bytes(role.asks),
        place,
      ],
    );
  }
}

export async function writeSession(client: pg.ClientBase, session: SessionRecord): Promise<boolean> {
  const rows = await ask(
    client,
    "account_write_session",
    `INSERT INTO account_session (id, account, role, principal, generation, last_key, created_at, used_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
    [
      session.id,
      session.accountId,
      session.role,
      session.principalId,
      session.generation,
      session.lastKey,
      session.createdAt,
      session.usedAt,
      session.expiresAt,
    ],
  );
  return rows.length > 0;
}

export async function writeAudit(
  client: pg.ClientBase,
  entries: readonly (AuditDraft & { readonly once?: string })[],
): Promise<void> {
  for (const entry of entries) {
    await ask(
      client,
      "audit_append",
      `INSERT INTO audit_entry (at, role, principal, account, action, subject, reason, once)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (once) WHERE once IS NOT NULL DO NOTHING`,
      [
        entry.at,
        entry.role,
        entry.principalId,
        entry.accountId ?? null,
        entry.action,
        entry.subject,
        entry.reason,
        entry.once ?? null,
      ],
    );
  }
}

export async function writeRevocations(client: pg.ClientBase, revocations: readonly Revocation[]): Promise<void> {
  if (revocations.length === 0) return;
  await ask(
    client,
    "account_revoke",
    `INSERT INTO revocation (key, at, until, why)
       SELECT r.key, extract(epoch FROM clock_timestamp()) * 1000, r.until, r.why
         FROM unnest($1::text[], $2::float8[], $3::text[]) r(key, until, why)
       ON CONFLICT (key) DO UPDATE SET at = excluded.at, until = excluded.until, why = excluded.why`,
    [revocations.map(({ key }) => key), revocations.map(({ until }) => until), revocations.map(({ why }) => why)],
  );
}

export async function writeErasure(client: pg.ClientBase, accountId: string): Promise<void> {
  await ask(
    client,
    "account_erasure",
    `INSERT INTO account_erasure (account, asked_at) VALUES ($1, extract(epoch FROM clock_timestamp()) * 1000)
       ON CONFLICT DO NOTHING`,
    [accountId],
  );
}

/** Keys, what one attempt costs, and what a full bucket holds, both in the milliseconds in which they come back. */
export function bucketValues(buckets: readonly AttemptBucket[]): unknown[] {
  const costMs = ({ perMinute }: AttemptBucket): number => 60_000 / perMinute;
  return [buckets.map(({ key }) => key), buckets.map(costMs), buckets.map((bucket) => bucket.burst * costMs(bucket))];
}
