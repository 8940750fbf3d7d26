/** The database of the product on a server that has only its own. */
import pg from "../pg.js";

export const DATABASE = "swift_eats";

/** Makes it unless it is there. `connectionString` leads to the server's own database, as its superuser. */
export async function makeDatabase(connectionString: string, name: string = DATABASE): Promise<void> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
}
