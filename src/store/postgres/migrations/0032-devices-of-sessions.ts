import type { MigrationBuilder } from "node-pg-migrate";

/**
 * A device is pushed to for as long as the session lasts that registered it. Whatever ends the session (signing out, a ban,
 * the end of a role, a stolen phone that is signed out from elsewhere) takes the device out in the same transaction. Rows
 * without a session were registered before, or by a token that belongs to none.
 */
export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
ALTER TABLE notification_device ADD COLUMN session text COLLATE "C";
CREATE INDEX notification_device_session ON notification_device (session);

CREATE FUNCTION account_session_ended_v1() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  DELETE FROM notification_device WHERE session = NEW.id;
  RETURN NULL;
END
$function$;
CREATE TRIGGER account_session_ended AFTER UPDATE OF ended_at ON account_session FOR EACH ROW
  WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
  EXECUTE FUNCTION account_session_ended_v1();
`);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
DROP TRIGGER account_session_ended ON account_session;
DROP FUNCTION account_session_ended_v1();
ALTER TABLE notification_device DROP COLUMN session;
`);
}
