import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { ratingsContract } from "../contract/ratings.contract.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresRatings } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

t.test("ratings on Postgres keep the contract", (t) =>
  ratingsContract(t, async (t) => {
    await clear();
    const ratings = createPostgresRatings({ connectionString, clock });
    t.teardown(() => ratings.close());
    return ratings;
  }),
);
