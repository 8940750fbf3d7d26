/** What operations ask of a city's shape: answered by the grid alone, on any node, without asking anybody. */
import { zoneOf, zonesAround } from "../actors/domain/mod.js";
import type { CITY_OPERATIONS, OperationHandlers } from "../protocol/mod.js";

const RADIUS_METERS = 8_000;
/** One socket listens to so many channels, and a page has others too. */
const MOST_ZONES = 90;

export const cityOperations: OperationHandlers<typeof CITY_OPERATIONS> = {
  "city.zones": ({ query: { lat, lng, radiusMeters } }) => ({
    ok: true,
    value: { zones: [...zonesAround({ lat, lng }, radiusMeters ?? RADIUS_METERS, MOST_ZONES)] },
  }),
  "city.zone": ({ query }) => ({ ok: true, value: { zone: zoneOf(query) } }),
};
