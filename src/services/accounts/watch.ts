/**
 * Keeps this thread's knowledge of ended sessions, bans and keys as good as the store's. Notices make it quick; reading
 * every `READ_MS` makes it certain, whatever notice was lost. While the store is away neither works: what is known stands.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import type { Log } from "../../lib/log.js";
import type { Notices } from "../../lib/notices.js";
import { KEYS_CHANGED, REVOKED } from "./context.js";
import type { Keyring } from "./keyring.js";
import type { AccountStore, EndReason, Revocation } from "./ports.js";

const READ_MS = 2_000;
const KEYS_MS = 20_000;
/** A row may become visible this long after the time it bears: no transaction lives longer. */
const OVERLAP_MS = 10_000;

/** Resolves when everything that counts is known: before that a thread would let in whoever was banned. Rejects when it cannot be read. */
export async function watchAccounts(deps: {
  readonly store: AccountStore;
  readonly keyring: Keyring;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRevoked: (revocations: readonly Revocation[]) => void;
}): Promise<Cancel> {
  const { store, keyring, notices, clock, log, onRevoked } = deps;
  let since: number | null = null;
  let reading = false;
  let complained = false;

  async function readNews(): Promise<void> {
    const { at, revocations } = await store.revocations(since, clock.now());
    since = at - OVERLAP_MS;
    if (revocations.length > 0) onRevoked(revocations);
  }

  async function read(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      await readNews();
      complained = false;
    } catch (error) {
      if (!complained) log.warn({ error: String(error) }, "Ended sessions cannot be read for the moment");
      complained = true;
    } finally {
      reading = false;
    }
  }

  const loadKeys = (): void => {
    keyring
      .load()
      .catch((error: unknown) => log.warn({ error: String(error) }, "The keys cannot be read for the moment"));
  };

  const ends: Cancel[] = [
    notices.listen(REVOKED, {
      notice: (value) => onRevoked(revocationsIn(value)),
      missed: () => void read(),
    }),
    notices.listen(KEYS_CHANGED, { notice: loadKeys, missed: loadKeys }),
    clock.every(READ_MS, () => void read()),
    clock.every(KEYS_MS, loadKeys),
  ];
  const stop = (): void => {
    for (const end of ends) end();
  };
  // Listening comes first: what is said from here on is heard, what was said before is read.
  try {
    await readNews();
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}

function revocationsIn(value: Json): readonly Revocation[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((each) => {
    if (each === null || typeof each !== "object" || Array.isArray(each)) return [];
    const { key, until, why } = each as { key?: Json; until?: Json; why?: Json };
    if (typeof key !== "string" || typeof until !== "number" || typeof why !== "string") return [];
    return [{ key, until, why: why as EndReason }];
  });
}
