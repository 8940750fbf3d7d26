/** What is personal in an account, between its sealed form and ours. */
import type { Random } from "../../lib/random.js";
import type { AccountRole, AccountSummary, Address, Application, Me, Role } from "../../protocol/mod.js";
import type { AccountRecord, RoleRecord } from "./ports.js";
import { open, seal, type Vault } from "./vault.js";

export interface Person {
  readonly email: string;
  readonly name?: string;
  readonly phone?: string;
  readonly addresses: Readonly<Record<string, Address>>;
}

export interface People {
  /** A data key of its own, wrapped, and the person sealed with it. */
  enclose(accountId: string, person: Person): { dataKey: Uint8Array; masterId: string; person: Uint8Array };
  /** Null once erased. Throws CannotOpen. */
  person(account: AccountRecord): Person | null;
  asks(account: AccountRecord, role: RoleRecord): Application | null;
  /** The record with another person in it. */
  withPerson(account: AccountRecord, person: Person): AccountRecord;
  sealAsks(account: AccountRecord, applicationId: string, asks: Application): Uint8Array;
  /** Of the data key alone, for another master key. */
  rewrap(accountId: string, dataKey: Uint8Array): Uint8Array;
}

const keyPlace = (accountId: string): string => `account/${accountId}/key`;
const personPlace = (accountId: string): string => `account/${accountId}/person`;
const asksPlace = (accountId: string, applicationId: string): string => `account/${accountId}/asks/${applicationId}`;

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const parsed = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

export function createPeople(vault: Vault, random: Random): People {
  const dataKeyOf = (account: AccountRecord): Uint8Array => {
    if (account.dataKey === null) throw new Error(`the account ${account.id} is erased: it has no data key`);
    return vault.unwrap(account.dataKey, keyPlace(account.id));
  };
  return {
    enclose(accountId, person) {
      const key = vault.newKey();
      return {
        dataKey: vault.wrap(key, keyPlace(accountId)),
        masterId: vault.masterId,
        person: seal(key, bytesOf(person), personPlace(accountId), random),
      };
    },
    person(account) {
      if (account.person === null) return null;
      return parsed(open(dataKeyOf(account), account.person, personPlace(account.id))) as Person;
    },
    asks(account, { asks, applicationId }) {
      if (asks === null || applicationId === null) return null;
      return parsed(open(dataKeyOf(account), asks, asksPlace(account.id, applicationId))) as Application;
    },
    withPerson: (account, person) => ({
      ...account,
      person: seal(dataKeyOf(account), bytesOf(person), personPlace(account.id), random),
    }),
    sealAsks: (account, applicationId, asks) =>
      seal(dataKeyOf(account), bytesOf(asks), asksPlace(account.id, applicationId), random),
    rewrap: (accountId, dataKey) => vault.wrap(vault.unwrap(dataKey, keyPlace(accountId)), keyPlace(accountId)),
  };
}

export function roleView(role: RoleRecord): AccountRole {
  return {
    role: role.role,
    principalId: role.principalId,
    state: role.state,
    since: role.since,
    ...(role.applicationId === null ? {} : { applicationId: role.applicationId }),
    ...(role.reason === "" ? {} : { reason: role.reason }),
  };
}

export function meView(account: AccountRecord, person: Person, caller: { id: string; role: Role }): Me {
  return {
    accountId: account.id,
    createdAt: account.createdAt,
    email: person.email,
    ...(person.name === undefined ? {} : { name: person.name }),
    ...(person.phone === undefined ? {} : { phone: person.phone }),
    addresses: Object.entries(person.addresses).map(([addressId, address]) => ({ addressId, ...address })),
    roles: account.roles.map(roleView),
    consents: [...account.consents],
    role: caller.role,
    principalId: caller.id,
  };
}

export function summaryView(account: AccountRecord, person: Person | null): AccountSummary {
  return {
    accountId: account.id,
    createdAt: account.createdAt,
    state: account.state,
    ...(account.reason === "" ? {} : { reason: account.reason }),
    ...(person === null ? {} : { email: person.email }),
    ...(person?.name === undefined ? {} : { name: person.name }),
    ...(person?.phone === undefined ? {} : { phone: person.phone }),
    roles: account.roles.map(roleView),
    consents: [...account.consents],
  };
}
