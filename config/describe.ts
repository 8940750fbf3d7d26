/** The settings as text: `--help` and `docs/CONFIGURATION.md`, both read from the schema so that they cannot drift. */
import { defaults } from "./defaults.js";
import { ConfigSchema, SETTINGS } from "./schema.js";
import { type Setting, sectionsOf } from "./setting.js";
import { CONFIG_FILE_ENV } from "./sources.js";

/** What `--help` prints. */
export function helpText(): string {
  const short = SETTINGS.filter((setting) => (setting.flags ?? []).length > 0);
  const rows = [
    ...short.map((setting) => [`--${setting.flags?.[0]} VALUE`, `${setting.description} [${defaultText(setting)}]`]),
    ["--config FILE", `A JSON file with settings. Also ${CONFIG_FILE_ENV}.`],
    ["--SECTION.NAME VALUE", "Any setting of docs/CONFIGURATION.md, for example --engine.flushMs 2."],
    ["--help", "This text."],
  ];
  const width = Math.max(...rows.map(([left]) => left!.length));
  const lines = rows.map(([left, right]) => `  ${left!.padEnd(width)}  ${right}`);
  return `Swift Eats: the real-time engine of a food-delivery marketplace.\n\nUsage: npm start -- [options]\n\n${lines.join("\n")}\n`;
}

/** The whole of `docs/CONFIGURATION.md`. */
export function configurationDocument(): string {
  const sections = sectionsOf(ConfigSchema).flatMap(({ key, description }) => {
    const own = SETTINGS.filter((setting) => setting.path.slice(0, -1).join(".") === key);
    if (own.length === 0) return [];
    return [
      `## ${key}`,
      "",
      description,
      "",
      "| setting | default | allowed | what it is | names |",
      "|---|---|---|---|---|",
      ...own.map(row),
      "",
    ];
  });
  return `${[INTRODUCTION, ...sections].join("\n").trimEnd()}\n`;
}

const INTRODUCTION = `# Configuration

<!-- Written by \`npm run docs\` from config/schema.ts. Change the schema, not this file. -->

A node starts with nothing set. Values come from four places, the later winning: the defaults below; a JSON file named by
\`--config\` or \`${CONFIG_FILE_ENV}\`; the environment; the command line. Everything is judged at the start: a node with a
wrong setting does not start, and says every problem at once, with what is allowed and what to do. An unknown name is a
problem too.

Every setting has a long name in the environment (\`http.port\` is \`SWIFT_EATS_HTTP_PORT\`) and a flag (\`--http.port\`);
the short names are in the last column. A secret, or an address that may hold one, can be kept in a file: its name in the
environment with \`_FILE\` at the end, for example \`OPERATOR_SECRET_FILE=/run/secrets/operator\`. Secrets are never printed.
Units are the last word of a name. In a JSON file the sections nest: \`{ "http": { "port": 8080 } }\`.
`;

function row(setting: Setting): string {
  const names = [
    ...(setting.env ?? []).map((name) => `\`${name}\``),
    ...(setting.flags ?? []).map((name) => `\`--${name}\``),
  ];
  const cells = [
    `\`${setting.path.at(-1)}\``,
    defaultText(setting),
    setting.allowed,
    setting.secret === "value" ? `${setting.description} Secret.` : setting.description,
    names.join(" "),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function defaultText(setting: Setting): string {
  const value = setting.path.reduce<unknown>((place, name) => (place as Record<string, unknown>)[name], defaults);
  if (value === null) return "not set";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  if (typeof value === "object") return Object.keys(value).length === 0 ? "none" : JSON.stringify(value);
  return String(value);
}
