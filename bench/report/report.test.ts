import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { ScenarioResult, SideResult } from "../harness/ports.js";
import { SCENARIOS } from "../scenarios/mod.js";
import { asJson, type RunResult, shown, verdictOf } from "./figures.js";
import { asHtml } from "./html.js";
import { asMarkdown, BEGIN, END, writeBetweenMarkers } from "./markdown.js";
import { asText } from "./text.js";

const side = (role: SideResult["role"], name: string, cpu: number): SideResult => ({
  role,
  name,
  what: `what ${name} is`,
  loads: { calm: { cpuMicrosPerOperation: cpu, p99Ms: 7 }, rush: { cpuMicrosPerOperation: 2 * cpu } },
  byRound: { calm: { cpuMicrosPerOperation: [cpu - 1, cpu + 1], p99Ms: [6, 8] }, rush: {} },
  problems: role === "peer" ? ["rush, round 1: 3 requests were not answered"] : [],
  late: [],
});
const scenario: ScenarioResult = {
  name: "menu",
  what: "Menus <of> a catalogue.",
  operation: "request",
  remarks: ["One round because one is enough."],
  loads: ["calm", "rush"],
  rounds: 2,
  seconds: 3,
  scale: 1,
  sides: [side("ours", "ours", 20), side("limit", "bare", 10), side("peer", "express | others", 300)],
  goals: [
    { what: "a ratio", unit: "×", better: "higher", atLeast: 0.6, ambition: 0.9, value: 0.5, spread: [0.45, 0.55] },
    { what: "a time", unit: "ms", better: "lower", atLeast: 100, ambition: 30, value: 20, spread: null },
    { what: "a rate", unit: "/s", better: "higher", atLeast: 1, ambition: 2, value: null, spread: null },
  ],
  ratioToLimit: 0.5,
  generatorLagP99Ms: 1.25,
  lateRounds: 0,
};
const run: RunResult = {
  machine: {
    at: "2030-05-01T12:30:00.000Z",
    cores: 2,
    processor: "a processor",
    memoryGigabytes: 8,
    system: "Linux",
    node: "v20",
    version: "1",
    loadAverages: [0.5, 0.4, 0.3],
  },
  scenarios: [scenario],
  growth: [
    {
      name: "orders on one node",
      xName: "orders a second",
      drawn: {
        cpuShare: { title: "processors busy", reasons: { steeper: "Never said." } },
        p99Ms: { title: "waiting", reasons: { flatter: "Never said.", steeper: "Waiting does not add up." } },
      },
      points: [1, 2, 4, 8].map((x) => ({ x, figures: { cpuShare: 0.2 + x / 10, p99Ms: 5 + 0.1 * x ** 3 } })),
    },
  ],
};

t.test("R-BEN-1: the JSON of a run says ours, the limit, the peers, the ratio and how late the load was", async (t) => {
  const json = JSON.parse(JSON.stringify(asJson(run)));
  t.match(json.menu, {
    ours: { calm: { cpuMicrosPerOperation: 20 }, byRound: Object },
    limit: { calm: { cpuMicrosPerOperation: 10 } },
    peers: { "express | others": { rush: { cpuMicrosPerOperation: 600 } } },
    ratioToLimit: 0.5,
    generatorLagMs: { p99: 1.25 },
  });
  t.same(Object.keys(json), ["machine", "growth", "menu"]);
});

t.test("R-BEN-1: a report tells what was reached, what was missed, and by how much", async (t) => {
  t.same(scenario.goals.map(verdictOf), ["missed", "ambition", "not measured"]);
  const text = asText(run);
  t.match(text, /a ratio +0\.5 × +0\.45 – 0\.55 +≥ 0\.6 +≥ 0\.9 +missed/);
  t.match(text, /3 requests were not answered/);
  const page = asHtml(run);
  t.match(page, /Menus &lt;of&gt; a catalogue\./);
  t.match(page, /<svg/);
  t.notMatch(page, /https?:\/\//, "it needs nothing from elsewhere");
  const markdown = asMarkdown(run);
  t.match(markdown, /- `menu`, a ratio: 0\.5, by a factor of 1\.2\./);
  t.match(markdown, /express \\\| others/, "a name breaks no table");
  t.match(markdown, /2 rounds of 3 s; an operation is one request\. One round because one is enough\./);
  for (const report of [text, page, markdown]) {
    t.match(report, /How cost grows: orders on one node/);
    t.match(report, /processors busy: a straight line within 0 %; 8 times the orders a second, 3\.3 times as much\./);
    t.match(report, /waiting: no straight line, off by up to \d+ %; [^.]+\d times as much\. Waiting does not add up\./);
    t.notMatch(report, /Never said/);
  }
  t.equal(shown(12_345.6), "12,346");
});

t.test("R-BEN-1: a document keeps its own words around the last run", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "swift-eats-report-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "document.md");
  writeFileSync(file, `before\n${BEGIN}\nold\n${END}\nafter\n`);
  writeBetweenMarkers(file, "new");
  writeBetweenMarkers(file, "newer");
  t.equal(readFileSync(file, "utf8"), `before\n${BEGIN}\n\nnewer\n\n${END}\nafter\n`);
  writeFileSync(file, "no place");
  t.throws(() => writeBetweenMarkers(file, "new"));
});

t.test("R-BEN-1: every scenario has sides, a limit or a reason, and goals that can be reached", async (t) => {
  const names = SCENARIOS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const { name, goals, loads, lagBoundMs, ratioToLimit } of SCENARIOS) {
    t.ok(loads.length > 0 && lagBoundMs > 0 && goals.length > 0, name);
    t.equal(
      ratioToLimit(() => null),
      null,
      `${name}: nothing measured, nothing said`,
    );
    for (const { what, better, atLeast, ambition, value } of goals) {
      t.ok(better === "lower" ? ambition <= atLeast : ambition >= atLeast, `${name}: ${what}`);
      t.equal(
        value(() => null),
        null,
        `${name}: ${what}`,
      );
    }
  }
});
