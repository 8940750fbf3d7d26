/** Geocoding: the port, the gazetteer that needs nobody, and a server that speaks Nominatim's API. */
export { type BuiltInGeocoder, builtInGeocoder } from "./built-in.js";
export { defaultNominatimSettings, type NominatimSettings, nominatimGeocoder } from "./nominatim.js";
export type { FoundAddress, Geocoder } from "./ports.js";
