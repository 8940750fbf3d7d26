/** How long a way is: the router's port, the one that needs nobody, and the one that asks an OSRM-compatible server. */
export { type BuiltInRouter, type BuiltInSettings, builtInRouter } from "./built-in.js";
export { defaultOsrmSettings, type OsrmRouter, type OsrmSettings, osrmRouter, type RouterStats } from "./osrm.js";
export type { Router, Way } from "./ports.js";
