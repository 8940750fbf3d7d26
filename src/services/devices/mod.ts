/**
 * Phones without an app of ours (R-GPS-7): their tokens, and what they report.
 *
 * Owns: which token stands for which driver, and how long that is believed without asking the store again. Does not own:
 * what is done with a fix (the driver's actor), the driver's limit (the desk).
 *
 * Invariants: a token can report places and nothing else; it is stored as its hash and is in no answer but the one that
 * gave it, and in no log; a revoked one reports nothing more after `believeMs` at the latest, on every node; what is
 * remembered is bounded.
 */
import { createHash, createHmac } from "node:crypto";
import type { Clock } from "../../lib/clock.js";
import type { Notices } from "../../lib/notices.js";
import {
  type DEVICE_OPERATIONS,
  isErrorCode,
  type OperationHandlers,
  type OperationResult,
} from "../../protocol/mod.js";
import type { DeviceRow, DeviceStore, GpsDesk } from "./ports.js";
import {
  batchOf,
  fromOsmandBody,
  fromOsmandQuery,
  fromOwntracks,
  isReport,
  type Read,
  type Report,
} from "./reports.js";

export type { DeviceRow, DeviceStore, GpsDesk } from "./ports.js";

export interface DeviceSettings {
  /** How long a token's meaning is believed, so that not every report asks the database. */
  readonly believeMs: number;
  readonly maxBelieved: number;
  /** Devices of one driver that may report. */
  readonly maxDevices: number;
}

export const DEFAULT_DEVICE_SETTINGS: DeviceSettings = {
  believeMs: 4_000,
  maxBelieved: 50_000,
  maxDevices: 5,
};

const TOPIC = "devices.revoked";
const LISTED = 100;
const UNAVAILABLE = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;

type Handlers = OperationHandlers<typeof DEVICE_OPERATIONS>;

export interface DeviceService {
  /** Handlers that report to this desk. */
  operations(desk: GpsDesk): Handlers;
  /** The driver's, newest first. Rejects when the store does not answer. */
  of(driverId: string): Promise<readonly DeviceRow[]>;
  /** Everything of a driver who has had themselves erased. */
  forget(driverId: string): Promise<void>;
  close(): void;
}

const hashOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

export function createDeviceService(deps: {
  readonly store: DeviceStore;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Tokens are made of it, so that the same request gives the same token. Kept for as long as idempotency keys are. */
  readonly secret: string;
  readonly settings: DeviceSettings;
}): DeviceService {
  const { store, notices, clock, secret, settings } = deps;
  const believed = new Map<string, { readonly driver: Promise<DeviceRow | null>; readonly until: number }>();
  const stopListening = notices.listen(TOPIC, {
    notice: (value) => {
      if (typeof value === "string") believed.delete(value);
    },
    missed: () => believed.clear(),
  });

  function find(token: string): Promise<DeviceRow | null> {
    const hash = hashOf(token);
    const known = believed.get(hash);
    if (known !== undefined && known.until > clock.monotonic()) return known.driver;
    believed.delete(hash);
    if (believed.size >= settings.maxBelieved) for (const oldest of believed.keys()) if (believed.delete(oldest)) break;
    const driver = store.find(hash);
    const entry = { driver, until: clock.monotonic() + settings.believeMs };
    believed.set(hash, entry);
    driver.catch(() => {
      if (believed.get(hash) === entry) believed.delete(hash);
    });
    return driver;
  }

  /** One report of whoever has this token. */
  async function report(
    desk: GpsDesk,
    token: string | undefined,
    read: Read<Report>,
  ): Promise<OperationResult<{ flagged: number }>> {
    if (token === undefined) return { ok: false, code: "unauthenticated" };
    let device: DeviceRow | null;
    try {
      device = await find(token);
    } catch {
      return UNAVAILABLE;
    }
    if (device === null || device.revokedAt !== null) return { ok: false, code: "unauthenticated" };
    if (!isReport(read)) return { ok: false, code: "invalid", detail: { ...read } };
    const waitMs = desk.waitMs(device.driverId);
    if (waitMs > 0) return { ok: false, code: "rate_limited", retryAfterMs: waitMs };
    const result = await desk.report(device.driverId, batchOf(device.deviceId, read, clock.now()));
    if (result.ok) return { ok: true, value: { flagged: result.value.flagged } };
    const { code, retryAfterMs } = result.error;
    return {
      ok: false,
      code: isErrorCode(code) ? code : "internal",
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }

  /** The store's answers, where it may be away. */
  async function stored<T>(work: () => Promise<OperationResult<T>>): Promise<OperationResult<T>> {
    try {
      return await work();
    } catch {
      return UNAVAILABLE;
    }
  }

  return {
    operations: (desk) => ({
      "devices.add": ({ caller, body, key }) =>
        stored(async () => {
          const token = createHmac("sha256", secret).update(`device\n${caller.id}\n${key}`).digest("base64url");
          const deviceId = hashOf(`id\n${token}`).slice(0, 16);
          const row = await store.add(
            {
              deviceId: `d${deviceId}`,
              driverId: caller.id,
              tokenHash: hashOf(token),
              label: body.label,
              createdAt: clock.now(),
              revokedAt: null,
            },
            settings.maxDevices,
          );
          if (row === null) return { ok: false, code: "too_many", detail: { most: settings.maxDevices } };
          return {
            ok: true,
            value: {
              deviceId: row.deviceId,
              token,
              osmandPath: `/v1/gps/osmand?id=${token}`,
              owntracksPath: `/v1/gps/owntracks?token=${token}`,
            },
          };
        }),
      "devices.list": ({ caller }) =>
        stored(async () => ({
          ok: true,
          value: { devices: (await store.list(caller.id, LISTED)).map(shown) },
        })),
      "devices.revoke": ({ caller, params }) =>
        stored(async () => {
          const row = await store.revoke(caller.id, params.deviceId, clock.now());
          if (row === null) return { ok: false, code: "not_found" };
          believed.delete(row.tokenHash);
          // A node that does not hear it stops believing the token by itself soon.
          await notices.publish(TOPIC, row.tokenHash).catch(() => undefined);
          return { ok: true, value: shown(row) };
        }),
      "devices.osmand": ({ query }) => report(desk, query.id ?? query.deviceid, fromOsmandQuery(query, clock.now())),
      "devices.osmandPost": ({ query, body }) =>
        body.location === undefined && body.device_id === undefined
          ? report(desk, query.id ?? query.deviceid, fromOsmandQuery(query, clock.now()))
          : report(desk, body.device_id ?? query.id ?? query.deviceid, fromOsmandBody(body)),
      "devices.owntracks": async ({ query, body }) => {
        const read = fromOwntracks(body, clock.now());
        if (read === null) return { ok: true, value: [] };
        const result = await report(desk, query.token, read);
        return result.ok ? { ok: true, value: [] } : result;
      },
    }),
    of: (driverId) => store.list(driverId, LISTED),
    async forget(driverId) {
      const devices = await store.list(driverId, LISTED);
      await store.forget(driverId);
      for (const { tokenHash } of devices) {
        believed.delete(tokenHash);
        await notices.publish(TOPIC, tokenHash).catch(() => undefined);
      }
    },
    close: stopListening,
  };
}

function shown({ deviceId, label, createdAt, revokedAt }: DeviceRow) {
  return { deviceId, label, createdAt, ...(revokedAt === null ? {} : { revokedAt }) };
}
