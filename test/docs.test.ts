import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import t from "tap";
import { ERRORS } from "../src/protocol/mod.js";
import { alertRules, documents, filled, metricsInCode, TABLES, tablesIn } from "./support/documents.js";
import { filesBelow, packageJson, ROOT, readText } from "./support/project.js";
import { readSource } from "./tidy/source.js";

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...filesBelow(["docs"], (path) => path.endsWith(".md")),
];
const TESTS = filesBelow(["src", "config", "sdk", "apps", "simulator", "test"], (path) => /\.test\.tsx?$/.test(path));

/** Titles of all tests, with the file of each. */
const TITLES = TESTS.flatMap((path) =>
  [...readText(path).matchAll(/\btest\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g)].map((match) => ({
    path,
    title: match[2] ?? "",
  })),
);

t.test("what the documents copy from the code is what the code says", async (t) => {
  for (const [path, expected] of documents()) {
    t.equal(readText(path), expected, `${path} is current; \`npm run docs\` writes it`);
  }
  const used = DOCUMENTS.flatMap((path) => tablesIn(readText(path)));
  for (const name of Object.keys(TABLES)) t.ok(used.includes(name), `the table of ${name} stands in a document`);
});

t.test("a stale table is found", async (t) => {
  const stale = "<!-- from code: close codes -->\n| 4001 | drained |\n<!-- end -->";
  t.not(filled(stale), stale);
  t.match(filled(stale), "| 4500 | `badToken` | no |");
  t.throws(() => filled("<!-- from code: nothing -->\n<!-- end -->"));
});

t.test("R-PRO-1: every error code is explained, and every code that the protocol's text names exists", async (t) => {
  const text = readText("docs/PROTOCOL.md");
  for (const name of Object.keys(ERRORS)) t.match(text, `| \`${name}\` |`, name);
  for (const match of text.matchAll(/(?:answers?|refused with|ERR) `([a-z_]+)`/g)) {
    t.ok(Object.hasOwn(ERRORS, match[1] ?? ""), `${match[1]} is a code`);
  }
});

t.test("every rule is proven by a test that cites it, and every cited rule exists", async (t) => {
  const rules = [...readText("docs/RULES.md").matchAll(/^(\d+)\. /gm)].map((match) => Number(match[1]));
  t.strictSame(
    rules,
    rules.map((_, index) => index + 1),
    "rules are numbered without holes",
  );
  t.ok(rules.length >= 17);
  const cited = new Map<number, string>();
  for (const { path, title } of TITLES) {
    for (const match of title.matchAll(/\brules?\s+(\d+(?:(?:,\s*|,?\s+and\s+)\d+)*)/gi)) {
      for (const number of (match[1] ?? "").matchAll(/\d+/g)) cited.set(Number(number[0]), `${path}: ${title}`);
    }
  }
  for (const rule of rules) t.ok(cited.has(rule), `rule ${rule} is cited by a test's title`);
  for (const [rule, where] of cited) t.ok(rules.includes(rule), `rule ${rule} exists (${where})`);
});

t.test("the commands that the documents name exist", async (t) => {
  const { scripts } = packageJson();
  let seen = 0;
  for (const path of DOCUMENTS) {
    const text = readText(path);
    for (const match of text.matchAll(/\bnpm run ([\w:-]+)/g)) {
      seen++;
      t.ok(Object.hasOwn(scripts, match[1] ?? ""), `${path}: npm run ${match[1]}`);
    }
    for (const match of text.matchAll(/\bnpm (test|start)\b/g)) {
      seen++;
      t.ok(Object.hasOwn(scripts, match[1] ?? ""), `${path}: npm ${match[1]}`);
    }
  }
  t.ok(seen > 10, `${seen} commands were seen`);
  for (const promised of ["demo", "test", "start", "replay", "build"]) t.ok(scripts[promised], promised);
  for (const [name, script] of Object.entries(scripts)) {
    for (const match of script.matchAll(/\bdist\/([\w./-]+)\.js\b/g)) {
      t.ok(existsSync(join(ROOT, `${match[1]}.ts`)), `the script ${name} starts ${match[1]}.ts`);
    }
  }
});

t.test("the files that the documents name exist", async (t) => {
  for (const path of DOCUMENTS) {
    const text = readText(path);
    for (const match of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      const target = normalize(join(dirname(path), match[1] ?? ""));
      t.ok(existsSync(join(ROOT, target)), `${path} links ${target}`);
    }
    for (const match of text.matchAll(/`((?:src|config|sdk|simulator|test|docs|bench|apps)\/[\w./-]+)`/g)) {
      t.ok(existsSync(join(ROOT, match[1] ?? "")), `${path} names ${match[1]}`);
    }
  }
});

t.test("R-OPS-3: alerts and the dashboard ask for metrics that there are, and alerts say what to do", async (t) => {
  const names = metricsInCode().flatMap(({ name }) =>
    name.includes("<name>") ? ["sockets", "requests"].map((each) => name.replace("<name>", each)) : [name],
  );
  const asked = (text: string): string[] =>
    [...text.matchAll(/\bswift_\w+/g)].map(([name]) =>
      name.replace(/_(bucket|sum|count)$/, (end, word: string) =>
        names.includes(name) ? end : word === "count" && !names.includes(name.slice(0, -end.length)) ? end : "",
      ),
    );
  const rules = alertRules();
  t.ok(rules.length > 10);
  for (const { name, expr, severity, summary, action } of rules) {
    t.match(expr, /[=<>]/, name);
    t.match(severity, /^(page|ticket)$/, name);
    t.match(summary, /\.$|B\.$/, name);
    t.match(action, /^[A-Z].*[.?]$/, name);
    for (const metric of asked(expr)) t.ok(names.includes(metric), `${name} asks for ${metric}`);
  }
  const { panels } = JSON.parse(readText("deploy/grafana/swift-eats.json")) as {
    panels: readonly { id: number; type: string; title: string; targets?: readonly { expr: string }[] }[];
  };
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, "every panel has its number");
  for (const { title, type, targets = [] } of panels) {
    t.equal(targets.length > 0, type !== "row", title);
    for (const { expr } of targets)
      for (const metric of asked(expr)) t.ok(names.includes(metric), `${title} asks for ${metric}`);
  }
});

t.test("R-OPS-3: metrics are called alike and explained by a sentence", async (t) => {
  const metrics = metricsInCode();
  t.ok(metrics.length > 5);
  for (const { name, help, path } of metrics) {
    t.match(name, /^swift_[a-z]+_[a-z_<>]+(_ms|_bytes|_ratio|_count|_total)$/, `${path}: ${name} ends with its unit`);
    t.match(help, /^[A-Z].*\.$/, `${path}: ${name}`);
  }
  // A metric that the table does not see would be one that nobody reads about.
  for (const path of filesBelow(["src"], (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))) {
    const source = readSource(path, readText(path));
    for (const match of source.text.matchAll(/\bname:\s*["`](swift_[\w${}]+)["`]/g)) {
      const name = (match[1] ?? "").replace(/\$\{(\w+)\}/g, "<$1>");
      t.ok(
        metrics.some((metric) => metric.name === name),
        `${path}: ${name} stands beside its help`,
      );
    }
  }
});
