import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { accountsContract } from "../contract/accounts.contract.js";
import { createMemoryAccounts } from "./mod.js";

t.test("accounts in memory keep the contract", (t) =>
  accountsContract(t, async () => createMemoryAccounts(systemClock())),
);
