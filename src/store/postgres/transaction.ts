import type pg from "./pg.js";

/**
 * All of the work or nothing. What fails is rolled back before the connection goes to the next caller: a transaction left
 * open would fail every statement of theirs, or take them into it.
 */
export async function inTransaction<C extends pg.ClientBase, T>(
  client: C,
  work: (client: C) => Promise<T>,
): Promise<T> {
  await client.query("BEGIN");
  try {
    const value = await work(client);
    await client.query("COMMIT");
    return value;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
