import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { accountsContract } from "../contract/accounts.contract.js";
import { restoredSessionsContract } from "../contract/restored-sessions.contract.js";
import { createMemoryAccounts } from "./mod.js";

t.test("accounts in memory keep the contract", (t) =>
  accountsContract(t, async () => createMemoryAccounts(systemClock())),
);

t.test("R-CLU-6, R-ACC-2: a token that is newer than a restored database counts", (t) =>
  restoredSessionsContract(t, createMemoryAccounts(systemClock()).accounts),
);
