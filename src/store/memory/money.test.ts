import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { ledgerContract } from "../contract/ledger.contract.js";
import { methodsContract } from "../contract/payment-methods.contract.js";
import { promotionsContract } from "../contract/promotions.contract.js";
import { createMemoryActorStore, createMemoryMethods, createMemoryPromotions } from "./mod.js";

t.test("the books in memory keep the ledger's contract", (t) =>
  ledgerContract(t, async () => {
    const store = createMemoryActorStore({ clock: systemClock() });
    return { store, ledger: store.ledger() };
  }),
);

t.test("promotions in memory keep their contract", (t) =>
  promotionsContract(t, async () => {
    const store = createMemoryPromotions();
    return { store, otherNode: store };
  }),
);

t.test("payment methods in memory keep their contract", (t) => methodsContract(t, async () => createMemoryMethods()));
