/** Devices of drivers on PostgreSQL. Every call may be repeated. */
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { DeviceRow, DeviceStore } from "../../services/devices/ports.js";
import { openConnections } from "./connection.js";
import { findable } from "./reads.js";
import { inTransaction } from "./transaction.js";

export interface PostgresDeviceStore extends DeviceStore {
  close(): Promise<void>;
}

const MAX_WAITING = 256;
const COLUMNS = "device_id, driver_id, token_hash, label, created_at, revoked_at";

/** Held to the transaction's end: two requests at once do not get past the driver's limit together. */
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('gps_device ' || $1, 0))";
const ADD = `
INSERT INTO gps_device (${COLUMNS})
  SELECT $1, $2, $3, $4, $5, NULL
    WHERE (SELECT count(*) FROM gps_device d WHERE d.driver_id = $2 AND d.revoked_at IS NULL) < $6
  ON CONFLICT (device_id) DO NOTHING`;

interface Row {
  readonly device_id: string;
  readonly driver_id: string;
  readonly token_hash: string;
  readonly label: string;
  readonly created_at: string;
  readonly revoked_at: string | null;
}

const deviceOf = (row: Row): DeviceRow => ({
  deviceId: row.device_id,
  driverId: row.driver_id,
  tokenHash: row.token_hash,
  label: row.label,
  createdAt: Number(row.created_at),
  revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
});

/** The schema must be up to date (`migrate`). Connects when first used; a lost connection is replaced. */
export function createPostgresDeviceStore(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresDeviceStore {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 2,
    maxWaiting: MAX_WAITING,
    name: "swift-eats devices",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "devices" }),
  });

  const rows = (text: string, values: readonly unknown[]): Promise<readonly DeviceRow[]> =>
    connections.run(async (client) => (await client.query<Row>(text, [...values])).rows.map(deviceOf));
  const one = async (text: string, values: readonly unknown[]): Promise<DeviceRow | null> =>
    (await rows(text, values))[0] ?? null;

  return {
    async add(row, most) {
      const { deviceId, driverId, tokenHash, label, createdAt } = row;
      const byId = `SELECT ${COLUMNS} FROM gps_device WHERE device_id = $1`;
      const known = await one(byId, [deviceId]);
      if (known !== null) return known;
      await connections.run((client) =>
        inTransaction(client, async () => {
          await client.query(LOCK, [driverId]);
          // The count is of a snapshot taken after the lock was had.
          await client.query(ADD, [deviceId, driverId, tokenHash, label, createdAt, most]);
        }),
      );
      return one(byId, [deviceId]);
    },
    list: (driverId, limit) =>
      rows(`SELECT ${COLUMNS} FROM gps_device WHERE driver_id = $1 ORDER BY created_at DESC, device_id LIMIT $2`, [
        driverId,
        limit,
      ]),
    revoke: (driverId, deviceId, at) =>
      one(
        `UPDATE gps_device SET revoked_at = coalesce(revoked_at, $3) WHERE driver_id = $1 AND device_id = $2
           RETURNING ${COLUMNS}`,
        [driverId, deviceId, at],
      ),
    find: (tokenHash) => one(`SELECT ${COLUMNS} FROM gps_device WHERE token_hash = $1`, [tokenHash]),
    async forget(driverId) {
      await connections.run((client) =>
        client.query("DELETE FROM gps_device WHERE driver_id = $1", [findable(driverId)]),
      );
    },
    close: () => connections.close(),
  };
}
