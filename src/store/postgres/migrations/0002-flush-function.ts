import type { MigrationBuilder } from "node-pg-migrate";
import { FLUSH_V1_PARAMETERS } from "../flush-parameters.js";

/**
 * A flush is one call of this function, so one round trip and one implicit transaction.
 *
 * First it locks the batch's fences FOR SHARE in ascending order: an epoch can then not be raised before this commits.
 * The first attempt writes all actors set by set and counts: a count that falls short (a seq that moved, a command id or
 * a claim that is already there) rolls back to the start of the attempt. The second attempt judges the actors one by
 * one in the order of the batch, each against what those before it left, and writes those that pass.
 *
 * Returns NULL when everything was written, else {"stale": [shard…], "failures": [[actor, reason, a, b]…]}.
 */
const FLUSH = `
CREATE FUNCTION flush_actors_v1(
  flush_id text, flush_at double precision, in_order boolean,
  ${FLUSH_V1_PARAMETERS.map(([name, type]) => `${name} ${type}[]`).join(", ")}
) RETURNS text LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  locked_shards int[];
  locked_epochs bigint[];
  stale int[] := '{}';
  barred int[] := '{}';
  skipped int[];
  failures jsonb;
  judged boolean := in_order;
  written bigint;
  more bigint;
  found_seq bigint;
  found_text text;
  wanted record;
  holder record;
BEGIN
  SELECT array_agg(o.shard ORDER BY o.shard), array_agg(o.epoch ORDER BY o.shard) INTO locked_shards, locked_epochs
    FROM (SELECT s.shard, s.epoch FROM shard_owner s WHERE s.shard = ANY(fence_shard) ORDER BY s.shard FOR SHARE) o;
  IF cardinality(fence_shard) > 0 AND (locked_shards = fence_shard AND locked_epochs = fence_epoch) IS NOT TRUE THEN
    SELECT coalesce(array_agg(f.shard ORDER BY f.shard), '{}') INTO stale
      FROM unnest(fence_shard, fence_epoch) f(shard, epoch)
      LEFT JOIN unnest(locked_shards, locked_epochs) o(shard, epoch) ON o.shard = f.shard
      WHERE o.epoch IS DISTINCT FROM f.epoch;
    SELECT coalesce(array_agg(a.n), '{}') INTO barred
      FROM unnest(actor_shard) WITH ORDINALITY a(shard, n) WHERE a.shard = ANY(stale);
  END IF;

  LOOP
    skipped := barred;
    failures := '[]';
    BEGIN
      IF judged THEN
        FOR i IN 1 .. cardinality(actor_key) LOOP
          CONTINUE WHEN i = ANY(skipped);
          SELECT s.seq INTO found_seq FROM actor_snapshot s
            WHERE s.kind = actor_kind[i] AND s.key = actor_key[i] FOR UPDATE;
          IF coalesce(found_seq, 0) <> actor_expected[i] THEN
            failures := failures || jsonb_build_array(jsonb_build_array(i, 'stale_seq'));
            skipped := skipped || i;
            CONTINUE;
          END IF;
          SELECT c.id INTO found_text FROM unnest(command_actor, command_id) WITH ORDINALITY w(actor, id, n)
            JOIN actor_command c ON c.kind = actor_kind[i] AND c.key = actor_key[i] AND c.id = w.id
            WHERE w.actor = i ORDER BY w.n LIMIT 1;
          IF FOUND THEN
            failures := failures || jsonb_build_array(jsonb_build_array(i, 'duplicate_command', found_text));
            skipped := skipped || i;
            CONTINUE;
          END IF;
          CONTINUE WHEN i <> ALL(claim_actor) AND i <> ALL(release_actor);
          BEGIN
            DELETE FROM actor_claim c USING unnest(release_actor, release_name, release_value) w(actor, claim, value)
              WHERE w.actor = i AND c.claim = w.claim AND c.value = w.value
                AND c.kind = actor_kind[i] AND c.key = actor_key[i];
            FOR wanted IN SELECT w.claim, w.value
              FROM unnest(claim_actor, claim_name, claim_value) WITH ORDINALITY w(actor, claim, value, n)
              WHERE w.actor = i ORDER BY w.n
            LOOP
              -- A holder may let go between the two statements: then try again.
              LOOP
                INSERT INTO actor_claim (claim, value, kind, key)
                  VALUES (wanted.claim, wanted.value, actor_kind[i], actor_key[i]) ON CONFLICT DO NOTHING;
                EXIT WHEN FOUND;
                SELECT c.kind, c.key INTO holder FROM actor_claim c
                  WHERE c.claim = wanted.claim AND c.value = wanted.value;
                CONTINUE WHEN NOT FOUND;
                EXIT WHEN holder.kind = actor_kind[i] AND holder.key = actor_key[i];
                RAISE EXCEPTION SQLSTATE 'SE002';
              END LOOP;
            END LOOP;
          EXCEPTION WHEN SQLSTATE 'SE002' THEN
            failures := failures
              || jsonb_build_array(jsonb_build_array(i, 'claim_taken', wanted.claim, wanted.value));
            skipped := skipped || i;
          END;
        END LOOP;
      END IF;

      UPDATE actor_snapshot s SET shard = a.shard, seq = a.seq, version = a.version, epoch = a.epoch,
          next_tell = greatest(s.next_tell, a.next_tell), next_event = greatest(s.next_event, a.next_event),
          committed_at = flush_at, flush_id = flush_actors_v1.flush_id, state = a.state, cold = coalesce(a.cold, s.cold)
        FROM unnest(actor_kind, actor_key, actor_shard, actor_expected, actor_seq, actor_version, actor_epoch,
          actor_state, actor_cold, actor_next_tell, actor_next_event) WITH ORDINALITY
          a(kind, key, shard, expected, seq, version, epoch, state, cold, next_tell, next_event, n)
        WHERE a.expected > 0 AND a.n <> ALL(skipped) AND s.kind = a.kind AND s.key = a.key AND s.seq = a.expected;
      GET DIAGNOSTICS written = ROW_COUNT;
      INSERT INTO actor_snapshot (kind, key, shard, seq, version, epoch, next_tell, next_event, committed_at, flush_id,
          state, cold)
        SELECT a.kind, a.key, a.shard, a.seq, a.version, a.epoch, a.next_tell, a.next_event, flush_at,
          flush_actors_v1.flush_id, a.state, a.cold
        FROM unnest(actor_kind, actor_key, actor_shard, actor_expected, actor_seq, actor_version, actor_epoch,
          actor_state, actor_cold, actor_next_tell, actor_next_event) WITH ORDINALITY
          a(kind, key, shard, expected, seq, version, epoch, state, cold, next_tell, next_event, n)
        WHERE a.expected = 0 AND a.n <> ALL(skipped)
        ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS more = ROW_COUNT;
      IF written + more <> cardinality(actor_key) - cardinality(skipped) THEN
        RAISE EXCEPTION SQLSTATE 'SE001';
      END IF;

      IF cardinality(command_id) > 0 THEN
        INSERT INTO actor_command (kind, key, id, seq, at, body_hash, outcome)
          SELECT actor_kind[c.actor], actor_key[c.actor], c.id, actor_seq[c.actor], flush_at, c.hash, c.outcome
          FROM unnest(command_actor, command_id, command_hash, command_outcome) c(actor, id, hash, outcome)
          WHERE c.actor <> ALL(skipped)
          ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS written = ROW_COUNT;
        SELECT count(*) INTO more FROM unnest(command_actor) c(actor) WHERE c.actor <> ALL(skipped);
        IF written <> more THEN
          RAISE EXCEPTION SQLSTATE 'SE001';
        END IF;
      END IF;

      IF NOT judged AND cardinality(release_actor) > 0 THEN
        DELETE FROM actor_claim c USING unnest(release_actor, release_name, release_value) w(actor, claim, value)
          WHERE w.actor <> ALL(skipped) AND c.claim = w.claim AND c.value = w.value
            AND c.kind = actor_kind[w.actor] AND c.key = actor_key[w.actor];
      END IF;
      IF NOT judged AND cardinality(claim_actor) > 0 THEN
        -- In one order for everybody, so that two flushes cannot wait for each other.
        INSERT INTO actor_claim (claim, value, kind, key)
          SELECT w.claim, w.value, actor_kind[w.actor], actor_key[w.actor]
          FROM unnest(claim_actor, claim_name, claim_value) w(actor, claim, value)
          WHERE w.actor <> ALL(skipped) ORDER BY w.claim COLLATE "C", w.value COLLATE "C"
          ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS written = ROW_COUNT;
        SELECT count(*) INTO more FROM unnest(claim_actor) w(actor) WHERE w.actor <> ALL(skipped);
        IF written <> more THEN
          RAISE EXCEPTION SQLSTATE 'SE001';
        END IF;
      END IF;

      IF cardinality(tell_actor) > 0 THEN
        INSERT INTO actor_outbox (kind, key, number, shard, to_kind, to_key, name, input)
          SELECT actor_kind[w.actor], actor_key[w.actor], w.number, actor_shard[w.actor], w.to_kind, w.to_key, w.name,
            w.input
          FROM unnest(tell_actor, tell_number, tell_to_kind, tell_to_key, tell_name, tell_input)
            w(actor, number, to_kind, to_key, name, input)
          WHERE w.actor <> ALL(skipped);
      END IF;
      IF cardinality(cancel_actor) > 0 THEN
        DELETE FROM actor_timer d USING unnest(cancel_actor, cancel_name) w(actor, name)
          WHERE w.actor <> ALL(skipped) AND d.kind = actor_kind[w.actor] AND d.key = actor_key[w.actor]
            AND d.name = w.name;
      END IF;
      IF cardinality(timer_actor) > 0 THEN
        INSERT INTO actor_timer (kind, key, name, shard, at, run, input)
          SELECT actor_kind[w.actor], actor_key[w.actor], w.name, actor_shard[w.actor], w.at, w.run, w.input
          FROM unnest(timer_actor, timer_name, timer_at, timer_run, timer_input) w(actor, name, at, run, input)
          WHERE w.actor <> ALL(skipped)
          ON CONFLICT (kind, key, name) DO UPDATE
            SET shard = excluded.shard, at = excluded.at, run = excluded.run, input = excluded.input;
      END IF;
      IF cardinality(event_actor) > 0 THEN
        INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
          SELECT actor_kind[w.actor], actor_key[w.actor], w.event_offset, actor_shard[w.actor], w.type, w.at, w.body
          FROM unnest(event_actor, event_offset, event_type, event_at, event_body)
            w(actor, event_offset, type, at, body)
          WHERE w.actor <> ALL(skipped);
      END IF;
      IF cardinality(push_actor) > 0 THEN
        INSERT INTO channel_event (kind, key, channel, "offset", type, at, body)
          SELECT actor_kind[w.actor], actor_key[w.actor], w.channel, w.event_offset, w.type, w.at, w.body
          FROM unnest(push_actor, push_channel, push_offset, push_type, push_at, push_body)
            w(actor, channel, event_offset, type, at, body)
          WHERE w.actor <> ALL(skipped);
        INSERT INTO channel_head AS h (kind, key, channel, top)
          SELECT actor_kind[w.actor], actor_key[w.actor], w.channel, max(w.event_offset)
          FROM unnest(push_actor, push_channel, push_offset) w(actor, channel, event_offset)
          WHERE w.actor <> ALL(skipped) GROUP BY w.actor, w.channel
          ON CONFLICT (kind, key, channel) DO UPDATE SET top = greatest(h.top, excluded.top);
      END IF;
      IF cardinality(trim_actor) > 0 THEN
        DELETE FROM channel_event d USING unnest(trim_actor, trim_channel, trim_offset) w(actor, channel, up_to)
          WHERE w.actor <> ALL(skipped) AND d.kind = actor_kind[w.actor] AND d.key = actor_key[w.actor]
            AND d.channel = w.channel AND d."offset" <= w.up_to;
      END IF;
      IF cardinality(index_actor) > 0 THEN
        INSERT INTO actor_index (kind, key, seq, scope, owner, counterparty, status, live, at, view)
          SELECT actor_kind[w.actor], actor_key[w.actor], actor_seq[w.actor], w.scope, w.owner, w.counterparty, w.status,
            w.live, w.at, w.view::json
          FROM unnest(index_actor, index_scope, index_owner, index_counterparty, index_status, index_live, index_at,
            index_view) w(actor, scope, owner, counterparty, status, live, at, view)
          WHERE w.actor <> ALL(skipped)
          ON CONFLICT (kind, key) DO UPDATE SET seq = excluded.seq, scope = excluded.scope, owner = excluded.owner,
            counterparty = excluded.counterparty, status = excluded.status, live = excluded.live, at = excluded.at,
            view = excluded.view;
      END IF;
      IF cardinality(unindex_actor) > 0 THEN
        DELETE FROM actor_index d USING unnest(unindex_actor) w(actor)
          WHERE w.actor <> ALL(skipped) AND d.kind = actor_kind[w.actor] AND d.key = actor_key[w.actor];
      END IF;
      IF cardinality(delivered_kind) > 0 THEN
        DELETE FROM actor_outbox d USING unnest(delivered_kind, delivered_key, delivered_number) w(kind, key, number)
          WHERE d.kind = w.kind AND d.key = w.key AND d.number = w.number AND d.shard <> ALL(stale);
      END IF;

      IF cardinality(stale) = 0 AND failures = '[]' THEN
        RETURN NULL;
      END IF;
      RETURN jsonb_build_object('stale', stale, 'failures', failures)::text;
    EXCEPTION WHEN SQLSTATE 'SE001' THEN
      -- Judged actors that still do not fit met a writer that holds the same fences: the caller tries the call again.
      IF judged THEN
        RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'another flush of the same actors is under way';
      END IF;
      judged := true;
    END;
  END LOOP;
END
$function$;
`;

/**
 * Settles a flush whose answer was lost. Taking the fences FOR UPDATE waits for a flush that is still running; ending
 * the sessions that sent it makes sure that a call still on its way never starts. Then the rows tell.
 */
const OUTCOME = `
CREATE FUNCTION flush_outcome_v1(
  lost_pid int[], lost_name text[], fence_shard int[], flush_id text, actor_kind text[], actor_key text[],
  actor_seq bigint[]
) RETURNS int[] LANGUAGE plpgsql AS $function$
DECLARE
  session int;
  outcome int[];
BEGIN
  PERFORM 1 FROM shard_owner s WHERE s.shard = ANY(fence_shard) ORDER BY s.shard FOR UPDATE;
  -- In a loop, never inside a query: a planner is free to end sessions before it has looked whose they are.
  FOR session IN SELECT a.pid FROM unnest(lost_pid, lost_name) w(pid, name)
    JOIN pg_stat_activity a ON a.pid = w.pid AND a.application_name = w.name
  LOOP
    IF NOT pg_terminate_backend(session, 1000) THEN
      RAISE EXCEPTION USING ERRCODE = '55006', MESSAGE = 'the session of the lost flush does not end';
    END IF;
  END LOOP;
  SELECT coalesce(array_agg(w.n), '{}') INTO outcome
    FROM unnest(actor_kind, actor_key, actor_seq) WITH ORDINALITY w(kind, key, seq, n)
    JOIN actor_snapshot s ON s.kind = w.kind AND s.key = w.key
    WHERE s.seq = w.seq AND s.flush_id = flush_outcome_v1.flush_id;
  RETURN outcome;
END
$function$;
`;

export function up(migration: MigrationBuilder): void {
  migration.sql(FLUSH);
  migration.sql(OUTCOME);
}

export function down(migration: MigrationBuilder): void {
  migration.sql("DROP FUNCTION flush_actors_v1; DROP FUNCTION flush_outcome_v1;");
}
