import t from "tap";
import { filesBelow, packageJson, readText } from "./support/project.js";
import { BANS, MOST_LINES, PARTS, ROOTS, VENDORS, WANTED_LINES } from "./tidy/layout.js";
import { type Project, RULES, type Violation } from "./tidy/rules.js";
import { readSource } from "./tidy/source.js";

/** A project of a few lines, to prove that a rule bites. */
function fixture(
  files: Record<string, string>,
  more: { readonly entries?: readonly string[]; readonly packages?: readonly string[] } = {},
): Project {
  const paths = Object.keys(files);
  return {
    files: new Map(paths.map((path) => [path, readSource(path, files[path]!)])),
    // Everything is started by name, except where a fixture says otherwise.
    entries: more.entries ?? paths,
    packages: more.packages ?? [],
  };
}

const broken = (project: Project): string[] =>
  RULES.flatMap((rule) => rule(project)).map(({ rule, path, line }) => `${rule} ${path}:${line}`);

function theProject(): Project {
  const paths = filesBelow(ROOTS, (path) => /\.tsx?$/.test(path));
  const { scripts, dependencies, devDependencies, optionalDependencies } = packageJson();
  const programs = Object.values(scripts).flatMap((script) =>
    [...script.matchAll(/\bdist\/([\w./-]+)\.js\b/g)].map(([, name]) => `${name}.ts`),
  );
  const pages = filesBelow(["apps"], (path) => path.endsWith(".html")).flatMap((page) =>
    [...readText(page).matchAll(/<script[^>]+src="\.?\/?([^"]+\.tsx?)"/g)].map(([, name]) =>
      `${page.split("/").slice(0, -1).join("/")}/${name}`.replace(/\/\.\//g, "/"),
    ),
  );
  const tools = paths.filter((path) => /(^|\/)(?:vite\.config|service-worker)\.ts$/.test(path));
  return {
    files: new Map(paths.map((path) => [path, readSource(path, readText(path))])),
    entries: [...programs, ...pages, ...tools],
    packages: Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }),
  };
}

t.test("the layout's rules hold in every file", async (t) => {
  const project = theProject();
  t.ok(project.files.size > 100, `${project.files.size} files were read`);
  const violations: Violation[] = RULES.flatMap((rule) => [...rule(project)]);
  t.strictSame(
    violations.map(({ rule, path, line, message }) => `${rule}: ${path}:${line} ${message}`),
    [],
  );
  const long = [...project.files.values()].filter(({ lines }) => lines > WANTED_LINES && lines <= MOST_LINES);
  for (const { path, lines } of long) t.comment(`longer than wanted: ${path} has ${lines} lines`);
});

t.test("imports follow the table", async (t) => {
  const lib = { "src/lib/clock.ts": "", "src/protocol/mod.ts": "", "src/actors/runtime/mod.ts": "" };
  const cases: readonly [path: string, text: string, files: Record<string, string>][] = [
    ["src/lib/a.ts", 'import "../protocol/mod.js";', lib],
    ["src/protocol/a.ts", 'import type { A } from "../actors/runtime/mod.js";', lib],
    ["src/actors/runtime/a.ts", 'import "../../protocol/mod.js";', lib],
    ["src/gateway/a.ts", 'import "../store/postgres/mod.js";', { "src/store/postgres/mod.ts": "" }],
    ["src/services/eta/a.ts", 'import "../payments/mod.js";', { "src/services/payments/mod.ts": "" }],
    ["src/store/redis/a.ts", 'import "../../gateway/mod.js";', { "src/gateway/mod.ts": "" }],
    ["sdk/mod.ts", 'import "../src/gateway/mod.js";', { "src/gateway/mod.ts": "" }],
    ["simulator/live/a.ts", 'import "../../src/actors/runtime/mod.js";', lib],
    ["simulator/city/a.ts", 'import "../checkers/mod.js";', { "simulator/checkers/mod.ts": "" }],
    ["config/a.ts", 'import "../src/protocol/mod.js";', lib],
    ["src/lib/b.ts", 'import "./gone.js";', {}],
    ["elsewhere/a.ts", "", {}],
  ];
  for (const [path, text, files] of cases) {
    t.strictSame(broken(fixture({ ...files, [path]: text })), [`imports ${path}:1`], path);
  }
  const fine = fixture({
    ...lib,
    "src/actors/runtime/ports.ts": "",
    "src/gateway/a.ts": 'import "../lib/clock.js"; import "../actors/runtime/mod.js"; import "../protocol/mod.js";',
    "src/store/redis/mod.ts": 'import type { P } from "../../actors/runtime/ports.js";',
    "src/main.ts": 'import "./node/node.js";',
    "src/node/node.ts": 'import "../store/redis/mod.js"; new Worker(new URL("./worker.js", import.meta.url));',
    "src/node/worker.ts": "",
    "simulator/live/a.ts": 'spawn(new URL("../../src/main.js", import.meta.url));',
  });
  t.strictSame(broken(fine), []);
});

t.test("actors know of each other only what may be told", async (t) => {
  const actor = (name: string, text = "") => ({
    [`src/actors/domain/${name}/actor.ts`]: text,
    [`src/actors/domain/${name}/state.ts`]: "",
    [`src/actors/domain/${name}/messages.ts`]: "",
    [`src/actors/domain/${name}/actor.test.ts`]: "",
  });
  const two = (text: string) => fixture({ ...actor("order", text), ...actor("driver") });
  t.strictSame(broken(two('import "../driver/messages.js";')), []);
  t.strictSame(broken(two('import "../driver/state.js";')), ["imports src/actors/domain/order/actor.ts:1"]);
  const { "src/actors/domain/order/state.ts": _, ...incomplete } = actor("order");
  t.strictSame(broken(fixture(incomplete)), ["actors src/actors/domain/order:1"]);
});

t.test("a folder is entered by its door", async (t) => {
  const files = { "src/protocol/mod.ts": "", "src/protocol/codec.ts": "" };
  const through = (text: string) => broken(fixture({ ...files, "sdk/wire.ts": text }));
  t.strictSame(through('import "../src/protocol/mod.js";'), []);
  t.strictSame(through('import "../src/protocol/codec.js";'), ["doors sdk/wire.ts:1"]);
});

t.test("each library lives in one folder", async (t) => {
  t.strictSame(broken(fixture({ "src/store/postgres/pg.ts": 'import pg from "pg";' })), []);
  t.strictSame(broken(fixture({ "src/gateway/a.ts": '\nimport pg from "pg";' })), ["vendors src/gateway/a.ts:2"]);
  t.strictSame(broken(fixture({ "src/gateway/a.ts": 'import x from "left-pad/x";' })), ["vendors src/gateway/a.ts:1"]);
  t.strictSame(broken(fixture({ "src/gateway/a.test.ts": 'import t from "tap";' })), []);
  t.strictSame(broken(fixture({ "src/gateway/a.ts": 'import t from "tap";' })), ["vendors src/gateway/a.ts:1"]);
  t.strictSame(broken(fixture({}, { packages: ["left-pad", "typescript"] })), ["vendors package.json:1"]);
  for (const [name, folders] of Object.entries(VENDORS)) t.ok(folders.length > 0, name);
});

t.test("each ban bites, names what to write instead, and lets its own place be", async (t) => {
  const examples: Readonly<Record<string, readonly string[]>> = {
    "Date.now": ["const a = Date.now();"],
    "new Date()": ["const a = new Date();", "const a = new Date;"],
    "Math.random": ["const a = Math.random();"],
    timers: ["setTimeout(f, 1);", "setInterval(f, 1);", "setImmediate(f);"],
    "performance.now": ["performance.now();", "process.hrtime.bigint();"],
    "random ids": ["randomUUID();", "randomBytes(8);"],
    "process.env": ["process.env.HOME;"],
    "HTTP statuses": ["const a = { status: 404 };", "if (response.status === 401) {}", "reply.status(503);"],
    console: ["console.log(1);"],
    any: ["const a: any = 1;", "f(x as any);", "const a: Map<string, any> = m;"],
    "unfinished work": ["// TODO later", "/* FIXME */"],
    "silenced compiler": ["// @ts-ignore"],
    "expected compile errors": ["// @ts-expect-error"],
    "paths of one machine": ['const a = "/home/someone/data";', 'const a = "/tmp/data";'],
  };
  for (const ban of BANS) {
    t.ok(ban.instead.length > 10, `${ban.name} names what to write instead`);
    for (const text of examples[ban.name] ?? [""]) {
      const path = "src/services/eta/a.ts";
      t.strictSame(broken(fixture({ [path]: `\n${text}\n` })), [`bans ${path}:2`], text);
      const allowed = ban.allowed[0];
      if (allowed === undefined) continue;
      const inside = allowed.endsWith(".ts") ? allowed : `${allowed}/a.ts`;
      t.strictSame(broken(fixture({ [inside]: text })), [], `${text} in ${inside}`);
    }
  }
  const innocent = [
    'const text = "Date.now() and setTimeout";',
    "// call Date.now() nowhere",
    "new Date(clock.now());",
    "const many = company.anything;",
    "const status = 4001; if (order.status === 'placed') {}",
    "const path = `$" + "{folder}/tmp/x`;",
  ].join("\n");
  t.strictSame(broken(fixture({ "src/services/eta/a.ts": innocent })), []);
  const excused = "// biome-ignore lint/suspicious/noExplicitAny: every kind is held in one registry.\nlet a: any;";
  t.strictSame(broken(fixture({ "src/services/eta/a.ts": excused })), []);
});

t.test("files do not need each other in a circle", async (t) => {
  const circle = fixture({
    "src/lib/a.ts": 'import { b } from "./b.js";',
    "src/lib/b.ts": 'import { c } from "./c.js";',
    "src/lib/c.ts": 'import { a } from "./a.js";',
  });
  t.strictSame(broken(circle), ["cycles src/lib/c.ts:1"]);
  const onlyTypes = fixture({
    "src/lib/a.ts": 'import { b } from "./b.js";',
    "src/lib/b.ts": 'import type { A } from "./a.js";',
  });
  t.strictSame(broken(onlyTypes), [], "types are gone at run time");
});

t.test("what nothing reaches is dead, and what only tests reach too", async (t) => {
  const files = {
    "src/main.ts": 'import "./lib/used.js";',
    "src/lib/used.ts": "",
    "src/lib/forgotten.ts": "",
    "src/lib/tested.ts": "",
    "src/lib/tested.test.ts": 'import "./tested.js"; import "../store/memory/mod.js";',
    "src/store/memory/mod.ts": "",
  };
  t.strictSame(broken(fixture(files, { entries: ["src/main.ts"] })), [
    "dead src/lib/forgotten.ts:1",
    "dead src/lib/tested.ts:1",
  ]);
});

t.test("files are short and called alike", async (t) => {
  const long = "const a = 1;\n".repeat(MOST_LINES + 1);
  t.strictSame(broken(fixture({ "src/lib/long.ts": long })), [`length src/lib/long.ts:${MOST_LINES + 1}`]);
  t.strictSame(broken(fixture({ "src/lib/fine.ts": "const a = 1;\n".repeat(MOST_LINES) })), []);
  t.strictSame(broken(fixture({ "src/lib/CamelCase.ts": "" })), ["names src/lib/CamelCase.ts:1"]);
});

t.test("the table speaks only of parts that it defines", async (t) => {
  const names = new Set(PARTS.map(({ name }) => name));
  for (const part of PARTS) for (const name of part.mayImport) t.ok(name === "*" || names.has(name), name);
});
