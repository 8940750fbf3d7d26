/**
 * What every store promises the engine, one test per sentence of `ports.ts`. Run on each adapter; a twin in memory is
 * honest only as far as this suite goes.
 */
import type { Test } from "tap";
import type { ActorStore, StoreMaintenance } from "../../actors/runtime/ports.js";
import type { Audit } from "../audit.js";
import { claimAndIndexContract } from "./claims-and-index.contract.js";
import { commitContract } from "./commit.contract.js";
import { concurrencyContract } from "./concurrency.contract.js";
import { messagesContract } from "./messages.contract.js";

export interface StoreUnderTest {
  readonly store: ActorStore & StoreMaintenance;
  /** Another node's store on the same data. */
  readonly otherNode: ActorStore;
  audit(): Promise<Audit>;
}

/** Makes an empty store that lives until the end of the given test. */
export type MakeStore = (t: Test) => Promise<StoreUnderTest>;

export async function actorStoreContract(t: Test, make: MakeStore): Promise<void> {
  await commitContract(t, make);
  await messagesContract(t, make);
  await claimAndIndexContract(t, make);
  await concurrencyContract(t, make);
}
