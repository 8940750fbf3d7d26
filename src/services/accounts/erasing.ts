/**
 * Erasing a person from what stands outside their account: orders, reviews, saved payment methods, devices. The account
 * itself is erased at once and for good; this follows it, and is taken up again, by any node, until nothing is left, and
 * once more when nothing can come any more that was under way.
 */
import { type AccountContext, MARGIN_MS } from "./context.js";

export interface Erasing {
  /** Tries once. What is not done then is done by `resume`. Never rejects. */
  erase(accountId: string): Promise<void>;
  /** Goes on with what was begun anywhere, what was tried longest ago first. */
  resume(limit: number): Promise<void>;
}

export function createErasing(context: AccountContext): Erasing {
  const { store, records, log } = context;

  async function eraseAll(accountId: string): Promise<void> {
    const account = await store.byId(accountId);
    if (account === null || account.state !== "erased") return;
    let left = 0;
    for (const each of records) {
      try {
        if (!(await each.forget(account))) left++;
      } catch (error) {
        left++;
        log.warn({ accountId, what: each.name, error: String(error) }, "A person could not be forgotten there yet");
      }
    }
    // Another phone of theirs may have ordered in that very moment: what it sent is there by the time its token has ended.
    if (left === 0) await store.erasureDone(accountId, context.settings.accessTokenMs + MARGIN_MS);
  }

  const erase = async (accountId: string): Promise<void> => {
    try {
      await eraseAll(accountId);
    } catch (error) {
      log.warn({ accountId, error: String(error) }, "An erasure is not finished; it is taken up again");
    }
  };
  return {
    erase,
    async resume(limit) {
      for (const accountId of await store.erasures(limit)) await erase(accountId);
    },
  };
}
