/** Where people can be reached, for what they are to be told. Reads alone; nothing of it is kept. */
import type { Random } from "../../lib/random.js";
import type { Role } from "../../protocol/mod.js";
import { createPeople } from "./people.js";
import type { AccountStore } from "./ports.js";
import { createVault } from "./vault.js";

export interface Contacts {
  /** Of every account that acts so. Rejects when the store does not answer. */
  addressesOf(recipient: {
    readonly role: Role;
    readonly principalId: string;
  }): Promise<readonly { readonly email?: string; readonly phone?: string }[]>;
}

/** More people than tell each other what the restaurant was told. */
const MOST_HOLDERS = 10;

export function createContacts(deps: {
  readonly store: Pick<AccountStore, "holders">;
  /** The first seals, all open. */
  readonly masterSecrets: readonly string[];
  readonly random: Random;
}): Contacts {
  const people = createPeople(createVault(deps.masterSecrets, deps.random), deps.random);
  return {
    async addressesOf({ role, principalId }) {
      const accounts = await deps.store.holders(role, principalId, MOST_HOLDERS);
      return accounts.flatMap((account) => {
        // Whoever is banned is told nothing.
        const person = account.state === "active" ? people.person(account) : null;
        if (person === null) return [];
        const { email, phone } = person;
        return [{ email, ...(phone === undefined ? {} : { phone }) }];
      });
    },
  };
}
