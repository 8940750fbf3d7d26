/** The configuration's one door. */
export { defaults } from "./defaults.js";
export { configurationDocument, helpText } from "./describe.js";
export { childEnvironment, type Environment, processEnvironment, startedByScript } from "./env.js";
export { ConfigError, type ConfigProblem } from "./error.js";
export { type ConfigSources, loadConfig, printable } from "./load.js";
export { withoutPassword } from "./redact.js";
export { type Config, LOG_LEVELS, type LogLevel, SETTINGS } from "./schema.js";
export { asksForHelp, withoutSettings } from "./sources.js";
