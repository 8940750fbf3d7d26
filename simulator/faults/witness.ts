/**
 * A witness in the database itself: triggers of the campaign's own, in the campaign's own database, which see every
 * commit of every node in the moment it happens, whatever the nodes think of it.
 *
 * Owns: the triggers, their tables, and what they say about RULES 4; and the list of committed events that RULES 11 is
 * judged by. Does not own the product's tables: it changes nothing in them and refuses nothing.
 */
import pg from "pg";
import type { Violation } from "../checkers/mod.js";

export interface CommittedEvent {
  readonly kind: string;
  readonly key: string;
  readonly offset: number;
  readonly type: string;
}

export interface Testimony {
  readonly violations: readonly Violation[];
  /** Committed by any node, in order of actor and offset. */
  readonly events: readonly CommittedEvent[];
  /** How often a shard's epoch rose. */
  readonly moves: number;
  /** Commits of actors. */
  readonly commits: number;
}

/**
 * One row per commit. The process is in the name that a node gives each of its connections; a node's number of
 * connections is cut off, so that all of one process count as one.
 */
const INSTALL = `
CREATE TABLE witness_commit (
  shard integer NOT NULL, epoch bigint NOT NULL, owner_epoch bigint, process text NOT NULL,
  kind text NOT NULL, key text NOT NULL, seq bigint NOT NULL, seq_before bigint, epoch_before bigint,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE witness_shard (
  n bigserial PRIMARY KEY, shard integer NOT NULL, epoch bigint, node text, epoch_before bigint, node_before text,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE witness_event (kind text NOT NULL, key text NOT NULL, "offset" bigint NOT NULL, type text NOT NULL);

CREATE FUNCTION witness_of_commit() RETURNS trigger LANGUAGE plpgsql AS $witness$
DECLARE
  owner_epoch bigint;
BEGIN
  SELECT o.epoch INTO owner_epoch FROM shard_owner o WHERE o.shard = NEW.shard;
  INSERT INTO witness_commit (shard, epoch, owner_epoch, process, kind, key, seq, seq_before, epoch_before)
    SELECT NEW.shard, NEW.epoch, owner_epoch,
      regexp_replace(current_setting('application_name'), '-[0-9]+-[0-9]+$', ''), NEW.kind, NEW.key, NEW.seq,
      CASE TG_OP WHEN 'UPDATE' THEN OLD.seq END, CASE TG_OP WHEN 'UPDATE' THEN OLD.epoch END;
  RETURN NULL;
END
$witness$;
CREATE TRIGGER witness_of_commit AFTER INSERT OR UPDATE ON actor_snapshot
  FOR EACH ROW EXECUTE FUNCTION witness_of_commit();

CREATE FUNCTION witness_of_shard() RETURNS trigger LANGUAGE plpgsql AS $witness$
BEGIN
  INSERT INTO witness_shard (shard, epoch, node, epoch_before, node_before)
    VALUES (CASE TG_OP WHEN 'DELETE' THEN OLD.shard ELSE NEW.shard END,
      CASE TG_OP WHEN 'DELETE' THEN NULL ELSE NEW.epoch END, CASE TG_OP WHEN 'DELETE' THEN NULL ELSE NEW.node END,
      CASE TG_OP WHEN 'INSERT' THEN NULL ELSE OLD.epoch END, CASE TG_OP WHEN 'INSERT' THEN NULL ELSE OLD.node END);
  RETURN NULL;
END
$witness$;
CREATE TRIGGER witness_of_shard AFTER INSERT OR UPDATE OR DELETE ON shard_owner
  FOR EACH ROW EXECUTE FUNCTION witness_of_shard();

CREATE FUNCTION witness_of_event() RETURNS trigger LANGUAGE plpgsql AS $witness$
BEGIN
  INSERT INTO witness_event (kind, key, "offset", type) VALUES (NEW.kind, NEW.key, NEW."offset", NEW.type);
  RETURN NULL;
END
$witness$;
CREATE TRIGGER witness_of_event AFTER INSERT ON event_outbox FOR EACH ROW EXECUTE FUNCTION witness_of_event();
`;

interface Question {
  readonly rule: string;
  readonly sql: string;
}

const RULE = "rule-04-one-epoch-commits";
/** Each answers rows of (subject, summary); none is the good answer. */
const QUESTIONS: readonly Question[] = [
  {
    rule: RULE,
    sql: `SELECT c.kind || '/' || c.key AS subject, format('%s/%s was committed under epoch %s of shard %s by "%s" when the shard was at epoch %s, at %s',
      c.kind, c.key, c.epoch, c.shard, c.process, c.owner_epoch, c.at) AS summary
      FROM witness_commit c WHERE c.epoch IS DISTINCT FROM c.owner_epoch ORDER BY c.at LIMIT 20`,
  },
  {
    rule: RULE,
    sql: `SELECT c.kind || '/' || c.key AS subject, format('%s/%s went from sequence %s of epoch %s to sequence %s of epoch %s, at %s',
      c.kind, c.key, c.seq_before, c.epoch_before, c.seq, c.epoch, c.at) AS summary
      FROM witness_commit c WHERE c.seq <= c.seq_before OR c.epoch < c.epoch_before ORDER BY c.at LIMIT 20`,
  },
  {
    rule: RULE,
    sql: `SELECT 'shard ' || c.shard AS subject, format('epoch %s of shard %s was committed under by %s', c.epoch, c.shard,
      string_agg(DISTINCT '"' || c.process || '"', ' and by ')) AS summary
      FROM witness_commit c GROUP BY c.shard, c.epoch HAVING count(DISTINCT c.process) > 1 ORDER BY 1 LIMIT 20`,
  },
  {
    rule: RULE,
    sql: `SELECT 'shard ' || s.shard AS subject, format('shard %s went from epoch %s of %s to epoch %s of %s, at %s', s.shard,
      s.epoch_before, s.node_before, coalesce(s.epoch::text, 'nothing'), coalesce(s.node, 'nobody'), s.at) AS summary
      FROM witness_shard s WHERE s.epoch_before IS NOT NULL
        AND (s.epoch IS NULL OR s.epoch < s.epoch_before OR (s.epoch = s.epoch_before AND s.node <> s.node_before))
      ORDER BY s.n LIMIT 20`,
  },
];

const HISTORY_LINES = 12;

/** Puts the witness into a database whose schema is up to date. */
export async function installWitness(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, (client) => client.query(INSTALL));
}

/** Everything the witness saw so far. */
export async function hearWitness(databaseUrl: string): Promise<Testimony> {
  return withClient(databaseUrl, async (client) => {
    const violations: Violation[] = [];
    for (const { rule, sql } of QUESTIONS) {
      for (const { subject, summary } of (await client.query<{ subject: string; summary: string }>(sql)).rows) {
        violations.push({ rule, subject, summary, story: await storyOf(client, subject) });
      }
    }
    const events = await client.query<{ kind: string; key: string; offset: string; type: string }>(
      'SELECT kind, key, "offset", type FROM witness_event ORDER BY kind, key, "offset"',
    );
    const counts = await client.query<{ moves: number; commits: number }>(
      `SELECT (SELECT count(*) FROM witness_shard WHERE epoch > coalesce(epoch_before, 0))::int AS moves,
        (SELECT count(*) FROM witness_commit)::int AS commits`,
    );
    return {
      violations,
      events: events.rows.map(({ kind, key, offset, type }) => ({ kind, key, offset: Number(offset), type })),
      ...counts.rows[0]!,
    };
  });
}

/** What was committed about an actor, or where a shard went. */
async function storyOf(client: pg.Client, subject: string): Promise<string[]> {
  const sql = subject.startsWith("shard ")
    ? `SELECT format('%s epoch %s of %s', s.at, coalesce(s.epoch::text, 'nothing'), coalesce(s.node, 'nobody')) AS line
        FROM witness_shard s WHERE 'shard ' || s.shard = $1 ORDER BY s.n DESC LIMIT ${HISTORY_LINES}`
    : `SELECT format('%s sequence %s, epoch %s of shard %s, by "%s"', c.at, c.seq, c.epoch, c.shard, c.process) AS line
        FROM witness_commit c WHERE c.kind || '/' || c.key = $1 ORDER BY c.at DESC LIMIT ${HISTORY_LINES}`;
  const { rows } = await client.query<{ line: string }>(sql, [subject]);
  return rows.map((row) => row.line).reverse();
}

/** The nodes that own shards, by the database. */
export async function ownersOf(databaseUrl: string): Promise<ReadonlySet<string>> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ node: string }>("SELECT DISTINCT node FROM shard_owner");
    return new Set(rows.map((row) => row.node));
  });
}

/** The text of a function of the database, for a database that is broken on purpose (`execute`). */
export async function functionText(databaseUrl: string, name: string): Promise<string> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ text: string }>(
      "SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p WHERE p.proname = $1",
      [name],
    );
    if (rows.length !== 1) throw new Error(`the database has ${rows.length} functions called ${name}`);
    return rows[0]!.text;
  });
}

export async function execute(databaseUrl: string, sql: string): Promise<void> {
  await withClient(databaseUrl, (client) => client.query(sql));
}

async function withClient<T>(databaseUrl: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "swift-eats witness" });
  // Without a listener a lost connection would end the process; the running query rejects by itself.
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
