import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { eventOutboxContract } from "../contract/event-outbox.contract.js";
import { createMemoryActorStore } from "./mod.js";

t.test("the memory store's outbox keeps the outbox's contract", (t) =>
  eventOutboxContract(t, async () => {
    const store = createMemoryActorStore({ clock: systemClock() });
    return { store, outbox: store.eventOutbox(), otherNode: store.eventOutbox() };
  }),
);
