/** Where the right to report as a driver is kept. */
import type { GpsBatch, GpsReply } from "../../protocol/mod.js";

export interface DeviceRow {
  readonly deviceId: string;
  readonly driverId: string;
  /** SHA-256 of the token, base64url. The token itself is nowhere. */
  readonly tokenHash: string;
  readonly label: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Null: it may report. */
  readonly revokedAt: number | null;
}

export interface DeviceStore {
  /**
   * Adds a device unless it is there already (then it is returned as it is). Null when the driver has `most` that may
   * report. All methods reject with StoreUnavailable or OutcomeUnknown when the database does not answer; all may be
   * repeated.
   */
  add(row: DeviceRow, most: number): Promise<DeviceRow | null>;
  /** The newest first, at most `limit`. */
  list(driverId: string, limit: number): Promise<readonly DeviceRow[]>;
  /** Null when the driver has no such device. The first revocation's time stays. */
  revoke(driverId: string, deviceId: string, at: number): Promise<DeviceRow | null>;
  find(tokenHash: string): Promise<DeviceRow | null>;
  /** All devices of a driver go, with their names. */
  forget(driverId: string): Promise<void>;
}

/** The way of a batch to the driver's actor, with the driver's own limit. */
export interface GpsDesk {
  /** 0, or milliseconds to wait. */
  waitMs(driverId: string): number;
  report(
    driverId: string,
    batch: GpsBatch,
  ): Promise<
    | { readonly ok: true; readonly value: GpsReply }
    | { readonly ok: false; readonly error: { readonly code: string; readonly retryAfterMs?: number } }
  >;
}
