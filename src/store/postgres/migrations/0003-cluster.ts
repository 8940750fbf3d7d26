import type { MigrationBuilder } from "node-pg-migrate";
import { LONE_NODE_LOCK, MEMBER_LOCKS } from "../lock-numbers.js";

/**
 * A member is a row of `node_lease` and an open session that holds the advisory lock of the row's number. A session that
 * ends, however it ends, frees the lock, and everybody sees it in `pg_locks`.
 *
 * Every function locks rows of `node_lease` first, by name, and rows of `shard_owner` after that, ascending: the order
 * in which flushes lock them too.
 */
const TABLE = `
ALTER TABLE node_lease
  ADD COLUMN incarnation text NOT NULL DEFAULT '',
  ADD COLUMN workers integer NOT NULL DEFAULT 1,
  ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'draining')),
  -- Which run of the server saw the last renewal: a session that an earlier run had proves nothing by being gone.
  ADD COLUMN server text NOT NULL DEFAULT '',
  ADD COLUMN lock_number integer GENERATED ALWAYS AS IDENTITY;
`;

/**
 * When sessions began to exist: the start of the server or, later, of its shared memory after a crash of one of its
 * processes (a role that may not see when the checkpointer began does without).
 */
const SERVER_STARTED = `
CREATE FUNCTION server_started_v1() RETURNS timestamptz LANGUAGE sql STABLE AS $function$
  SELECT greatest(pg_postmaster_start_time(),
    (SELECT max(a.backend_start) FROM pg_stat_activity a WHERE a.backend_type = 'checkpointer'))
$function$;
`;

/** Names one run of the server. A replica that was promoted began long ago, but on another timeline. */
const SERVER_RUN = `
CREATE FUNCTION server_run_v1() RETURNS text LANGUAGE sql STABLE AS $function$
  SELECT extract(epoch FROM server_started_v1())::text || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
$function$;
`;

/** The lock numbers that are held, and by whom. */
const SESSIONS = `
CREATE FUNCTION member_sessions_v1() RETURNS TABLE (lock_number integer, pid integer) LANGUAGE sql VOLATILE AS $function$
  SELECT l.objid::integer, l.pid FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = ${MEMBER_LOCKS} AND l.objsubid = 2 AND l.granted
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
$function$;
`;

/**
 * Returns 'joined'; 'lone' (a lone node works here); 'in_use' (another process holds the id and its lease lives);
 * 'replaced' (the caller was a member before, and another process has come under its id since, whatever became of that
 * one's session); or 'ending': a session that has no right to the id any more was told to end, ask again.
 */
export const JOIN = `
CREATE FUNCTION join_cluster_v1(
  by_node text, by_incarnation text, its_workers integer, its_url text, lease_ms double precision,
  again boolean
) RETURNS text LANGUAGE plpgsql AS $function$
DECLARE
  found node_lease;
BEGIN
  IF NOT pg_try_advisory_lock_shared(${LONE_NODE_LOCK}) THEN
    RETURN 'lone';
  END IF;
  INSERT INTO node_lease (node, expires_at)
    SELECT by_node, clock_timestamp() WHERE NOT EXISTS (SELECT FROM node_lease l WHERE l.node = by_node)
    ON CONFLICT DO NOTHING;
  SELECT * INTO found FROM node_lease l WHERE l.node = by_node FOR UPDATE;
  IF found.node IS NULL THEN
    RETURN 'ending';
  END IF;
  IF again AND found.incarnation NOT IN ('', by_incarnation) THEN
    RETURN 'replaced';
  END IF;
  IF NOT pg_try_advisory_lock(${MEMBER_LOCKS}, found.lock_number) THEN
    IF found.incarnation <> by_incarnation AND found.expires_at > clock_timestamp() THEN
      RETURN 'in_use';
    END IF;
    PERFORM pg_terminate_backend(s.pid) FROM member_sessions_v1() s
      WHERE s.lock_number = found.lock_number AND s.pid <> pg_backend_pid();
    RETURN 'ending';
  END IF;
  UPDATE node_lease l SET incarnation = by_incarnation, workers = its_workers, address = its_url, server = server_run_v1(),
      state = CASE WHEN found.incarnation = by_incarnation THEN l.state ELSE 'active' END,
      started_at = CASE WHEN found.incarnation = by_incarnation THEN l.started_at ELSE clock_timestamp() END,
      expires_at = clock_timestamp() + lease_ms * interval '1 millisecond'
    WHERE l.node = by_node;
  DELETE FROM node_lease l WHERE l.expires_at < clock_timestamp() - interval '1 day';
  RETURN 'joined';
END
$function$;
`;

export const VIEW = `
CREATE FUNCTION cluster_view_v1() RETURNS text LANGUAGE sql VOLATILE AS $function$
  WITH time AS MATERIALIZED (SELECT clock_timestamp() AS now),
    held AS MATERIALIZED (SELECT s.lock_number FROM member_sessions_v1() s)
  SELECT json_build_object(
    'now', (SELECT extract(epoch FROM t.now) * 1000 FROM time t),
    'started', extract(epoch FROM server_started_v1()) * 1000,
    'members', (SELECT coalesce(json_agg(json_build_array(l.node, l.incarnation, l.workers, l.address, l.state,
        extract(epoch FROM l.expires_at - t.now) * 1000, l.lock_number IN (SELECT h.lock_number FROM held h))
        ORDER BY l.node), '[]') FROM node_lease l, time t WHERE l.incarnation <> ''),
    'shards', (SELECT coalesce(json_agg(json_build_array(o.shard, o.epoch, o.node) ORDER BY o.shard), '[]')
      FROM shard_owner o))::text
$function$;
`;

/** SE003: the caller is no member any more, or its session does not hold its lock (a pooler hands sessions round). */
const RENEW = `
CREATE FUNCTION renew_lease_v1(by_node text, by_incarnation text, lease_ms double precision, its_state text)
RETURNS text LANGUAGE plpgsql AS $function$
BEGIN
  UPDATE node_lease l SET expires_at = clock_timestamp() + lease_ms * interval '1 millisecond', state = its_state,
      server = server_run_v1()
    WHERE l.node = by_node AND l.incarnation = by_incarnation AND EXISTS (
      SELECT FROM member_sessions_v1() s WHERE s.lock_number = l.lock_number AND s.pid = pg_backend_pid());
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SE003', MESSAGE = 'this session is not the one of member ' || by_node;
  END IF;
  RETURN cluster_view_v1();
END
$function$;
`;

/**
 * Returns [[shard, new epoch]…]. The leases of all concerned are locked, so that none can be renewed meanwhile. A shard
 * whose row somebody holds (a flush on its way) waits for the next call, unless none is free: then the call waits.
 */
export const TAKE = `
CREATE FUNCTION take_shards_v1(
  by_node text, by_incarnation text, wanted_shard integer[], wanted_epoch bigint[], if_session_gone boolean
) RETURNS text LANGUAGE plpgsql SET lock_timeout = '500ms' AS $function$
#variable_conflict use_column
DECLARE
  owners text[];
  alive text[];
  free integer[];
  taken json;
BEGIN
  SELECT array_agg(DISTINCT o.node) INTO owners FROM shard_owner o WHERE o.shard = ANY(wanted_shard);
  PERFORM 1 FROM node_lease l WHERE l.node = by_node OR l.node = ANY(owners) ORDER BY l.node FOR SHARE;
  IF NOT EXISTS (SELECT FROM node_lease l WHERE l.node = by_node AND l.incarnation = by_incarnation
      AND l.expires_at > clock_timestamp()) THEN
    RETURN '[]';
  END IF;
  SELECT coalesce(array_agg(l.node), '{}') INTO alive FROM node_lease l
    WHERE l.node <> by_node AND l.expires_at > clock_timestamp() AND NOT (if_session_gone
      AND l.server = server_run_v1() AND l.lock_number NOT IN (SELECT s.lock_number FROM member_sessions_v1() s));

  SELECT coalesce(array_agg(f.shard), '{}') INTO free
    FROM (SELECT o.shard FROM shard_owner o WHERE o.shard = ANY(wanted_shard) ORDER BY o.shard
      FOR UPDATE SKIP LOCKED) f;
  IF cardinality(free) = 0 THEN
    SELECT coalesce(array_agg(f.shard), '{}') INTO free
      FROM (SELECT o.shard FROM shard_owner o WHERE o.shard = ANY(wanted_shard) ORDER BY o.shard FOR UPDATE) f;
  END IF;
  WITH changed AS (
    -- An owner that was not among those locked came after the caller looked; then the epoch is another, too.
    UPDATE shard_owner o SET epoch = o.epoch + 1, node = by_node, claimed_at = clock_timestamp()
      FROM unnest(wanted_shard, wanted_epoch) w(shard, epoch)
      WHERE o.shard = ANY(free) AND o.shard = w.shard AND o.epoch = w.epoch AND o.node = ANY(owners)
        AND o.node <> ALL(alive)
      RETURNING o.shard, o.epoch
  ), born AS (
    INSERT INTO shard_owner (shard, epoch, node)
      SELECT w.shard, 1, by_node FROM unnest(wanted_shard, wanted_epoch) w(shard, epoch) WHERE w.epoch = 0
      ORDER BY w.shard
      ON CONFLICT DO NOTHING
      RETURNING shard, epoch
  )
  SELECT coalesce(json_agg(json_build_array(c.shard, c.epoch)), '[]') INTO taken
    FROM (SELECT * FROM changed UNION ALL SELECT * FROM born) c;
  RETURN taken::text;
END
$function$;
`;

const GIVE = `
CREATE FUNCTION give_shards_v1(
  by_node text, by_incarnation text, given_shard integer[], given_epoch bigint[], to_node text
) RETURNS text LANGUAGE plpgsql SET lock_timeout = '500ms' AS $function$
#variable_conflict use_column
DECLARE
  given json;
BEGIN
  PERFORM 1 FROM node_lease l WHERE l.node IN (by_node, to_node) ORDER BY l.node FOR SHARE;
  IF to_node = by_node
    OR NOT EXISTS (SELECT FROM node_lease l WHERE l.node = by_node AND l.incarnation = by_incarnation
      AND l.expires_at > clock_timestamp())
    OR NOT EXISTS (SELECT FROM node_lease l WHERE l.node = to_node AND l.state = 'active'
      AND l.expires_at > clock_timestamp()
      AND l.lock_number IN (SELECT s.lock_number FROM member_sessions_v1() s)) THEN
    RETURN '[]';
  END IF;
  PERFORM 1 FROM shard_owner o WHERE o.shard = ANY(given_shard) ORDER BY o.shard FOR UPDATE;
  WITH changed AS (
    UPDATE shard_owner o SET epoch = o.epoch + 1, node = to_node, claimed_at = clock_timestamp()
      FROM unnest(given_shard, given_epoch) g(shard, epoch)
      WHERE o.shard = g.shard AND o.epoch = g.epoch AND o.node = by_node
      RETURNING o.shard, o.epoch
  )
  SELECT coalesce(json_agg(json_build_array(c.shard, c.epoch)), '[]') INTO given FROM changed c;
  RETURN given::text;
END
$function$;
`;

/** The shards that it still owns are anybody's from now on. */
const LEAVE = `
CREATE FUNCTION leave_cluster_v1(by_node text, by_incarnation text) RETURNS void LANGUAGE sql AS $function$
  DELETE FROM node_lease l WHERE l.node = by_node AND l.incarnation = by_incarnation
$function$;
`;

export function up(migration: MigrationBuilder): void {
  const steps = [TABLE, SERVER_STARTED, SERVER_RUN, SESSIONS, JOIN, VIEW, RENEW, TAKE, GIVE, LEAVE];
  for (const sql of steps) migration.sql(sql);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP FUNCTION leave_cluster_v1; DROP FUNCTION give_shards_v1; DROP FUNCTION take_shards_v1; DROP FUNCTION renew_lease_v1; DROP FUNCTION cluster_view_v1;
DROP FUNCTION join_cluster_v1; DROP FUNCTION member_sessions_v1; DROP FUNCTION server_run_v1;
DROP FUNCTION server_started_v1;
ALTER TABLE node_lease DROP COLUMN incarnation, DROP COLUMN workers, DROP COLUMN state, DROP COLUMN server,
  DROP COLUMN lock_number;
`);
}
