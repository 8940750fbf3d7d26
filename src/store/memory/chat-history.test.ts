import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { chatHistoryContract } from "../contract/chat-history.contract.js";
import { createMemoryActorStore } from "./mod.js";

t.test("the history in memory keeps the contract", (t) =>
  chatHistoryContract(t, async () => {
    const store = createMemoryActorStore({ clock: systemClock() });
    return { store, history: store.chatHistory() };
  }),
);
