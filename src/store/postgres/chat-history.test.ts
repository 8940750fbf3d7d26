import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { chatHistoryContract } from "../contract/chat-history.contract.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, createPostgresChatHistory } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

t.test("the history on PostgreSQL keeps the contract", (t) =>
  chatHistoryContract(t, async (t) => {
    await clear();
    const store = createPostgresActorStore({ connectionString, clock });
    const history = createPostgresChatHistory({ connectionString, clock });
    t.teardown(() => Promise.all([store.close(), history.close()]));
    return { store, history };
  }),
);
