/** What phones say, as fixes. Pure. */
import type { DEVICE_OPERATIONS, Fix, GpsBatch, Static } from "../../protocol/mod.js";

const KNOT = 0.514444;
const KILOMETRES_PER_HOUR = 1 / 3.6;
/** Seconds since the epoch have eleven digits until the year 5138; milliseconds had twelve in 1973. */
const FIRST_MILLISECONDS = 1e11;
const LAST_TIME = 8_640_000_000_000;

type OsmandQuery = Static<(typeof DEVICE_OPERATIONS)["devices.osmand"]["query"]>;
type OsmandBody = Static<(typeof DEVICE_OPERATIONS)["devices.osmandPost"]["body"]>;
type OwntracksBody = Static<(typeof DEVICE_OPERATIONS)["devices.owntracks"]["body"]>;

/** A place and a time, as far as the phone told them: metres a second, degrees, metres. */
export interface Report {
  readonly at: number;
  readonly lat: number;
  readonly lng: number;
  readonly accuracyMeters?: number | undefined;
  readonly speed?: number | undefined;
  readonly bearing?: number | undefined;
}

export type Read<T> = T | { readonly path: string; readonly problem: string };

export const isReport = (read: Read<Report>): read is Report => "lat" in read;

/** Seconds or milliseconds since the epoch, as a number or its text, or ISO 8601. Null: none of these. */
export function timeOf(timestamp: string | number): number | null {
  const isNumber = typeof timestamp === "number" || /^\d{1,16}(\.\d{1,9})?$/.test(timestamp);
  const value = isNumber ? Number(timestamp) : Date.parse(timestamp);
  const at = Math.round(isNumber && value < FIRST_MILLISECONDS ? value * 1000 : value);
  return at >= 0 && at <= LAST_TIME ? at : null;
}

export function fromOsmandQuery(query: OsmandQuery, now: number): Read<Report> {
  const { lat, lon, timestamp, speed, bearing, heading, accuracy } = query;
  if (lat === undefined || lon === undefined) {
    return { path: lat === undefined ? "/lat" : "/lon", problem: "is missing: a report needs a place" };
  }
  // An app that sends no time means now.
  const at = timestamp === undefined ? now : timeOf(timestamp);
  if (at === null)
    return { path: "/timestamp", problem: "must be seconds or milliseconds since the epoch, or ISO 8601" };
  return {
    at,
    lat,
    lng: lon,
    accuracyMeters: accuracy,
    speed: speed === undefined || speed < 0 ? undefined : speed * KNOT,
    bearing: bearing ?? heading,
  };
}

export function fromOsmandBody({ location }: OsmandBody): Read<Report> {
  if (location === undefined) return { path: "/location", problem: "is missing: a report needs a place" };
  const { coords } = location;
  const at = timeOf(location.timestamp);
  if (at === null) {
    return { path: "/location/timestamp", problem: "must be seconds or milliseconds since the epoch, or ISO 8601" };
  }
  return {
    at,
    lat: coords.latitude,
    lng: coords.longitude,
    accuracyMeters: coords.accuracy,
    speed: coords.speed,
    bearing: coords.heading,
  };
}

/** Null: a message of another kind. */
export function fromOwntracks(body: OwntracksBody, now: number): Read<Report> | null {
  if (body._type !== "location") return null;
  const { lat, lon, tst, acc, vel, cog } = body;
  if (lat === undefined || lon === undefined) {
    return { path: lat === undefined ? "/lat" : "/lon", problem: "is missing: a location needs a place" };
  }
  const at = tst === undefined ? now : timeOf(tst);
  if (at === null) return { path: "/tst", problem: "must be seconds since the epoch" };
  return {
    at,
    lat,
    lng: lon,
    accuracyMeters: acc,
    speed: vel === undefined || vel < 0 ? undefined : vel * KILOMETRES_PER_HOUR,
    bearing: cog,
  };
}

/**
 * One report as a batch of one. These phones count nothing, so the time of the fix is its number: one that comes twice is
 * a duplicate, one that comes late moves nothing back. A time to come is no number: every true fix until then would be taken
 * for one that came before, for a day where the phone had the wrong date once.
 */
export function batchOf(deviceId: string, report: Report, now: number): GpsBatch {
  const { at, lat, lng } = report;
  const fix: Fix = [
    0,
    lat,
    lng,
    within(report.accuracyMeters, 100_000, 0),
    within(report.speed, 200, -1),
    degrees(report.bearing),
  ];
  return { bootId: deviceId, seq0: Math.min(at, now), baseTs: at, fixes: [fix] };
}

function within(value: number | undefined, most: number, unknown: number): number {
  return value === undefined || value < 0 ? unknown : Math.min(value, most);
}

function degrees(value: number | undefined): number {
  if (value === undefined || value < 0) return -1;
  return value % 360;
}
