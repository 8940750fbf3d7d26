/** For tests of any part that want a real database. */

export { openSession } from "../postgres/fixtures/sessions.js";
export { type TestDatabase, withPostgres } from "../postgres/fixtures/with-postgres.js";
export { createPostgresActorStore, createPostgresEventOutbox } from "../postgres/mod.js";
export { createPostgresOwnershipStore } from "../postgres/ownership.js";
