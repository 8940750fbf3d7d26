import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { searchContract } from "../contract/search.contract.js";
import { createMemoryActorStore } from "./mod.js";

t.test("the memory store keeps search's contract", (t) =>
  searchContract(t, async () => {
    const store = createMemoryActorStore({ clock: systemClock() });
    return { store, search: store.search(), otherNode: store.search() };
  }),
);
