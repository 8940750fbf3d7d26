import type { DeviceRow, DeviceStore } from "../../services/devices/ports.js";

/** Devices of drivers, in memory: the twin of the store on PostgreSQL. */
export function createMemoryDeviceStore(): DeviceStore {
  const rows: DeviceRow[] = [];
  return {
    async add(row, most) {
      const known = rows.find(({ deviceId }) => deviceId === row.deviceId);
      if (known !== undefined) return known;
      if (rows.filter(({ driverId, revokedAt }) => driverId === row.driverId && revokedAt === null).length >= most) {
        return null;
      }
      rows.push(row);
      return row;
    },
    async list(driverId, limit) {
      const own = rows.filter((row) => row.driverId === driverId);
      return own.sort((a, b) => b.createdAt - a.createdAt || (a.deviceId < b.deviceId ? -1 : 1)).slice(0, limit);
    },
    async revoke(driverId, deviceId, at) {
      const index = rows.findIndex((row) => row.driverId === driverId && row.deviceId === deviceId);
      const row = rows[index];
      if (row === undefined) return null;
      rows[index] = { ...row, revokedAt: row.revokedAt ?? at };
      return rows[index]!;
    },
    async find(tokenHash) {
      return rows.find((row) => row.tokenHash === tokenHash) ?? null;
    },
    async forget(driverId) {
      rows.splice(0, rows.length, ...rows.filter((row) => row.driverId !== driverId));
    },
  };
}
