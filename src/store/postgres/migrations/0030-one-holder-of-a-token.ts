import type { MigrationBuilder } from "node-pg-migrate";

/**
 * A push token is looked for when somebody registers it: whoever had it before is told nothing on that phone any more. Rows
 * of two people that stand already are left: which of them has the phone is known only when the app registers it again.
 */
export function up(pgm: MigrationBuilder): void {
  pgm.sql("CREATE INDEX notification_device_token ON notification_device (token);");
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("DROP INDEX notification_device_token;");
}
