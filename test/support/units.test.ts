import t from "tap";
import { filesBelow, readText } from "./project.js";
import { ALONE, FIRST, mostlyWaits, TOGETHER, unitsOf, WAITING } from "./units.js";

const sources = filesBelow(
  ["bench", "config", "sdk", "simulator", "src", "test"],
  (path) => path.endsWith(".test.ts") && !path.includes("fixtures/"),
);
const units = unitsOf(sources.map((path) => path.replace(/\.ts$/, ".js")));
const sourceOf = (file: string): string => readText(file.replace(/\.js$/, ".ts"));

t.test("every test file is run once, whatever it shares a process with", async (t) => {
  t.strictSame(
    units
      .flat()
      .map((file) => file.replace(/\.js$/, ".ts"))
      .sort(),
    sources,
  );
  t.ok(units.some(({ length }) => length > 20));
  t.strictSame(unitsOf(["src/lib/geo.test.js"]), [["src/lib/geo.test.js"]]);
});

t.test("what shares a process has no hooks that would be its neighbours' too", async (t) => {
  for (const file of units.filter(({ length }) => length > 1).flat())
    t.notMatch(sourceOf(file), /^t\.(?:after|before|teardown)/m, file);
});

t.test("every place that the lists name holds a test", async (t) => {
  for (const place of [...TOGETHER.flat(), ...ALONE, ...FIRST, ...WAITING])
    t.ok(
      sources.some((path) => path === `${place}.test.ts` || path.startsWith(`${place}/`)),
      place,
    );
  t.strictSame(
    units.slice(0, FIRST.length).flat(),
    FIRST.map((name) => `${name}.test.js`),
  );
  t.strictSame(units.filter(mostlyWaits).flat().sort(), WAITING.map((name) => `${name}.test.js`).sort());
});
