import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { noticesContract } from "../contract/notices.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresNotices } from "./mod.js";

const clock = systemClock();

t.test("notices by Postgres keep the contract", async (t) => {
  const { connectionString } = await withPostgres();
  await noticesContract(t, async (t) => ({
    open() {
      const notices = createPostgresNotices({ connectionString, clock });
      t.teardown(() => notices.close());
      return notices;
    },
    async cut() {
      const session = await openSession(t, connectionString);
      const { rowCount } = await session.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'swift-eats listens' AND datname = current_database()`,
      );
      t.ok((rowCount ?? 0) > 0);
    },
    join: async () => undefined,
  }));
});
