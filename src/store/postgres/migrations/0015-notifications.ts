import type { MigrationBuilder } from "node-pg-migrate";

/**
 * What people are to be told waits here from the commit that caused it until its messages are planned. The trigger copies
 * it out of the outbox in the actor's own transaction, so it does not depend on who takes the outbox away, and when.
 */
const INBOX = `
CREATE TABLE notification_inbox (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind     text COLLATE "C" NOT NULL,
  key      text COLLATE "C" NOT NULL,
  "offset" bigint NOT NULL,
  type     text COLLATE "C" NOT NULL,
  at       double precision NOT NULL,
  body     bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE FUNCTION notification_inbox_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  INSERT INTO notification_inbox (kind, key, "offset", type, at, body)
    VALUES (NEW.kind, NEW.key, NEW."offset", NEW.type, NEW.at, NEW.body);
  RETURN NULL;
END
$function$;
CREATE TRIGGER event_outbox_notifications AFTER INSERT ON event_outbox FOR EACH ROW
  WHEN (NEW.type IN ('order.confirmed', 'order.eta_changed', 'order.driver_near', 'order.delivered', 'order.cancelled',
    'order.rejected', 'order.undeliverable', 'restaurant.alert', 'restaurant.paused', 'restaurant.offline')
    AND NEW.kind IN ('order', 'restaurant'))
  EXECUTE FUNCTION notification_inbox_v1();
`;

/** Messages, and what their recipients wish. Times are milliseconds since the epoch. */
const MESSAGES = `
CREATE TABLE notification (
  -- The provider gets it too: whoever knows it has been told already.
  id         text COLLATE "C" PRIMARY KEY,
  role       text COLLATE "C" NOT NULL,
  principal  text COLLATE "C" NOT NULL,
  state      text NOT NULL CHECK (state IN ('waiting', 'sent', 'dead', 'dropped')),
  attempts   integer NOT NULL DEFAULT 0,
  -- Of one that waits: when it is due. A notifier that has taken it puts that off by its lease.
  next_at    double precision NOT NULL,
  expires_at double precision NOT NULL,
  created_at double precision NOT NULL,
  settled_at double precision,
  reason     text NOT NULL DEFAULT '',
  draft      json NOT NULL
);
CREATE INDEX notification_due ON notification (next_at) WHERE state = 'waiting';
CREATE INDEX notification_settled ON notification (settled_at) WHERE state <> 'waiting';
CREATE INDEX notification_dead ON notification (created_at) WHERE state = 'dead';
CREATE INDEX notification_created ON notification (created_at);
CREATE INDEX notification_principal ON notification (principal, created_at);

CREATE TABLE notification_wishes (
  role      text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL,
  wishes    json NOT NULL,
  PRIMARY KEY (role, principal)
);

CREATE TABLE notification_device (
  role      text COLLATE "C" NOT NULL,
  principal text COLLATE "C" NOT NULL,
  device    text COLLATE "C" NOT NULL,
  token     text NOT NULL,
  since     double precision NOT NULL,
  PRIMARY KEY (role, principal, device)
);
`;

export function up(pgm: MigrationBuilder): void {
  pgm.sql(INBOX);
  pgm.sql(MESSAGES);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    DROP TRIGGER event_outbox_notifications ON event_outbox;
    DROP FUNCTION notification_inbox_v1();
    DROP TABLE notification_inbox, notification, notification_wishes, notification_device;
  `);
}
