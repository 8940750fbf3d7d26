import type { MigrationBuilder } from "node-pg-migrate";

/**
 * The engine's tables. Times are milliseconds since the Unix epoch as `double precision`, which is exactly what a
 * JavaScript number is. Texts that take part in keys compare by bytes (`COLLATE "C"`), the same in every database.
 */
export function up(migration: MigrationBuilder): void {
  migration.sql(`
-- Who owns a shard. The row changes only when the shard moves; every flush locks the rows of its shards FOR SHARE.
CREATE TABLE shard_owner (
  shard      integer PRIMARY KEY,
  epoch      bigint NOT NULL,
  node       text NOT NULL,
  claimed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One heartbeat per node. Expiry is judged by this database's clock_timestamp().
CREATE TABLE node_lease (
  node       text PRIMARY KEY,
  address    text NOT NULL DEFAULT '',
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);

-- An actor's committed state. Half-full pages let an update stay on its page without touching the primary key.
CREATE TABLE actor_snapshot (
  kind         text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL,
  shard        integer NOT NULL,
  seq          bigint NOT NULL,
  version      integer NOT NULL,
  epoch        bigint NOT NULL,
  next_tell    bigint NOT NULL,
  next_event   bigint NOT NULL,
  committed_at double precision NOT NULL,
  flush_id     text NOT NULL,
  state        bytea NOT NULL,
  cold         bytea,
  PRIMARY KEY (kind, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- Commands that were answered, so that a repeated id gets the first answer. Kept for a day (forgetCommands).
CREATE TABLE actor_command (
  kind      text COLLATE "C" NOT NULL,
  key       text COLLATE "C" NOT NULL,
  id        text COLLATE "C" NOT NULL,
  seq       bigint NOT NULL,
  at        double precision NOT NULL,
  body_hash text NOT NULL,
  outcome   bytea NOT NULL,
  PRIMARY KEY (kind, key, id)
);
CREATE INDEX actor_command_at ON actor_command (at);

-- Messages and effects on their way. A row leaves when its receiver has committed it.
CREATE TABLE actor_outbox (
  kind    text COLLATE "C" NOT NULL,
  key     text COLLATE "C" NOT NULL,
  number  bigint NOT NULL,
  shard   integer NOT NULL,
  to_kind text NOT NULL,
  to_key  text NOT NULL,
  name    text NOT NULL,
  input   bytea NOT NULL,
  PRIMARY KEY (kind, key, number)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE TABLE actor_timer (
  kind  text COLLATE "C" NOT NULL,
  key   text COLLATE "C" NOT NULL,
  name  text COLLATE "C" NOT NULL,
  shard integer NOT NULL,
  at    double precision NOT NULL,
  run   text NOT NULL,
  input bytea NOT NULL,
  PRIMARY KEY (kind, key, name)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX actor_timer_at ON actor_timer (at, kind, key, name);

-- Reliable channels: events kept for replay, and the highest offset ever used even when all are trimmed.
CREATE TABLE channel_event (
  kind     text COLLATE "C" NOT NULL,
  key      text COLLATE "C" NOT NULL,
  channel  text COLLATE "C" NOT NULL,
  "offset" bigint NOT NULL,
  type     text NOT NULL,
  at       double precision NOT NULL,
  body     bytea NOT NULL,
  PRIMARY KEY (kind, key, channel, "offset")
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE TABLE channel_head (
  kind    text COLLATE "C" NOT NULL,
  key     text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  top     bigint NOT NULL,
  PRIMARY KEY (kind, key, channel)
) WITH (fillfactor = 50);

-- Domain events for consumers outside. published_at stays NULL until a relay has handed the row on.
CREATE TABLE event_outbox (
  kind         text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL,
  "offset"     bigint NOT NULL,
  shard        integer NOT NULL,
  type         text NOT NULL,
  at           double precision NOT NULL,
  body         bytea NOT NULL,
  published_at double precision,
  PRIMARY KEY (kind, key, "offset")
);

-- Names that one actor at most may hold: the last guard behind "a driver is on at most one trip".
CREATE TABLE actor_claim (
  claim text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  kind  text COLLATE "C" NOT NULL,
  key   text COLLATE "C" NOT NULL,
  PRIMARY KEY (claim, value)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- What lists are made of. view is json, not jsonb: it is only handed back, and jsonb refuses an escaped NUL.
CREATE TABLE actor_index (
  kind         text COLLATE "C" NOT NULL,
  key          text COLLATE "C" NOT NULL,
  seq          bigint NOT NULL,
  scope        text COLLATE "C" NOT NULL,
  owner        text COLLATE "C" NOT NULL,
  counterparty text COLLATE "C" NOT NULL,
  status       text NOT NULL,
  live         boolean NOT NULL,
  at           double precision NOT NULL,
  view         json NOT NULL,
  PRIMARY KEY (kind, key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX actor_index_at ON actor_index (kind, at DESC);
CREATE INDEX actor_index_owner ON actor_index (kind, owner, at DESC);
CREATE INDEX actor_index_counterparty ON actor_index (kind, counterparty, at DESC);
CREATE INDEX actor_index_scope ON actor_index (kind, scope, at DESC);
CREATE INDEX actor_index_live ON actor_index (kind, scope, at DESC) WHERE live;

CREATE TABLE dead_letter (
  id     text COLLATE "C" PRIMARY KEY,
  kind   text NOT NULL,
  key    text NOT NULL,
  name   text NOT NULL,
  input  bytea NOT NULL,
  reason text NOT NULL,
  at     double precision NOT NULL
);
`);
}

export function down(migration: MigrationBuilder): void {
  migration.sql(`
DROP TABLE dead_letter, actor_index, actor_claim, event_outbox, channel_head, channel_event, actor_timer, actor_outbox,
  actor_command, actor_snapshot, node_lease, shard_owner;
`);
}
