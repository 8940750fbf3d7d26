import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { actorStoreContract } from "../contract/actor-store.contract.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, openAudit } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

t.test("the Postgres store keeps the store's contract", (t) =>
  actorStoreContract(t, async (t) => {
    await clear();
    const options = { connectionString, lanes: 3, clock, log: silentLog };
    const store = createPostgresActorStore(options);
    const otherNode = createPostgresActorStore(options);
    t.teardown(() => Promise.all([store.close(), otherNode.close()]));
    return { store, otherNode, audit: () => openAudit(connectionString) };
  }),
);
