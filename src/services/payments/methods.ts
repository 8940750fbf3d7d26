/**
 * Saved payment methods. Owns their ids, their bound and their sealing; an order carries an id, and the token is opened
 * only on its way to the provider.
 *
 * Invariants: a token is kept sealed, bound to its customer and id; nobody reads or uses another's method; saving with
 * the same key again is the same method.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../lib/clock.js";
import type { MethodReader } from "./effect.js";
import type { MethodStore, SavedMethod, Vault } from "./ports.js";

/** What orders name saved methods by; anything else is the provider's own word. */
const PREFIX = "pm-";
export const MOST_METHODS = 10;

export interface MethodService {
  list(customerId: string): Promise<readonly SavedMethod[]>;
  /** Null: the customer has as many as they may. */
  save(customerId: string, key: string, token: string, label: string): Promise<SavedMethod | null>;
  remove(customerId: string, methodId: string): Promise<boolean>;
  removeAll(customerId: string): Promise<void>;
}

const contextOf = (customerId: string, id: string): string => `${customerId}/${id}`;

export function createMethodService(deps: {
  readonly store: MethodStore;
  readonly vault: Vault;
  readonly clock: Clock;
}): MethodService {
  const { store, vault, clock } = deps;
  return {
    list: (customerId) => store.ofCustomer(customerId),
    async save(customerId, key, token, label) {
      const id = `${PREFIX}${createHash("sha256").update(`${customerId}\n${key}`).digest("hex").slice(0, 24)}`;
      const known = await store.find(customerId, id);
      if (known !== null) return known;
      const sealedToken = await vault.seal(token, contextOf(customerId, id));
      const method: SavedMethod = { id, customerId, label, sealedToken, at: clock.now() };
      return (await store.save(method, MOST_METHODS)) ? method : null;
    },
    remove: (customerId, methodId) => store.remove(customerId, methodId),
    async removeAll(customerId) {
      for (const { id } of await store.ofCustomer(customerId)) await store.remove(customerId, id);
    },
  };
}

/** For the payment effect. Rejects when the store does not answer, or the token does not open. */
export function methodReader(store: Pick<MethodStore, "find">, vault: Vault): MethodReader {
  return async (customerId, method) => {
    if (!method.startsWith(PREFIX)) return method;
    const found = await store.find(customerId, method);
    return found === null ? null : vault.open(found.sealedToken, contextOf(customerId, found.id));
  };
}
