import type { MethodStore, SavedMethod } from "../../services/payments/ports.js";

/** Saved payment methods in memory. */
export function createMemoryMethods(): MethodStore {
  const methods = new Map<string, SavedMethod>();
  const ofCustomer = (customerId: string): SavedMethod[] =>
    [...methods.values()].filter((method) => method.customerId === customerId).sort((a, b) => a.at - b.at);
  const find = (customerId: string, id: string): SavedMethod | null => {
    const method = methods.get(id);
    return method?.customerId === customerId ? method : null;
  };
  return {
    async save(method, most) {
      const known = methods.get(method.id);
      if (known !== undefined) return known.customerId === method.customerId;
      if (ofCustomer(method.customerId).length >= most) return false;
      methods.set(method.id, { ...method });
      return true;
    },
    ofCustomer: async (customerId) => ofCustomer(customerId),
    find: async (customerId, id) => find(customerId, id),
    remove: async (customerId, id) => find(customerId, id) !== null && methods.delete(id),
  };
}
