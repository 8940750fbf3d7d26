/**
 * Databases for tests: one embedded server per test process, started when first asked for, and a fresh database with
 * the current schema for each test. Nothing in production imports this.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { systemClock } from "../../../lib/clock.js";
import { silentLog } from "../../../lib/log.js";
import { migrate } from "../migrate.js";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./supervisor.js";

/** What this needs of a tap test. */
export interface Teardown {
  teardown(run: () => unknown): unknown;
}

interface Shared {
  readonly server: EmbeddedPostgres;
  readonly dataDir: string;
}

const TEMPLATE = "template_swift_eats";
let shared: Promise<Shared> | undefined;
let users = 0;
let created = 0;

export interface TestDatabase {
  /** A database of the test's own, migrated and empty. */
  readonly connectionString: string;
  readonly server: EmbeddedPostgres;
}

/**
 * A fresh database for this test. The server stops when the last test that asked has ended; call it with the file's
 * root test first (`await withPostgres(t)`, where t is imported from tap) to keep one server for the whole file.
 */
export async function withPostgres(t: Teardown): Promise<TestDatabase> {
  users++;
  t.teardown(async () => {
    if (--users > 0 || shared === undefined) return;
    const ending = shared;
    shared = undefined;
    const { server, dataDir } = await ending;
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  shared ??= startShared();
  const { server } = await shared;
  const name = `test_${process.pid}_${++created}`;
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  return { connectionString: inDatabase(server, name), server };
}

async function startShared(): Promise<Shared> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "swift-eats-test-"));
  const server = await startEmbeddedPostgres({ dataDir, log: silentLog, clock: systemClock({ keepAlive: true }) });
  await administer(server, `CREATE DATABASE ${TEMPLATE}`);
  await migrate(inDatabase(server, TEMPLATE));
  return { server, dataDir };
}

/** One statement as the superuser, outside of any test's database. */
export async function administer(server: EmbeddedPostgres, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inDatabase(server, "postgres") });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

const inDatabase = (server: EmbeddedPostgres, name: string): string =>
  server.connectionString.replace(/^(postgresql:\/\/\/)[^?]*/, `$1${name}`);
