/**
 * The limit of every commit: bare PostgreSQL, one connection, one statement a batch, the same number of bytes in its log a
 * row as the product's commits leave there. No fences, no remembered commands, no index but the key.
 */
import { Client } from "pg";
import { systemClock } from "../../src/lib/clock.js";
import { serveProgram } from "../harness/serve.js";

export interface BarePostgresOptions {
  readonly databaseUrl: string;
  /** What one row is to leave in the log. */
  readonly logBytesPerRow: number;
}
export interface BarePostgresAnswer {
  readonly rows: number;
  readonly seconds: number;
  readonly logBytesPerRow: number;
}

const clock = systemClock();
const BATCH = 64;
const ROWS = 20_000;
const TRIAL_BYTES = 400;
const TRIAL_BATCHES = 300;
const LEAST_BYTES = 16;

await serveProgram(async ({ databaseUrl, logBytesPerRow }: BarePostgresOptions) => {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("CREATE TABLE bare (key text PRIMARY KEY, seq int NOT NULL, body bytea NOT NULL)");
  const upsert = {
    name: "bare",
    text:
      "INSERT INTO bare SELECT * FROM unnest($1::text[], $2::int[], $3::bytea[]) " +
      "ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, body = excluded.body",
  };
  let [bytes, seq, next] = [TRIAL_BYTES, 0, 0];
  const logBytes = async (): Promise<number> => {
    const { rows } = await client.query<{ bytes: string }>("SELECT pg_current_wal_lsn() - '0/0' AS bytes");
    return Number(rows[0]!.bytes);
  };
  async function batch(): Promise<void> {
    seq++;
    const keys = Array.from({ length: BATCH }, () => `account-${next++ % ROWS}`);
    const seqs = keys.map(() => seq);
    const bodies = keys.map((_, i) => Buffer.alloc(bytes, (seq + i) % 256));
    await client.query({ ...upsert, values: [keys, seqs, bodies] });
  }
  async function run(isDone: (batches: number) => boolean): Promise<BarePostgresAnswer> {
    const before = await logBytes();
    const began = clock.monotonic();
    let batches = 0;
    while (!isDone(batches)) {
      await batch();
      batches++;
    }
    const seconds = (clock.monotonic() - began) / 1000;
    const rows = batches * BATCH;
    return { rows, seconds, logBytesPerRow: ((await logBytes()) - before) / rows };
  }
  // Every row is there before anything counts; then the body is made as long as the log has to grow.
  await run((batches) => batches * BATCH >= ROWS);
  const trial = await run((batches) => batches >= TRIAL_BATCHES);
  bytes = Math.max(LEAST_BYTES, Math.round(bytes + logBytesPerRow - trial.logBytesPerRow));
  return {
    address: null,
    async answer(question) {
      const until = clock.monotonic() + (question as { readonly seconds: number }).seconds * 1000;
      return run(() => clock.monotonic() >= until);
    },
    stop: () => client.end(),
  };
});
