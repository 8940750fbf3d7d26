/**
 * The parts of the documents that are written from the code: `npm run docs` writes them, a test finds them stale. In a
 * document of prose a table stands between `<!-- from code: NAME -->` and `<!-- end -->`.
 */
import { configurationDocument } from "../../config/mod.js";
import { ROUTE_ACCESS } from "../../src/gateway/auth/access.js";
import { STATUS } from "../../src/gateway/http/problem.js";
import { ROUTES, routeName } from "../../src/gateway/http/routes.js";
import {
  ACKNOWLEDGED_CHANNELS,
  CHANNELS,
  CLOSE,
  COMMANDS,
  type CommandEntry,
  ERRORS,
  mayReconnect,
  OP,
} from "../../src/protocol/mod.js";
import { filesBelow, readText } from "./project.js";

/** Documents by path, as they should be. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/CONFIGURATION.md", configurationDocument()],
    ["docs/PROTOCOL.md", filled(readText("docs/PROTOCOL.md"))],
    ["docs/OPERATIONS.md", filled(readText("docs/OPERATIONS.md"))],
    ["docs/decisions/README.md", filled(readText("docs/decisions/README.md"))],
  ]);
}

export const TABLES: Readonly<Record<string, () => string>> = {
  ops: opsTable,
  commands: commandTable,
  channels: channelTable,
  errors: errorTable,
  "close codes": closeTable,
  routes: routeTable,
  metrics: metricTable,
  alerts: alertTable,
  decisions: decisionList,
};

const SLOT = /(<!-- from code: ([\w ]+) -->\n)([\s\S]*?)(<!-- end -->)/g;

/** A document with its tables as the code has them. */
export function filled(text: string): string {
  return text.replace(SLOT, (_, begin: string, name: string, __: string, end: string) => {
    const table = TABLES[name];
    if (table === undefined) throw new Error(`there is no table called ${name}`);
    return `${begin}${table()}\n${end}`;
  });
}

/** Names of the tables that a document asks for. */
export function tablesIn(text: string): readonly string[] {
  return [...text.matchAll(SLOT)].map((match) => match[2] ?? "");
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

const code = (text: string): string => `\`${text}\``;
const yesNo = (value: boolean): string => (value ? "yes" : "no");

function opsTable(): string {
  const rows = Object.entries(OP).map(([name, op]) => [
    String(op),
    code(name),
    op === OP.batch ? "both ways" : op < 16 ? "client → node" : "node → client",
  ]);
  return table(["op", "name", "direction"], rows);
}

function commandTable(): string {
  const entries: readonly (readonly [string, CommandEntry])[] = Object.entries(COMMANDS);
  const rows = entries.map(([type, { roles, body, actor }]) => [
    code(type),
    roles.join(", "),
    fieldsOf(body),
    code(actor),
  ]);
  return table(["command", "who", "body", "actor"], rows);
}

/** The fields of an object's schema; those that may be missing with a question mark. */
function fieldsOf(schema: unknown): string {
  const { properties, required } = schema as { properties?: Record<string, unknown>; required?: readonly string[] };
  const names = Object.keys(properties ?? {});
  if (names.length === 0) return "nothing";
  return names.map((name) => code(required?.includes(name) ? name : `${name}?`)).join(", ");
}

function channelTable(): string {
  const acknowledged: readonly string[] = ACKNOWLEDGED_CHANNELS;
  const reliable = (family: string): string =>
    acknowledged.includes(family) ? "reliable: offsets, acknowledged, replayed" : "reliable: offsets, replayed";
  const rows = Object.entries(CHANNELS).map(([family, { delivery, roles, actor }]) => [
    code(`${family}:<id>`),
    delivery === "reliable" ? reliable(family) : "latest wins: one slot per key",
    roles.join(", "),
    code(actor),
  ]);
  return table(["channel", "delivery", "who", "actor"], rows);
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([name, { temporary, hint }]) => [
    code(name),
    yesNo(temporary),
    String(STATUS[name as keyof typeof STATUS]),
    hint,
  ]);
  return table(["code", "try again", "HTTP", "what it means and what to do"], rows);
}

function closeTable(): string {
  const rows = Object.entries(CLOSE).map(([name, number]) => [String(number), code(name), yesNo(mayReconnect(number))]);
  return table(["code", "name", "reconnect"], rows);
}

function routeTable(): string {
  const rows = ROUTES.map((route) => {
    const access = ROUTE_ACCESS[routeName(route)];
    const who = access === undefined ? "nobody" : typeof access === "string" ? access : access.join(", ");
    const { target } = route;
    const stands =
      target.kind === "command"
        ? `command ${code(target.command)}`
        : target.kind === "read"
          ? `read: ${target.read}`
          : target.kind === "anyCommand"
            ? "any command by its name"
            : target.kind === "operation"
              ? target.operation.summary
              : target.kind;
    return [code(`${route.method} ${route.path}`), who, stands, route.tier];
  });
  return table(["route", "who", "what", "limit"], rows);
}

export interface MetricNote {
  readonly name: string;
  readonly help: string;
  readonly path: string;
}

/** Every metric that the sources name. A name may be made for each of a few words: those stand as `<…>`. */
export function metricsInCode(): readonly MetricNote[] {
  const found = new Map<string, MetricNote>();
  for (const path of filesBelow(["src"], (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))) {
    const text = readText(path);
    for (const match of text.matchAll(/name: (["`])(swift_[^"`]+)\1,?\s*help:\s*(["`])([^"`]+)\3/g)) {
      const clean = (value: string): string => value.replace(/\$\{(\w+)\}/g, "<$1>");
      const name = clean(match[2] ?? "");
      found.set(name, { name, help: clean(match[4] ?? ""), path });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function metricTable(): string {
  return table(
    ["metric", "what it says"],
    metricsInCode().map(({ name, help }) => [code(name), help]),
  );
}

export interface AlertRule {
  readonly name: string;
  readonly expr: string;
  readonly severity: string;
  readonly summary: string;
  readonly action: string;
}

/** The rules of `deploy/prometheus/alerts.yaml`, a file that we write ourselves: every value stands on its key's line. */
export function alertRules(): readonly AlertRule[] {
  const [, ...rules] = readText("deploy/prometheus/alerts.yaml").split("      - alert: ");
  return rules.map((text) => {
    const of = (key: string): string => new RegExp(`^\\s+${key}: (.+)$`, "m").exec(text)?.[1] ?? "";
    const quoted = (key: string): string => of(key).replace(/^"(.*)"$/, "$1");
    return {
      name: text.slice(0, text.indexOf("\n")),
      expr: of("expr"),
      severity: /severity: (\w+)/.exec(of("labels"))?.[1] ?? "",
      summary: quoted("summary"),
      action: quoted("action"),
    };
  });
}

function alertTable(): string {
  const rows = alertRules().map(({ name, severity, expr, action }) => [name, severity, code(expr), action]);
  return table(["alert", "how soon", "when", "what to do"], rows);
}

function decisionList(): string {
  return filesBelow(["docs/decisions"], (path) => path.endsWith(".md") && !path.endsWith("README.md"))
    .map((path) => {
      const title = /^#\s+(.+)$/m.exec(readText(path))?.[1] ?? path;
      return `- [${title}](${path.split("/").at(-1)})`;
    })
    .join("\n");
}
