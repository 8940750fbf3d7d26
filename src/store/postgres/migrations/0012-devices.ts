import type { MigrationBuilder } from "node-pg-migrate";

/** Phones without our app: who may report places as which driver. The token itself is not kept. */
export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    CREATE TABLE gps_device (
      device_id text PRIMARY KEY,
      driver_id text NOT NULL,
      token_hash text NOT NULL UNIQUE,
      label text NOT NULL,
      created_at bigint NOT NULL,
      revoked_at bigint
    );
    CREATE INDEX gps_device_driver ON gps_device (driver_id, created_at DESC);
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("DROP TABLE gps_device");
}
