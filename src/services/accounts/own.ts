/** What a person does with their own account. Whose it is comes from the token, never from the request. */
import type {
  ACCOUNT_OPERATIONS,
  Address,
  Application,
  Me,
  OperationCall,
  OperationCaller,
} from "../../protocol/mod.js";
import { located, withApplication } from "./applications.js";
import {
  type AccountContext,
  type Answered,
  answered,
  auditBy,
  type Change,
  changeAccount,
  locating,
  mayBeLocated,
  ownAccount,
  type Refused,
  refused,
  tokensUntil,
} from "./context.js";
import type { Erasing } from "./erasing.js";
import { weakness } from "./password-rules.js";
import { meView, type Person } from "./people.js";
import type { AccountRecord, Ending } from "./ports.js";
import type { Sessions } from "./sessions.js";

type Contact = OperationCall<(typeof ACCOUNT_OPERATIONS)["accounts.update"]>["body"];

export interface OwnAccount {
  me(caller: OperationCaller): Promise<Answered<Me>>;
  update(caller: OperationCaller, contact: Contact): Promise<Answered<Me>>;
  saveAddress(caller: OperationCaller, addressId: string, address: Address): Promise<Answered<Me>>;
  removeAddress(caller: OperationCaller, addressId: string): Promise<Answered<Me>>;
  apply(caller: OperationCaller, asks: Application): Promise<Answered<Me>>;
  consent(caller: OperationCaller, given: boolean): Promise<Answered<Me>>;
  changePassword(
    caller: OperationCaller,
    password: string,
    newPassword: string,
    address: string,
  ): Promise<Answered<true>>;
  signOutEverywhere(caller: OperationCaller): Promise<Answered<true>>;
  export(caller: OperationCaller): Promise<Answered<Record<string, unknown>>>;
  erase(caller: OperationCaller, password: string, address: string): Promise<Answered<true>>;
}

const MAX_CONSENTS = 100;
const EXPORT_PAGE = 100;
/** More orders than a person places; a bound all the same. */
const MAX_EXPORTED_ORDERS = 10_000;
/** Somebody may have said 40 MB: copies are made one at a time for each account, and so many in all. */
const MOST_COPIES = 4;
const COPY_AGAIN_MS = 5_000;

export function createOwnAccount(context: AccountContext, sessions: Sessions, erasing: Erasing): OwnAccount {
  const { store, people, clock, settings } = context;
  /** Accounts of which a copy is being made. */
  const copying = new Set<string>();

  /** Changes what is personal. `change` gives the same person when nothing is to be changed. */
  async function changePerson(
    caller: OperationCaller,
    change: (person: Person) => Person | Refused,
  ): Promise<Answered<Me>> {
    return changed(caller, (account) => {
      const person = people.person(account);
      if (person === null) return refused("not_found");
      const wanted = change(person);
      if ("ok" in wanted) return wanted;
      return wanted === person ? null : { account: people.withPerson(account, wanted) };
    });
  }

  async function changed(
    caller: OperationCaller,
    change: (account: AccountRecord) => Change | Refused | null,
  ): Promise<Answered<Me>> {
    const outcome = await changeAccount(context, () => ownAccount(context, caller), change);
    return outcome.ok ? viewOf(caller, outcome.value) : outcome;
  }

  function viewOf(caller: OperationCaller, account: AccountRecord): Answered<Me> {
    const person = people.person(account);
    return person === null ? refused("not_found") : answered(meView(account, person, caller));
  }

  /** Everything that is kept about the person. */
  async function copyOf(caller: OperationCaller, account: AccountRecord): Promise<Answered<Record<string, unknown>>> {
    const person = people.person(account);
    if (person === null) return refused("not_found");
    const ordered: object[] = [];
    let before: number | undefined;
    do {
      const page = await context.orders.orders(account.id, {
        limit: EXPORT_PAGE,
        ...(before === undefined ? {} : { before }),
      });
      ordered.push(...page.orders);
      before = page.nextBefore;
    } while (before !== undefined && ordered.length < MAX_EXPORTED_ORDERS);
    const kept: Record<string, unknown> = {};
    for (const each of context.records) Object.assign(kept, await each.kept?.(account));
    return answered({
      ...kept,
      exportedAt: clock.now(),
      account: meView(account, person, caller),
      applications: account.roles.flatMap((role) => {
        const asks = people.asks(account, role);
        return asks === null ? [] : [{ applicationId: role.applicationId, state: role.state, asks }];
      }),
      sessions: (await store.sessionsOf(account.id)).map(
        ({ id, role, principalId, createdAt, usedAt, expiresAt, endedAt }) => ({
          sessionId: id,
          role,
          principalId,
          createdAt,
          usedAt,
          expiresAt,
          ...(endedAt === null ? {} : { endedAt }),
        }),
      ),
      orders: ordered,
    });
  }

  const ending = (which: Ending["which"], why: Ending["why"]): Ending => ({
    which,
    why,
    now: clock.now(),
    until: tokensUntil(context),
  });

  return {
    async me(caller) {
      const account = await ownAccount(context, caller);
      return account === null ? refused("not_found") : viewOf(caller, account);
    },
    update: (caller, { name, phone }) =>
      changePerson(caller, (person) => ({
        email: person.email,
        addresses: person.addresses,
        ...(name === undefined ? {} : { name }),
        ...(phone === undefined ? {} : { phone }),
      })),
    saveAddress: (caller, addressId, address) =>
      changePerson(caller, (person) => {
        const isNew = !Object.hasOwn(person.addresses, addressId);
        if (isNew && Object.keys(person.addresses).length >= settings.maxAddresses) {
          return refused("too_many", { most: settings.maxAddresses });
        }
        return {
          ...person,
          addresses: Object.fromEntries([...Object.entries(person.addresses), [addressId, address]]),
        };
      }),
    removeAddress: (caller, addressId) =>
      changePerson(caller, (person) => {
        if (!Object.hasOwn(person.addresses, addressId)) return person;
        const kept = Object.entries(person.addresses).filter(([id]) => id !== addressId);
        return { ...person, addresses: Object.fromEntries(kept) };
      }),
    async apply(caller, wish) {
      const asks = await located(context, wish);
      if ("ok" in asks) return asks;
      return changed(caller, (account) => {
        const wanted = withApplication(context, account, asks);
        if ("ok" in wanted) return wanted;
        return wanted === account ? null : { account: wanted };
      });
    },
    consent: (caller, given) =>
      changed(caller, (account) => {
        if (mayBeLocated(account) === given) return null;
        const consents = [...account.consents, { what: "location" as const, given, at: clock.now() }];
        const after = { ...account, consents: consents.slice(-MAX_CONSENTS) };
        return { account: after, revoke: locating(after) };
      }),
    async changePassword(caller, password, newPassword, address) {
      const account = await ownAccount(context, caller);
      if (account === null) return refused("not_found");
      const person = people.person(account);
      const weak = weakness(newPassword, [person?.email ?? "", person?.email.split("@")[0] ?? "", person?.name ?? ""]);
      if (weak !== null) return refused("invalid", { path: "/newPassword", problem: weak });
      const wrong = await sessions.confirm(account, password, address);
      // Asked once more, because the answer was lost: it is done.
      if (wrong?.code === "wrong_credentials" && (await sessions.has(account, newPassword)) === true)
        return answered(true);
      if (wrong !== null) return wrong;
      const hashed = await sessions.hash(newPassword);
      if (!hashed.ok) return hashed;
      const outcome = await changeAccount(
        context,
        () => ownAccount(context, caller),
        // Somebody else changed it meanwhile: what was confirmed is no longer the password.
        (now) =>
          now.password !== account.password
            ? refused("wrong_credentials")
            : {
                account: { ...now, password: hashed.hash },
                end: ending({ kind: "others", than: caller.sessionId ?? "" }, "password_changed"),
              },
      );
      return outcome.ok ? answered(true) : outcome;
    },
    async signOutEverywhere(caller) {
      const outcome = await changeAccount(
        context,
        () => ownAccount(context, caller),
        (account) => ({ account, end: ending({ kind: "all" }, "signed_out") }),
      );
      return outcome.ok ? answered(true) : outcome;
    },
    async export(caller) {
      const account = await ownAccount(context, caller);
      if (account === null) return refused("not_found");
      if (copying.size >= MOST_COPIES || copying.has(account.id)) {
        return { ok: false, code: "overloaded", retryAfterMs: COPY_AGAIN_MS };
      }
      copying.add(account.id);
      try {
        return await copyOf(caller, account);
      } finally {
        copying.delete(account.id);
      }
    },
    async erase(caller, password, address) {
      const account = await ownAccount(context, caller);
      if (account === null) return refused("not_found");
      const wrong = await sessions.confirm(account, password, address);
      if (wrong !== null) return wrong;
      const outcome = await changeAccount(
        context,
        () => ownAccount(context, caller),
        (now) => {
          const after: AccountRecord = {
            ...now,
            state: "erased",
            reason: "",
            emailHash: null,
            password: null,
            // Without the data key nothing that was sealed with it can be read again, in backups of other tables neither.
            dataKey: null,
            masterId: null,
            person: null,
            consents: [],
            roles: now.roles.map((role) => ({ ...role, state: "ended", reason: "", asks: null })),
          };
          return {
            account: after,
            audit: [auditBy(context, caller, "account.erase", `account/${now.id}`, "asked for by its owner")],
            end: ending({ kind: "all" }, "erased"),
            revoke: locating(after),
          };
        },
      );
      if (!outcome.ok) return outcome;
      // The account is gone whatever happens now; an order that is still open is forgotten when it is over.
      void erasing.erase(outcome.value.id);
      return answered(true);
    },
  };
}
