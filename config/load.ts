/**
 * Reads the configuration: defaults, then a JSON file, the environment and the command line, the later winning. Judges
 * it whole and names every problem at once. Reads files and the environment; changes nothing.
 */
import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { isTimeZone } from "../src/lib/wall-time.js";
import { conflictsOf } from "./checks.js";
import { defaults } from "./defaults.js";
import { type Environment, processEnvironment } from "./env.js";
import { ConfigError, type ConfigProblem } from "./error.js";
import { redacted, shown } from "./redact.js";
import { type Config, ConfigSchema, SETTINGS } from "./schema.js";
import {
  ADDRESS,
  isAddress,
  isNetwork,
  isSigningKey,
  NETWORK,
  SETTING_KEYWORDS,
  type Setting,
  SIGNING_KEY,
  TIME_ZONE,
} from "./setting.js";
import {
  CONFIG_FILE_ENV,
  configFileIn,
  fromArguments,
  fromEnvironment,
  fromFile,
  type Given,
  wrong,
} from "./sources.js";

export interface ConfigSources {
  /** The words of the command line after the program's name. */
  readonly argv?: readonly string[];
  /** Default: the process's own. */
  readonly env?: Environment;
  /** A JSON file; `--config` and `SWIFT_EATS_CONFIG` name another one. */
  readonly file?: string;
  /** Default: reads UTF-8 from disk. Throwing means: cannot be read. */
  readonly readText?: (path: string) => string;
}

/** Most that read this module judge no configuration: threads, and programs that only know what a setting is called. */
let compiled: ValidateFunction | null = null;

function validator(): ValidateFunction {
  if (compiled !== null) return compiled;
  // The schema is our own and constant: that it is one, a test says (`load.test.ts`), and not every start again.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    meta: false,
    validateSchema: false,
    // It validates once: code that runs faster would take longer to write than it saves.
    code: { optimize: false },
  });
  ajv.addVocabulary([...SETTING_KEYWORDS]);
  ajv.addFormat(NETWORK, isNetwork);
  ajv.addFormat(SIGNING_KEY, isSigningKey);
  ajv.addFormat(ADDRESS, isAddress);
  ajv.addFormat(TIME_ZONE, isTimeZone);
  compiled = ajv.compile(ConfigSchema);
  return compiled;
}

/** The whole configuration, valid; or a `ConfigError` with everything that is wrong. */
export function loadConfig(sources: ConfigSources = {}): Config {
  const argv = sources.argv ?? [];
  const env = sources.env ?? processEnvironment();
  const readText = sources.readText ?? ((path) => readFileSync(path, "utf8"));
  const problems: ConfigProblem[] = [];
  const given: Given[] = [];

  const file = configFileIn(argv) ?? env[CONFIG_FILE_ENV] ?? sources.file ?? "";
  if (file !== "") {
    const content = contentOf(file, readText, problems);
    if (content !== null) collect(fromFile(file, content, SETTINGS));
  } else if (configFileIn(argv) === "") {
    problems.push(unreadable("", "--config is given without a file."));
  }
  collect(fromEnvironment(env, SETTINGS, readText));
  collect(fromArguments(argv, SETTINGS));

  const config: Record<string, unknown> = structuredClone(defaults) as never;
  const sourceOf = new Map<string, string>();
  for (const { setting, value, source } of given) {
    put(config, setting.path, value);
    sourceOf.set(setting.key, source);
  }
  problems.push(...invalid(config, sourceOf));
  if (problems.length > 0) throw new ConfigError(problems);
  const conflicts = conflictsOf(config as unknown as Config).map(({ keys, rule, advice }) => ({
    key: keys[0],
    given: valueText(config, keys[0]),
    source: `${sourceOf.get(keys[0]) ?? "default"}, beside ${keys[1]} = ${valueText(config, keys[1])}`,
    allowed: rule,
    advice,
  }));
  if (conflicts.length > 0) throw new ConfigError(conflicts);
  return config as unknown as Config;

  function collect(result: { given: readonly Given[]; problems: readonly ConfigProblem[] }): void {
    given.push(...result.given);
    problems.push(...result.problems);
  }
}

/** The configuration for a log line: every setting, secrets redacted. */
export function printable(config: Config): Readonly<Record<string, unknown>> {
  const copy: Record<string, unknown> = {};
  for (const setting of SETTINGS) put(copy, setting.path, redacted(setting, get(config, setting.path)));
  return copy;
}

function invalid(config: Record<string, unknown>, sourceOf: ReadonlyMap<string, string>): readonly ConfigProblem[] {
  const validate = validator();
  if (validate(config)) return [];
  const byKey = new Map(SETTINGS.map((setting) => [setting.key, setting]));
  const wrongSettings = new Set<Setting>();
  for (const error of validate.errors ?? []) {
    const names = error.instancePath.split("/").slice(1);
    // The problem may lie inside a list or a map: blame the setting that holds it.
    while (names.length > 0 && !byKey.has(names.join("."))) names.pop();
    const setting = byKey.get(names.join("."));
    if (setting !== undefined) wrongSettings.add(setting);
  }
  return [...wrongSettings].map((setting) =>
    wrong(setting, get(config, setting.path) ?? "null", sourceOf.get(setting.key) ?? "default"),
  );
}

function contentOf(file: string, readText: (path: string) => string, problems: ConfigProblem[]): string | null {
  try {
    return readText(file);
  } catch (error) {
    problems.push(unreadable(file, `The system says: ${error instanceof Error ? error.message : String(error)}.`));
    return null;
  }
}

function unreadable(file: string, advice: string): ConfigProblem {
  return {
    key: "the configuration file",
    given: JSON.stringify(file),
    source: `--config or ${CONFIG_FILE_ENV}`,
    allowed: "a JSON file that the node may read",
    advice,
  };
}

function valueText(config: Record<string, unknown>, key: string): string {
  const setting = SETTINGS.find((candidate) => candidate.key === key);
  return shown(setting ?? {}, get(config, key.split(".")));
}

function get(config: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], config);
}

function put(config: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let place = config;
  for (const name of path.slice(0, -1)) {
    place[name] ??= {};
    place = place[name] as Record<string, unknown>;
  }
  place[path.at(-1)!] = value;
}
