/** What a store of accounts promises about sessions that are older in it than their holders know. Run on each adapter. */
import type { Test } from "tap";
import type { AccountStore } from "../../services/accounts/ports.js";

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const ID = "ana-of-a-backup";

export async function restoredSessionsContract(t: Test, accounts: AccountStore): Promise<void> {
  const session = {
    id: "session-of-a-backup",
    accountId: ID,
    role: "customer",
    principalId: ID,
    generation: 0,
    lastKey: "",
    createdAt: NOW,
    usedAt: NOW,
    expiresAt: NOW + HOUR,
    endedAt: null,
    endedWhy: null,
  } as const;
  await accounts.create(
    {
      id: ID,
      state: "active",
      reason: "",
      createdAt: NOW,
      version: 1,
      emailHash: `hash-of-${ID}`,
      password: null,
      dataKey: null,
      masterId: null,
      person: null,
      consents: [],
      roles: [],
    },
    session,
  );
  const times = { now: NOW + 10, expiresAt: NOW + 2 * HOUR, until: NOW + HOUR };
  const rotate = (generation: number, key: string) => accounts.rotateSession(session.id, generation, key, times);
  await rotate(0, "k1");
  t.match(await rotate(7, "k8"), { kind: "rotated", session: { generation: 8 } });
  t.match(await rotate(7, "k8"), { kind: "repeated", session: { generation: 8 } });
  t.match(await rotate(8, "k9"), { kind: "rotated", session: { generation: 9 } });
  t.match(await rotate(3, "k4"), { kind: "reused" }, "an older one is a theft as ever");
  t.same(await rotate(12, "k13"), { kind: "ended" });
}
