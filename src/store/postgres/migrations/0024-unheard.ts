import type { MigrationBuilder } from "node-pg-migrate";

const trigger = (types: string, kinds: string): string => `
  DROP TRIGGER event_outbox_notifications ON event_outbox;
  CREATE TRIGGER event_outbox_notifications AFTER INSERT ON event_outbox FOR EACH ROW
    WHEN (NEW.type IN (${types}) AND NEW.kind IN (${kinds}))
    EXECUTE FUNCTION notification_inbox_v1();
`;
const TYPES = `'order.confirmed', 'order.eta_changed', 'order.driver_near', 'order.delivered', 'order.cancelled',
  'order.rejected', 'order.undeliverable', 'restaurant.alert', 'restaurant.paused', 'restaurant.offline'`;

/** Who is written to and is not there is told, too. */
export function up(pgm: MigrationBuilder): void {
  pgm.sql(trigger(`${TYPES}, 'chat.unheard'`, "'order', 'restaurant', 'chat-room'"));
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(trigger(TYPES, "'order', 'restaurant'"));
}
