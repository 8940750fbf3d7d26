import t from "tap";
import { readSource } from "./source.js";

const importsOf = (text: string): string[] =>
  readSource("x.ts", text).imports.map(({ specifier, kind, line }) => `${line} ${kind} ${specifier}`);

t.test("every form of import is seen, once, with its line", async (t) => {
  const text = [
    'import a from "./a.js";',
    'import type { B } from "./b.js";',
    'import { type C, type D } from "./c.js";',
    "import {",
    "  type E,",
    "  f,",
    "} from './e.js';",
    'import * as g from "node:fs";',
    'export * from "./h.js";',
    'export { i, type J } from "./i.js";',
    'export type { K } from "./k.js";',
    'import "./l.js";',
    'const m = await import("./m.js");',
    'type N = import("./n.js").N;',
    'new Worker(new URL("./o.js", import.meta.url));',
    'import p, { q } from "p";',
    'const r = start("./r.js");',
  ].join("\n");
  t.strictSame(importsOf(text), [
    "1 value ./a.js",
    "2 type ./b.js",
    "3 type ./c.js",
    "4 value ./e.js",
    "8 value node:fs",
    "9 value ./h.js",
    "10 value ./i.js",
    "11 type ./k.js",
    "12 value ./l.js",
    "13 value ./m.js",
    "14 type ./n.js",
    "15 worker ./o.js",
    "16 value p",
    "17 worker ./r.js",
  ]);
});

t.test("what stands in comments, texts, templates and regular expressions is no code", async (t) => {
  const text = [
    '// import x from "./comment.js"',
    '/* import x from "./block.js"; Date.now() */',
    'const a = "Date.now()";',
    "const b = 'it\\'s Date.now()';",
    "const c = `Date.now() $" + "{Math.max(1, `$" + "{2}`)} Date.now()`;",
    "const d = /[\"'`]Date.now()/g, e = 4 / 2 / 1;",
    "const f = (x: number) => x / 2; // Date.now()",
    `const g = [/[/"]/, 'import x from "./text.js"'];`,
    "real(Date.now());",
  ].join("\n");
  const { code, imports, comments } = readSource("x.ts", text);
  t.strictSame(imports, []);
  t.equal([...code.matchAll(/Date\.now/g)].length, 1);
  t.match(code, "Math.max", "the inside of a template's hole is code");
  t.match(code, "4 / 2 / 1");
  t.equal(code.split("\n").length, text.split("\n").length, "lines stay where they are");
  t.equal([...comments.matchAll(/Date\.now/g)].length, 2);
});
