/** Accounts, sessions, keys and the audit in memory, with the same promises as on PostgreSQL. */
import type { Clock } from "../../lib/clock.js";
import type { AuditEntry } from "../../protocol/mod.js";
import {
  type AccountRecord,
  type AccountStore,
  type AuditDraft,
  type Ending,
  type KeyRecord,
  principalKey,
  type Revocation,
  type SessionRecord,
  sessionKey,
} from "../../services/accounts/ports.js";
import type { AuditLog } from "../../services/audit/ports.js";

export interface MemoryAccounts {
  readonly accounts: AccountStore;
  readonly audit: AuditLog;
}

interface AccountTables {
  readonly accounts: Map<string, AccountRecord>;
  readonly sessions: Map<string, SessionRecord>;
  readonly revocations: Map<string, Revocation & { readonly at: number }>;
  readonly keys: Map<string, KeyRecord>;
  readonly audit: AuditEntry[];
  readonly auditedOnce: Set<string>;
  /** By account, those given longest ago first: when it was asked for, and until when it is put off. */
  readonly erasures: Map<string, { readonly askedAt: number; readonly notBefore: number }>;
  /** By key: when the bucket is full again. */
  readonly attempts: Map<string, number>;
}

export function createMemoryAccounts(clock: Clock): MemoryAccounts {
  const tables: AccountTables = {
    accounts: new Map(),
    sessions: new Map(),
    revocations: new Map(),
    keys: new Map(),
    audit: [],
    auditedOnce: new Set(),
    erasures: new Map(),
    attempts: new Map(),
  };
  const append = (entries: readonly (AuditDraft & { readonly once?: string })[]): void => {
    for (const { once, ...entry } of entries) {
      if (once !== undefined) {
        if (tables.auditedOnce.has(once)) continue;
        tables.auditedOnce.add(once);
      }
      tables.audit.push({ entryId: tables.audit.length + 1, ...entry });
    }
  };
  return {
    accounts: accountsOf(tables, clock, append),
    audit: {
      async append(entries) {
        append(entries);
      },
      async read({ subject, principalId, before, limit }) {
        return tables.audit
          .filter(
            (entry) =>
              (subject === undefined || entry.subject === subject) &&
              (principalId === undefined || entry.principalId === principalId) &&
              entry.entryId < (before ?? Number.MAX_SAFE_INTEGER),
          )
          .toReversed()
          .slice(0, limit);
      },
    },
  };
}

function accountsOf(
  tables: AccountTables,
  clock: Clock,
  append: (entries: readonly AuditDraft[]) => void,
): AccountStore {
  const { accounts, sessions, revocations, keys, erasures, attempts } = tables;
  const find = (matches: (account: AccountRecord) => boolean): AccountRecord | null => {
    for (const account of accounts.values()) if (matches(account)) return structuredClone(account);
    return null;
  };
  const revoke = (revoked: readonly Revocation[]): readonly Revocation[] => {
    for (const each of revoked) revocations.set(each.key, { ...each, at: clock.now() });
    return revoked;
  };
  const end = (
    matches: (session: SessionRecord) => boolean,
    how: Pick<Ending, "why" | "now" | "until">,
  ): readonly Revocation[] => {
    const ended = [...sessions.values()].filter((session) => session.endedAt === null && matches(session));
    for (const session of ended) sessions.set(session.id, { ...session, endedAt: how.now, endedWhy: how.why });
    return revoke(ended.map(({ id }) => ({ key: sessionKey(id), until: how.until, why: how.why })));
  };
  const endOf = (accountId: string, ending: Ending): readonly Revocation[] => {
    const { which } = ending;
    switch (which.kind) {
      case "all":
        return end((session) => session.accountId === accountId, ending);
      case "others":
        return end(({ id, accountId: of }) => of === accountId && id !== which.than, ending);
      case "role":
        return end(
          ({ accountId: of, role, principalId }) =>
            of === accountId && role === which.role && principalId === which.principalId,
          ending,
        );
    }
  };
  const waitingSince = (account: AccountRecord, role: string | null): number =>
    Math.min(
      ...account.roles
        .filter((each) => each.state === "applied" && (role === null || each.role === role))
        .map(({ since }) => since),
    );

  return {
    async create(account, session) {
      const taken = find(
        ({ id, emailHash }) => id === account.id || (emailHash !== null && emailHash === account.emailHash),
      );
      if (taken !== null) return "exists";
      accounts.set(account.id, structuredClone(account));
      if (!sessions.has(session.id)) sessions.set(session.id, session);
      return "created";
    },
    byId: async (accountId) => find(({ id }) => id === accountId),
    byEmail: async (emailHash) => find((account) => account.emailHash === emailHash),
    byApplication: async (applicationId) =>
      find(({ roles }) => roles.some((role) => role.applicationId === applicationId)),
    async change(account, { audit, end: ending, revoke: also = [] }) {
      const before = accounts.get(account.id);
      if (before === undefined || before.version !== account.version) return { kind: "stale" };
      accounts.set(account.id, structuredClone({ ...account, version: account.version + 1 }));
      append(audit);
      revoke(also);
      if (account.state === "erased" && !erasures.has(account.id))
        erasures.set(account.id, { askedAt: clock.now(), notBefore: 0 });
      return { kind: "changed", revoked: [...also, ...(ending === null ? [] : endOf(account.id, ending))] };
    },
    async erasures(limit) {
      const due = [...erasures].filter(([, { notBefore }]) => notBefore <= clock.now()).slice(0, limit);
      for (const [account, times] of due) {
        erasures.delete(account);
        erasures.set(account, times);
      }
      return due.map(([account]) => account);
    },
    async erasureDone(accountId, lateMs) {
      const asked = erasures.get(accountId);
      if (asked === undefined) return;
      const notBefore = asked.askedAt + lateMs;
      if (notBefore > clock.now()) erasures.set(accountId, { ...asked, notBefore });
      else erasures.delete(accountId);
    },
    holders: async (role, principalId, limit) =>
      [...accounts.values()]
        .filter(({ state }) => state !== "erased")
        .filter(({ roles }) =>
          roles.some((each) => each.role === role && each.principalId === principalId && each.state === "active"),
        )
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map((account) => structuredClone(account)),
    applications: async (role, limit) =>
      [...accounts.values()]
        .map((account) => ({ account, since: waitingSince(account, role) }))
        .filter(({ since }) => Number.isFinite(since))
        .sort((a, b) => a.since - b.since || (a.account.id < b.account.id ? -1 : 1))
        .slice(0, limit)
        .map(({ account }) => structuredClone(account)),
    async openSession(session, maxSessions, until) {
      const account = accounts.get(session.accountId);
      if (account === undefined || account.state === "erased") return { ok: false, why: "not_found" };
      if (account.state === "banned") return { ok: false, why: "banned" };
      const ban = revocations.get(principalKey(session.role, session.principalId));
      if (ban !== undefined && ban.until > session.createdAt) return { ok: false, why: "banned" };
      const has = account.roles.some(
        ({ role, principalId, state }) =>
          role === session.role && principalId === session.principalId && state === "active",
      );
      if (!has) return { ok: false, why: "role_missing" };
      const known = sessions.get(session.id);
      if (known !== undefined) return { ok: true, session: known, revoked: [] };
      sessions.set(session.id, session);
      const open = [...sessions.values()]
        .filter((each) => each.accountId === account.id && each.endedAt === null && each.expiresAt > session.createdAt)
        .sort(
          (a, b) =>
            Number(b.id === session.id) - Number(a.id === session.id) || b.usedAt - a.usedAt || (a.id < b.id ? -1 : 1),
        );
      const tooMany = new Set(open.slice(maxSessions).map(({ id }) => id));
      const how = { why: "too_many", now: session.createdAt, until } as const;
      return { ok: true, session, revoked: end(({ id }) => tooMany.has(id), how) };
    },
    async rotateSession(sessionId, generation, key, { now, expiresAt, until }) {
      const session = sessions.get(sessionId);
      if (session === undefined || session.endedAt !== null || session.expiresAt <= now) return { kind: "ended" };
      if (session.generation <= generation) {
        const next = { ...session, generation: generation + 1, lastKey: key, usedAt: now, expiresAt };
        sessions.set(sessionId, next);
        return { kind: "rotated", session: next };
      }
      if (session.generation === generation + 1 && session.lastKey === key) return { kind: "repeated", session };
      return { kind: "reused", revoked: end(({ id }) => id === sessionId, { why: "reused", now, until }) };
    },
    endSession: async (sessionId, why, now, until) => end(({ id }) => id === sessionId, { why, now, until }),
    sessionsOf: async (accountId) =>
      [...sessions.values()]
        .filter((session) => session.accountId === accountId)
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    async setPrincipalBan(role, principalId, { until, now, tokensUntil }, audit) {
      const ban: Revocation = { key: principalKey(role, principalId), until, why: "banned" };
      const before = revocations.get(ban.key)?.until ?? 0;
      if (before > now === until > now) return [];
      revoke([ban]);
      append([audit]);
      if (until <= now) return [ban];
      const how = { why: "banned", now, until: tokensUntil } as const;
      return [ban, ...end((session) => session.principalId === principalId && session.role === role, how)];
    },
    revocations: async (since, now) => ({
      at: clock.now(),
      revocations: [...revocations.values()]
        .filter(({ at, until }) => (since === null ? until > now : at >= since))
        .map(({ key, until, why }) => ({ key, until, why })),
    }),
    async takeAttempts(buckets) {
      const now = clock.now();
      const after = buckets.map(({ key, perMinute, burst }) => {
        const costMs = 60_000 / perMinute;
        const fullAt = Math.max(attempts.get(key) ?? 0, now) + costMs;
        return { key, fullAt, waitMs: fullAt - burst * costMs - now };
      });
      const waitMs = Math.max(0, ...after.map((each) => each.waitMs));
      if (waitMs === 0) for (const { key, fullAt } of after) attempts.set(key, fullAt);
      return waitMs;
    },
    async giveAttempts(buckets) {
      for (const { key, perMinute } of buckets) attempts.set(key, (attempts.get(key) ?? 0) - 60_000 / perMinute);
    },
    keys: async () =>
      [...keys.values()]
        .sort((a, b) => a.createdAt - b.createdAt || (a.kid < b.kid ? -1 : 1))
        .map((key) => structuredClone(key)),
    async addKey(key, audit, othersUntil) {
      if (keys.has(key.kid)) return false;
      if (othersUntil !== undefined) {
        for (const other of keys.values()) {
          if (other.purpose !== key.purpose) continue;
          keys.set(other.kid, { ...other, until: Math.min(other.until, othersUntil) });
        }
      }
      keys.set(key.kid, structuredClone(key));
      append(audit);
      return true;
    },
    async resealKey(kid, sealed, masterId) {
      const key = keys.get(kid);
      if (key !== undefined) keys.set(kid, { ...key, sealed: sealed.slice(), masterId });
    },
    sealedWith: async (masterIds, limit) =>
      [...accounts.values()]
        .flatMap(({ id, dataKey, masterId: by }) =>
          dataKey === null || by === null || !masterIds.includes(by) ? [] : [{ id, dataKey }],
        )
        .slice(0, limit),
    async resealAccount(id, before, after, masterId) {
      const account = accounts.get(id);
      if (account === undefined || account.dataKey === null || Buffer.compare(account.dataKey, before) !== 0) return;
      accounts.set(id, { ...account, dataKey: after.slice(), masterId, version: account.version + 1 });
    },
    async forget(before, limit) {
      const gone = [
        ...[...sessions.values()]
          .filter(({ expiresAt }) => expiresAt < before)
          .slice(0, limit)
          .map(
            ({ id }) =>
              () =>
                sessions.delete(id),
          ),
        ...[...revocations.values()]
          .filter(({ until, at }) => until < before && at < before)
          .slice(0, limit)
          .map(
            ({ key }) =>
              () =>
                revocations.delete(key),
          ),
        ...[...keys.values()]
          .filter(({ until }) => until < before)
          .map(
            ({ kid }) =>
              () =>
                keys.delete(kid),
          ),
      ];
      for (const forget of gone) forget();
      for (const [key, fullAt] of attempts) if (fullAt < clock.now()) attempts.delete(key);
      return gone.length;
    },
    close: async () => undefined,
  };
}
