import type { MigrationBuilder } from "node-pg-migrate";
import { LONE_NODE_LOCK, MEMBER_JOINS_LOCK, MEMBER_LOCKS } from "../lock-numbers.js";
import { JOIN as JOIN_BEFORE, TAKE as TAKE_BEFORE, VIEW as VIEW_BEFORE } from "./0003-cluster.js";

/**
 * Members get to know each other. A session has a number (`joined`), higher than those of all sessions before it; with
 * every renewal a member says up to which number it has `seen` sessions. Only who is known to a member, and knows it, may
 * count its missing session: a member that has lost the database asks those it knows before it goes on speaking, and one
 * that it does not know could take its shards meanwhile.
 */
const TABLE = `
ALTER TABLE node_lease
  ADD COLUMN joined bigint NOT NULL DEFAULT 0,
  ADD COLUMN seen bigint NOT NULL DEFAULT 0;
CREATE SEQUENCE member_joins;
`;

/**
 * As before, and gives the session its number. One join at a time, to its commit: whoever sees a number in a row sees the
 * rows of all lower numbers too.
 */
const JOIN = `
CREATE OR REPLACE FUNCTION join_cluster_v1(
  by_node text, by_incarnation text, its_workers integer, its_url text, lease_ms double precision,
  again boolean
) RETURNS text LANGUAGE plpgsql AS $function$
DECLARE
  found node_lease;
BEGIN
  IF NOT pg_try_advisory_lock_shared(${LONE_NODE_LOCK}) THEN
    RETURN 'lone';
  END IF;
  PERFORM pg_advisory_xact_lock(${MEMBER_JOINS_LOCK});
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
      expires_at = clock_timestamp() + lease_ms * interval '1 millisecond',
      joined = nextval('member_joins'), seen = 0
    WHERE l.node = by_node;
  DELETE FROM node_lease l WHERE l.expires_at < clock_timestamp() - interval '1 day';
  RETURN 'joined';
END
$function$;
`;

/** Two more columns of a member; an older release does not look at them. */
const VIEW = `
CREATE OR REPLACE FUNCTION cluster_view_v1() RETURNS text LANGUAGE sql VOLATILE AS $function$
  WITH time AS MATERIALIZED (SELECT clock_timestamp() AS now),
    held AS MATERIALIZED (SELECT s.lock_number FROM member_sessions_v1() s)
  SELECT json_build_object(
    'now', (SELECT extract(epoch FROM t.now) * 1000 FROM time t),
    'started', extract(epoch FROM server_started_v1()) * 1000,
    'members', (SELECT coalesce(json_agg(json_build_array(l.node, l.incarnation, l.workers, l.address, l.state,
        extract(epoch FROM l.expires_at - t.now) * 1000, l.lock_number IN (SELECT h.lock_number FROM held h),
        l.joined, l.seen)
        ORDER BY l.node), '[]') FROM node_lease l, time t WHERE l.incarnation <> ''),
    'shards', (SELECT coalesce(json_agg(json_build_array(o.shard, o.epoch, o.node) ORDER BY o.shard), '[]')
      FROM shard_owner o))::text
$function$;
`;

/** SE003 as before. An older release renews by `renew_lease_v1` and says nothing of what it has seen. */
const RENEW = `
CREATE FUNCTION renew_lease_v2(
  by_node text, by_incarnation text, lease_ms double precision, its_state text, its_seen bigint
) RETURNS text LANGUAGE plpgsql AS $function$
BEGIN
  UPDATE node_lease l SET expires_at = clock_timestamp() + lease_ms * interval '1 millisecond', state = its_state,
      server = server_run_v1(), seen = its_seen
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
 * As before, but a missing session counts only between two that know each other's newest session. This holds a member of
 * an older release to it, too, which takes what such a member leaves when the lease has ended.
 */
const TAKE = `
CREATE OR REPLACE FUNCTION take_shards_v1(
  by_node text, by_incarnation text, wanted_shard integer[], wanted_epoch bigint[], if_session_gone boolean
) RETURNS text LANGUAGE plpgsql SET lock_timeout = '500ms' AS $function$
#variable_conflict use_column
DECLARE
  taker node_lease;
  owners text[];
  alive text[];
  free integer[];
  taken json;
BEGIN
  SELECT array_agg(DISTINCT o.node) INTO owners FROM shard_owner o WHERE o.shard = ANY(wanted_shard);
  PERFORM 1 FROM node_lease l WHERE l.node = by_node OR l.node = ANY(owners) ORDER BY l.node FOR SHARE;
  SELECT * INTO taker FROM node_lease l WHERE l.node = by_node AND l.incarnation = by_incarnation
    AND l.expires_at > clock_timestamp();
  IF taker.node IS NULL THEN
    RETURN '[]';
  END IF;
  SELECT coalesce(array_agg(l.node), '{}') INTO alive FROM node_lease l
    WHERE l.node <> by_node AND l.expires_at > clock_timestamp() AND NOT (if_session_gone
      AND l.seen >= taker.joined AND taker.seen >= l.joined
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

const replacing = (sql: string): string => sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION");

export function up(migration: MigrationBuilder): void {
  for (const sql of [TABLE, JOIN, VIEW, RENEW, TAKE]) migration.sql(sql);
}

export function down(migration: MigrationBuilder): void {
  for (const sql of [JOIN_BEFORE, VIEW_BEFORE, TAKE_BEFORE]) migration.sql(replacing(sql));
  migration.sql(`
DROP FUNCTION renew_lease_v2;
DROP SEQUENCE member_joins;
ALTER TABLE node_lease DROP COLUMN joined, DROP COLUMN seen;
`);
}
