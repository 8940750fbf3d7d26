import type { MigrationBuilder } from "node-pg-migrate";
import { FLUSH_V1_PARAMETERS } from "../flush-parameters.js";

/**
 * The short way of a flush that writes few rows: what `flush_actors_v1` does set by set, row by row. A statement
 * that spreads arrays costs the server some 30 µs before it has done anything; with few rows those that write one cost
 * less (docs/decisions/flush-in-one-call.md). Same parameters and the same order. It takes no claims or releases, and judges nobody: where anything is not as
 * expected (an epoch, a seq, a command that is there already) it raises SE003 and leaves no trace, and the caller goes
 * the long way, which says what it was.
 */
const FLUSH = `
CREATE FUNCTION flush_few_v1(
  flush_id text, flush_at double precision, in_order boolean,
  ${FLUSH_V1_PARAMETERS.map(([name, type]) => `${name} ${type}[]`).join(", ")}
) RETURNS text LANGUAGE plpgsql AS $function$
#variable_conflict use_column
DECLARE
  a int;
BEGIN
  -- The fences ascend, so that two flushes cannot wait for each other.
  FOR i IN 1 .. cardinality(fence_shard) LOOP
    PERFORM 1 FROM shard_owner o WHERE o.shard = fence_shard[i] AND o.epoch = fence_epoch[i] FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION SQLSTATE 'SE003' USING MESSAGE = 'a fence is not as expected';
    END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(actor_key) LOOP
    IF actor_expected[i] > 0 THEN
      UPDATE actor_snapshot s SET shard = actor_shard[i], seq = actor_seq[i], version = actor_version[i],
          epoch = actor_epoch[i], next_tell = greatest(s.next_tell, actor_next_tell[i]),
          next_event = greatest(s.next_event, actor_next_event[i]), committed_at = flush_at,
          flush_id = flush_few_v1.flush_id, state = actor_state[i], cold = coalesce(actor_cold[i], s.cold)
        WHERE s.kind = actor_kind[i] AND s.key = actor_key[i] AND s.seq = actor_expected[i];
    ELSE
      INSERT INTO actor_snapshot (kind, key, shard, seq, version, epoch, next_tell, next_event, committed_at, flush_id,
          state, cold)
        VALUES (actor_kind[i], actor_key[i], actor_shard[i], actor_seq[i], actor_version[i], actor_epoch[i],
          actor_next_tell[i], actor_next_event[i], flush_at, flush_few_v1.flush_id, actor_state[i], actor_cold[i])
        ON CONFLICT DO NOTHING;
    END IF;
    IF NOT FOUND THEN
      RAISE EXCEPTION SQLSTATE 'SE003' USING MESSAGE = 'a seq is not as expected';
    END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(command_actor) LOOP
    a := command_actor[i];
    INSERT INTO actor_command (kind, key, id, seq, at, body_hash, outcome)
      VALUES (actor_kind[a], actor_key[a], command_id[i], actor_seq[a], flush_at, command_hash[i], command_outcome[i])
      ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      RAISE EXCEPTION SQLSTATE 'SE003' USING MESSAGE = 'a command is there already';
    END IF;
  END LOOP;
  FOR i IN 1 .. cardinality(tell_actor) LOOP
    a := tell_actor[i];
    INSERT INTO actor_outbox (kind, key, number, shard, to_kind, to_key, name, input)
      VALUES (actor_kind[a], actor_key[a], tell_number[i], actor_shard[a], tell_to_kind[i], tell_to_key[i],
        tell_name[i], tell_input[i]);
  END LOOP;
  FOR i IN 1 .. cardinality(cancel_actor) LOOP
    a := cancel_actor[i];
    DELETE FROM actor_timer d WHERE d.kind = actor_kind[a] AND d.key = actor_key[a] AND d.name = cancel_name[i];
  END LOOP;
  FOR i IN 1 .. cardinality(timer_actor) LOOP
    a := timer_actor[i];
    INSERT INTO actor_timer (kind, key, name, shard, at, run, input)
      VALUES (actor_kind[a], actor_key[a], timer_name[i], actor_shard[a], timer_at[i], timer_run[i], timer_input[i])
      ON CONFLICT (kind, key, name) DO UPDATE
        SET shard = excluded.shard, at = excluded.at, run = excluded.run, input = excluded.input;
  END LOOP;
  FOR i IN 1 .. cardinality(event_actor) LOOP
    a := event_actor[i];
    INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
      VALUES (actor_kind[a], actor_key[a], event_offset[i], actor_shard[a], event_type[i], event_at[i], event_body[i]);
  END LOOP;
  FOR i IN 1 .. cardinality(push_actor) LOOP
    a := push_actor[i];
    INSERT INTO channel_event (kind, key, channel, "offset", type, at, body)
      VALUES (actor_kind[a], actor_key[a], push_channel[i], push_offset[i], push_type[i], push_at[i], push_body[i]);
    INSERT INTO channel_head AS h (kind, key, channel, top)
      VALUES (actor_kind[a], actor_key[a], push_channel[i], push_offset[i])
      ON CONFLICT (kind, key, channel) DO UPDATE SET top = greatest(h.top, excluded.top);
  END LOOP;
  FOR i IN 1 .. cardinality(trim_actor) LOOP
    a := trim_actor[i];
    DELETE FROM channel_event d WHERE d.kind = actor_kind[a] AND d.key = actor_key[a] AND d.channel = trim_channel[i]
      AND d."offset" <= trim_offset[i];
  END LOOP;
  FOR i IN 1 .. cardinality(index_actor) LOOP
    a := index_actor[i];
    INSERT INTO actor_index (kind, key, seq, scope, owner, counterparty, status, live, at, view)
      VALUES (actor_kind[a], actor_key[a], actor_seq[a], index_scope[i], index_owner[i], index_counterparty[i],
        index_status[i], index_live[i], index_at[i], index_view[i]::json)
      ON CONFLICT (kind, key) DO UPDATE SET seq = excluded.seq, scope = excluded.scope, owner = excluded.owner,
        counterparty = excluded.counterparty, status = excluded.status, live = excluded.live, at = excluded.at,
        view = excluded.view;
  END LOOP;
  FOR i IN 1 .. cardinality(unindex_actor) LOOP
    a := unindex_actor[i];
    DELETE FROM actor_index d WHERE d.kind = actor_kind[a] AND d.key = actor_key[a];
  END LOOP;
  FOR i IN 1 .. cardinality(delivered_kind) LOOP
    DELETE FROM actor_outbox d WHERE d.kind = delivered_kind[i] AND d.key = delivered_key[i]
      AND d.number = delivered_number[i];
  END LOOP;
  RETURN NULL;
END
$function$;
`;

export function up(migration: MigrationBuilder): void {
  migration.sql(FLUSH);
}

export function down(migration: MigrationBuilder): void {
  migration.sql("DROP FUNCTION flush_few_v1;");
}
