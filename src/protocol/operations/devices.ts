/**
 * Phones without an app of ours: they report a driver's places by the OsmAnd protocol (as Traccar Client sends it) or
 * OwnTracks' HTTP mode. Both can carry their token only in the address, so it is good for this one thing.
 */
import { Id, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

export const Device = Strict({
  deviceId: Id,
  label: Text(60),
  createdAt: Millis,
  /** Absent: never. */
  revokedAt: Type.Optional(Millis),
});
export type Device = Static<typeof Device>;

export const NewDevice = Strict({
  deviceId: Id,
  /** Shown this once. Whoever has it can report places as this driver, and nothing else. */
  token: Type.String({ maxLength: 64 }),
  /** What to enter in the phone's app, behind the address of this service. */
  osmandPath: Type.String({ maxLength: 200 }),
  owntracksPath: Type.String({ maxLength: 200 }),
});
export type NewDevice = Static<typeof NewDevice>;

const Token = Type.String({ minLength: 1, maxLength: 64 });
/** Apps send more than is asked of them: battery, altitude, activity. It is not looked at. */
const Open = { additionalProperties: true } as const;
const Wide = Type.Number({ minimum: -1e9, maximum: 1e9 });

/** Seconds or milliseconds since the epoch, or a date with a time by ISO 8601. */
const Timestamp = Type.Union([Type.Number({ minimum: 0, maximum: 8.64e15 }), Type.String({ maxLength: 40 })]);

const OsmandQuery = Type.Object(
  {
    id: Type.Optional(Token),
    deviceid: Type.Optional(Token),
    lat: Type.Optional(Type.Number({ minimum: -90, maximum: 90 })),
    lon: Type.Optional(Type.Number({ minimum: -180, maximum: 180 })),
    timestamp: Type.Optional(Type.String({ maxLength: 40 })),
    /** Knots. */
    speed: Type.Optional(Wide),
    /** Degrees from north. */
    bearing: Type.Optional(Wide),
    heading: Type.Optional(Wide),
    /** Metres. */
    accuracy: Type.Optional(Wide),
  },
  Open,
);

/** Traccar Client's later form. Speeds are metres per second. */
const OsmandBody = Type.Object(
  {
    device_id: Type.Optional(Token),
    location: Type.Optional(
      Type.Object(
        {
          timestamp: Timestamp,
          coords: Type.Object(
            {
              latitude: Type.Number({ minimum: -90, maximum: 90 }),
              longitude: Type.Number({ minimum: -180, maximum: 180 }),
              accuracy: Type.Optional(Wide),
              speed: Type.Optional(Wide),
              heading: Type.Optional(Wide),
            },
            Open,
          ),
        },
        Open,
      ),
    ),
  },
  Open,
);

const OwntracksBody = Type.Object(
  {
    _type: Type.String({ maxLength: 40 }),
    lat: Type.Optional(Type.Number({ minimum: -90, maximum: 90 })),
    lon: Type.Optional(Type.Number({ minimum: -180, maximum: 180 })),
    /** Seconds since the epoch. */
    tst: Type.Optional(Type.Number({ minimum: 0, maximum: 1e12 })),
    /** Metres. */
    acc: Type.Optional(Wide),
    /** Kilometres per hour. */
    vel: Type.Optional(Wide),
    /** Degrees from north. */
    cog: Type.Optional(Wide),
  },
  Open,
);

const Reported = Strict({ flagged: Type.Integer({ minimum: 0, maximum: 60 }) });
const REFUSALS = ["unauthenticated", "rate_limited", "driver_offline", "unavailable", "timeout"] as const;
const DeviceParams = Strict({ deviceId: Id });

export const DEVICE_OPERATIONS = operations({
  "devices.add": {
    method: "POST",
    path: "/v1/drivers/me/devices",
    summary: "A token for a phone without our app, which may then report this driver's places.",
    access: ["driver"],
    tier: "command",
    body: Strict({ label: Text(60) }),
    reply: NewDevice,
    refusals: ["too_many", "unavailable"],
  },
  "devices.list": {
    method: "GET",
    path: "/v1/drivers/me/devices",
    summary: "The driver's phones, the newest first; their tokens are not told again.",
    access: ["driver"],
    tier: "browse",
    reply: Strict({ devices: Type.Array(Device, { maxItems: 100 }) }),
    refusals: ["unavailable"],
  },
  "devices.revoke": {
    method: "DELETE",
    path: "/v1/drivers/me/devices/:deviceId",
    summary: "Takes a phone's right to report away, within seconds on every node.",
    access: ["driver"],
    tier: "command",
    params: DeviceParams,
    reply: Device,
    refusals: ["not_found", "unavailable"],
  },
  "devices.osmand": {
    method: "GET",
    path: "/v1/gps/osmand",
    summary: "A place by the OsmAnd protocol. The token is `id`; speed is in knots.",
    access: "anyone",
    tier: "browse",
    query: OsmandQuery,
    reply: Reported,
    refusals: REFUSALS,
  },
  "devices.osmandPost": {
    method: "POST",
    path: "/v1/gps/osmand",
    summary: "The same, in the address or as Traccar Client's JSON (`device_id`, `location`).",
    access: "anyone",
    tier: "browse",
    keyed: false,
    query: OsmandQuery,
    body: OsmandBody,
    reply: Reported,
    refusals: REFUSALS,
  },
  "devices.owntracks": {
    method: "POST",
    path: "/v1/gps/owntracks",
    summary: "A place as OwnTracks sends it in HTTP mode; other kinds of its messages are taken and not looked at.",
    access: "anyone",
    tier: "browse",
    keyed: false,
    query: Type.Object({ token: Token }, Open),
    body: OwntracksBody,
    // What OwnTracks expects: commands for the phone, of which there are none.
    reply: Type.Array(Strict({}), { maxItems: 0 }),
    refusals: REFUSALS,
  },
});
