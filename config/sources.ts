/**
 * Where values come from: a JSON file, the environment, the command line. This file turns each source into raw values by
 * setting, with the place to blame; it does not judge them (`load.ts` does), except for names that do not exist and texts
 * that are not a value of the setting's type at all.
 */
import type { Environment } from "./env.js";
import type { ConfigProblem } from "./error.js";
import { nearestName } from "./nearest.js";
import { shown } from "./redact.js";
import { ENV_PREFIX, type Setting } from "./setting.js";

export interface Given {
  readonly setting: Setting;
  readonly value: unknown;
  /** For example `environment PORT`. */
  readonly source: string;
}

export interface SourceResult {
  readonly given: readonly Given[];
  readonly problems: readonly ConfigProblem[];
}

/** Names in the environment and on the command line that are not settings. */
export const CONFIG_FILE_ENV = `${ENV_PREFIX}CONFIG`;
const CONFIG_FILE_FLAG = "config";
const HELP_FLAGS = ["--help", "-h"];

/** The value of `--config`, or null. */
export function configFileIn(argv: readonly string[]): string | null {
  for (const [index, word] of argv.entries()) {
    if (word === `--${CONFIG_FILE_FLAG}`) return argv[index + 1] ?? "";
    if (word.startsWith(`--${CONFIG_FILE_FLAG}=`)) return word.slice(CONFIG_FILE_FLAG.length + 3);
  }
  return null;
}

export function asksForHelp(argv: readonly string[]): boolean {
  return argv.some((word) => HELP_FLAGS.includes(word));
}

/** `--port 80`, `--port=80`, and for every setting `--section.name value`. */
export function fromArguments(argv: readonly string[], settings: readonly Setting[]): SourceResult {
  const byFlag = new Map(settings.flatMap((setting) => flagsOf(setting).map((flag) => [flag, setting] as const)));
  const known = [...byFlag.keys(), CONFIG_FILE_FLAG, "help"].map((flag) => `--${flag}`);
  const given: Given[] = [];
  const problems: ConfigProblem[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (HELP_FLAGS.includes(word)) continue;
    if (!word.startsWith("--")) {
      problems.push(unknown(word, "command line", known));
      continue;
    }
    const equals = word.indexOf("=");
    const flag = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const setting = byFlag.get(flag);
    if (setting === undefined && flag !== CONFIG_FILE_FLAG) {
      problems.push(unknown(`--${flag}`, "command line", known));
      // The value of an unknown flag is not a second mistake.
      if (equals < 0 && isValue(argv[index + 1])) index++;
      continue;
    }
    let text = equals < 0 ? undefined : word.slice(equals + 1);
    if (text === undefined && isValue(argv[index + 1])) text = argv[++index];
    if (setting === undefined) continue;
    const source = `command line --${flag}`;
    if (text === undefined && setting.type === "boolean") text = "true";
    if (text === undefined) {
      problems.push(wrong(setting, null, source));
      continue;
    }
    read(setting, text, source, given, problems);
  }
  return { given, problems };
}

/** A key as PEM begins with more dashes than a flag, and must not be shown as an unknown one. */
const isValue = (word: string | undefined): boolean =>
  word !== undefined && (!word.startsWith("--") || word.startsWith("-----"));

/** Every setting by its long name (`SWIFT_EATS_HTTP_PORT`), some by a short one (`PORT`), secrets also by `…_FILE`. */
export function fromEnvironment(
  env: Environment,
  settings: readonly Setting[],
  readText: (path: string) => string,
): SourceResult {
  const given: Given[] = [];
  const problems: ConfigProblem[] = [];
  const known = new Set([CONFIG_FILE_ENV]);
  for (const setting of settings) {
    // The long name is the more deliberate one: it comes last and wins.
    for (const name of [...(setting.env ?? []), setting.longEnv]) {
      known.add(name);
      const text = env[name];
      if (text !== undefined) read(setting, text, `environment ${name}`, given, problems);
      if (setting.secret === undefined) continue;
      const fileName = `${name}_FILE`;
      known.add(fileName);
      const path = env[fileName];
      if (path === undefined || path === "") continue;
      try {
        given.push({ setting, value: readText(path).trim(), source: `the file of environment ${fileName}` });
      } catch (error) {
        problems.push({
          key: setting.key,
          given: `the file ${JSON.stringify(path)}`,
          source: `environment ${fileName}`,
          allowed: "a file that the node may read",
          advice: `The system says: ${error instanceof Error ? error.message : String(error)}.`,
        });
      }
    }
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith(ENV_PREFIX) && !known.has(name)) {
      problems.push(unknown(name, "environment", [...known]));
    }
  }
  return { given, problems };
}

/** Without what would be a setting of a node: for programs that start nodes of their own and tell them everything. */
export function withoutSettings(env: Environment, settings: readonly Setting[]): Environment {
  const names = new Set(settings.flatMap((setting) => [...(setting.env ?? []), setting.longEnv]));
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith(ENV_PREFIX) && !names.has(name) && !names.has(name.replace(/_FILE$/, "")),
    ),
  );
}

/** A JSON object of sections: `{ "http": { "port": 8080 } }`. */
export function fromFile(path: string, content: string, settings: readonly Setting[]): SourceResult {
  const source = `file ${path}`;
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch (error) {
    return { given: [], problems: [fileProblem(path, `The parser says: ${(error as Error).message}.`)] };
  }
  if (!isObject(document)) return { given: [], problems: [fileProblem(path, "Write { … } with one entry a section.")] };
  const byKey = new Map(settings.map((setting) => [setting.key, setting]));
  const sections = new Set(settings.flatMap(({ path: names }) => names.map((_, n) => names.slice(0, n).join("."))));
  const given: Given[] = [];
  const problems: ConfigProblem[] = [];
  const walk = (value: unknown, names: readonly string[]): void => {
    const key = names.join(".");
    const setting = byKey.get(key);
    if (setting !== undefined) given.push({ setting, value, source });
    else if (!sections.has(key)) problems.push(unknown(key, source, [...byKey.keys()]));
    else if (isObject(value)) for (const [name, child] of Object.entries(value)) walk(child, [...names, name]);
    else problems.push({ ...fileProblem(path, "Write the settings of this section as an object."), key });
  };
  walk(document, []);
  return { given, problems };
}

function read(setting: Setting, text: string, source: string, given: Given[], problems: ConfigProblem[]): void {
  // An empty variable is how shells and compose files say "not set".
  if (text === "") {
    if (!source.startsWith("environment")) problems.push(wrong(setting, text, source));
    return;
  }
  const value = parsed(setting, text);
  if (value === undefined) problems.push(wrong(setting, text, source));
  else given.push({ setting, value, source });
}

/** A text as a value of the setting's type, or undefined when it is none. */
function parsed(setting: Setting, text: string): unknown {
  switch (setting.type) {
    case "string":
      return text;
    case "integer":
    case "number":
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined;
    case "boolean":
      if (/^(true|yes|on|1)$/i.test(text)) return true;
      return /^(false|no|off|0)$/i.test(text) ? false : undefined;
    case "list":
      return text.split(",").map((item) => item.trim());
    case "map": {
      const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
      return pairs.every((pair) => pair.length === 2) ? Object.fromEntries(pairs) : undefined;
    }
  }
}

export function wrong(setting: Setting, value: unknown, source: string): ConfigProblem {
  return {
    key: setting.key,
    given: value === null ? null : shown(setting, value),
    source,
    allowed: setting.allowed,
    advice: setting.advice ?? "",
  };
}

export function flagsOf(setting: Setting): readonly string[] {
  return [...(setting.flags ?? []), setting.key];
}

function unknown(name: string, source: string, known: readonly string[]): ConfigProblem {
  const nearest = nearestName(name, known);
  return {
    key: name,
    given: "unknown",
    source,
    allowed: "the settings that --help lists",
    advice: nearest === null ? "Remove it." : `Did you mean ${nearest}?`,
  };
}

function fileProblem(path: string, advice: string): ConfigProblem {
  return {
    key: path,
    given: "not readable as settings",
    source: "configuration file",
    allowed: "a JSON object",
    advice,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
