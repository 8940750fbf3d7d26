/**
 * What admins do with accounts. Every change stands in the audit, in the same transaction, with its reason.
 *
 * Invariant: a decision that has been made is not made again: repeating it changes nothing and records nothing.
 */
import type { AccountSummary, ApplicationView, OperationCaller, Role } from "../../protocol/mod.js";
import { opened, withRole } from "./applications.js";
import {
  type AccountContext,
  type Answered,
  answered,
  auditBy,
  type Change,
  changeAccount,
  emailHashOf,
  KEYS_CHANGED,
  locating,
  type Refused,
  refused,
  tellRevoked,
  tokensUntil,
} from "./context.js";
import { summaryView } from "./people.js";
import { type AccountRecord, type Ending, principalKey, type RoleRecord } from "./ports.js";

export interface Administration {
  applications(role: Role | null, limit: number): Promise<readonly ApplicationView[]>;
  decide(
    caller: OperationCaller,
    applicationId: string,
    decision: "active" | "rejected",
    reason: string,
  ): Promise<Answered<AccountSummary>>;
  find(email: string): Promise<Answered<AccountSummary>>;
  read(accountId: string): Promise<Answered<AccountSummary>>;
  setBan(
    caller: OperationCaller,
    accountId: string,
    banned: boolean,
    reason: string,
  ): Promise<Answered<AccountSummary>>;
  setPrincipalBan(
    caller: OperationCaller,
    role: Role,
    principalId: string,
    banned: boolean,
    reason: string,
  ): Promise<void>;
  setRole(
    caller: OperationCaller,
    accountId: string,
    role: { readonly role: Role; readonly restaurantId: string | undefined; readonly given: boolean },
    reason: string,
  ): Promise<Answered<AccountSummary>>;
  rotateKeys(
    caller: OperationCaller,
    key: string,
    reason: string,
  ): Promise<{ readonly kid: string; readonly signsFrom: number }>;
}

const FOREVER = 8_640_000_000_000;

export function createAdministration(context: AccountContext): Administration {
  const { store, people, clock, settings } = context;

  const summary = (account: AccountRecord): AccountSummary => summaryView(account, people.person(account));

  async function changed(
    read: () => Promise<AccountRecord | null>,
    change: (account: AccountRecord) => Change | Refused | null,
  ): Promise<Answered<AccountSummary>> {
    const outcome = await changeAccount(context, read, change);
    return outcome.ok ? answered(summary(outcome.value)) : outcome;
  }

  const living = async (accountId: string): Promise<AccountRecord | null> => {
    const account = await store.byId(accountId);
    return account === null || account.state === "erased" ? null : account;
  };
  const endingOf = (which: Ending["which"], why: Ending["why"]): Ending => ({
    which,
    why,
    now: clock.now(),
    until: tokensUntil(context),
  });

  return {
    async applications(role, limit) {
      const views: ApplicationView[] = [];
      for (const account of await store.applications(role, limit)) {
        const person = people.person(account);
        for (const each of account.roles) {
          const asks = people.asks(account, each);
          if (each.state !== "applied" || asks === null || each.applicationId === null) continue;
          if (role !== null && each.role !== role) continue;
          views.push({
            applicationId: each.applicationId,
            accountId: account.id,
            principalId: each.principalId,
            state: each.state,
            since: each.since,
            ...(person?.name === undefined ? {} : { name: person.name }),
            asks,
          });
        }
      }
      return views.sort((a, b) => a.since - b.since).slice(0, limit);
    },
    async decide(caller, applicationId, decision, reason) {
      if (decision === "active") {
        // Before the approval, so that whoever is approved finds the house there; again after a crash in between.
        const account = await store.byApplication(applicationId);
        const role = account?.roles.find((each) => each.applicationId === applicationId && each.state === "applied");
        if (account !== null && role !== undefined) {
          const wrong = await opened(context, caller, role, people.asks(account, role));
          if (wrong !== null) return wrong;
        }
      }
      return changed(
        () => store.byApplication(applicationId),
        (account) => {
          const role = account.roles.find((each) => each.applicationId === applicationId);
          if (role === undefined) return refused("not_found");
          if (role.state === decision) return null;
          // What was decided otherwise is changed by giving or ending the role, which says so in the audit.
          if (role.state !== "applied") return refused("illegal_transition", { status: role.state });
          const action = decision === "active" ? "application.approve" : "application.reject";
          const after = withRole(account, { ...role, state: decision, since: clock.now(), reason });
          return {
            account: after,
            audit: [auditBy(context, caller, action, subjectOf(account, role), reason)],
            revoke: role.role === "driver" ? locating(after) : [],
          };
        },
      );
    },
    async find(email) {
      const account = await store.byEmail(emailHashOf(context, email));
      return account === null ? refused("not_found") : answered(summary(account));
    },
    async read(accountId) {
      const account = await store.byId(accountId);
      return account === null ? refused("not_found") : answered(summary(account));
    },
    setBan: (caller, accountId, banned, reason) =>
      changed(
        () => living(accountId),
        (account) => {
          if ((account.state === "banned") === banned) return null;
          return {
            account: { ...account, state: banned ? "banned" : "active", reason: banned ? reason : "" },
            audit: [
              auditBy(context, caller, banned ? "account.ban" : "account.unban", `account/${account.id}`, reason),
            ],
            // The ids that are the person's own are banned with them, whatever tokens or devices act under them.
            revoke: account.roles
              .filter(({ principalId }) => principalId === account.id)
              .map(({ role, principalId }) => ({
                key: principalKey(role, principalId),
                until: banned ? FOREVER : 0,
                why: "banned" as const,
              })),
            ...(banned ? { end: endingOf({ kind: "all" }, "banned") } : {}),
          };
        },
      ),
    async setPrincipalBan(caller, role, principalId, banned, reason) {
      const now = clock.now();
      const audit = auditBy(
        context,
        caller,
        banned ? "principal.ban" : "principal.unban",
        `${role}/${principalId}`,
        reason,
      );
      const ban = { until: banned ? FOREVER : 0, now, tokensUntil: tokensUntil(context) };
      await tellRevoked(context, await store.setPrincipalBan(role, principalId, ban, audit));
    },
    setRole: (caller, accountId, { role, restaurantId, given }, reason) =>
      changed(
        () => living(accountId),
        (account) => {
          const principalId = role === "restaurant" ? restaurantId : account.id;
          if (principalId === undefined)
            return refused("invalid", { path: "/restaurantId", problem: "is needed for staff" });
          const before = account.roles.find((each) => each.role === role && each.principalId === principalId);
          if ((before?.state === "active") === given) return null;
          if (before === undefined && account.roles.length >= settings.maxRoles) {
            return refused("too_many", { most: settings.maxRoles });
          }
          const next: RoleRecord = {
            applicationId: null,
            asks: null,
            ...before,
            role,
            principalId,
            state: given ? "active" : "ended",
            since: clock.now(),
            reason,
          };
          const after = withRole(account, next);
          return {
            account: after,
            audit: [auditBy(context, caller, given ? "role.give" : "role.end", subjectOf(account, next), reason)],
            revoke: role === "driver" ? locating(after) : [],
            ...(given ? {} : { end: endingOf({ kind: "role", role, principalId }, "role_ended") }),
          };
        },
      ),
    async rotateKeys(caller, key, reason) {
      const rotated = await context.keyring.rotate(
        `${caller.id}\n${key}`,
        auditBy(context, caller, "keys.rotate", "keys/signing", reason),
      );
      // Nodes that do not hear it read the keys in time by themselves.
      await context.notices.publish(KEYS_CHANGED, rotated.kid).catch((error: unknown) => {
        context.log.warn({ error: String(error) }, "The new key could not be told to all; every node will read it");
      });
      return rotated;
    },
  };
}

const subjectOf = (account: AccountRecord, role: RoleRecord): string =>
  role.principalId === account.id
    ? `account/${account.id}/${role.role}`
    : `account/${account.id}/${role.role}/${role.principalId}`;
