/**
 * The parameters of the SQL functions `flush_actors_v1` and `flush_few_v1`, in order: the one thing that their
 * definitions (`migrations/0002-flush-function.ts`, `0028-flush-few.ts`) and their caller (`flush.ts`) share. Frozen once
 * released: a change of shape is a new function beside the old one, so that nodes of two releases can flush to one
 * database.
 *
 * Every table's rows come as parallel arrays. `*_actor` is the position (from 1) of the row's actor in the `actor_*`
 * arrays, which ascends.
 */
export type ArrayType = "int4" | "int8" | "float8" | "text" | "bytea" | "bool";

export const FLUSH_V1_PARAMETERS = [
  ["fence_shard", "int4"],
  ["fence_epoch", "int8"],
  ["actor_kind", "text"],
  ["actor_key", "text"],
  ["actor_shard", "int4"],
  ["actor_expected", "int8"],
  ["actor_seq", "int8"],
  ["actor_version", "int4"],
  ["actor_epoch", "int8"],
  ["actor_state", "bytea"],
  ["actor_cold", "bytea"],
  ["actor_next_tell", "int8"],
  ["actor_next_event", "int8"],
  ["command_actor", "int4"],
  ["command_id", "text"],
  ["command_hash", "text"],
  ["command_outcome", "bytea"],
  ["tell_actor", "int4"],
  ["tell_number", "int8"],
  ["tell_to_kind", "text"],
  ["tell_to_key", "text"],
  ["tell_name", "text"],
  ["tell_input", "bytea"],
  ["cancel_actor", "int4"],
  ["cancel_name", "text"],
  ["timer_actor", "int4"],
  ["timer_name", "text"],
  ["timer_at", "float8"],
  ["timer_run", "text"],
  ["timer_input", "bytea"],
  ["event_actor", "int4"],
  ["event_offset", "int8"],
  ["event_type", "text"],
  ["event_at", "float8"],
  ["event_body", "bytea"],
  ["push_actor", "int4"],
  ["push_channel", "text"],
  ["push_offset", "int8"],
  ["push_type", "text"],
  ["push_at", "float8"],
  ["push_body", "bytea"],
  ["trim_actor", "int4"],
  ["trim_channel", "text"],
  ["trim_offset", "int8"],
  ["claim_actor", "int4"],
  ["claim_name", "text"],
  ["claim_value", "text"],
  ["release_actor", "int4"],
  ["release_name", "text"],
  ["release_value", "text"],
  ["index_actor", "int4"],
  ["index_scope", "text"],
  ["index_owner", "text"],
  ["index_counterparty", "text"],
  ["index_status", "text"],
  ["index_live", "bool"],
  ["index_at", "float8"],
  ["index_view", "text"],
  ["unindex_actor", "int4"],
  ["delivered_kind", "text"],
  ["delivered_key", "text"],
  ["delivered_number", "int8"],
] as const satisfies readonly (readonly [string, ArrayType])[];

export type FlushParameter = (typeof FLUSH_V1_PARAMETERS)[number][0];
