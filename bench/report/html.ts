/** A run as one page without anything from elsewhere: the goals, and a chart for each scenario and each series. */
import type { ScenarioResult, SideResult } from "../harness/ports.js";
import type { GrowthSeries } from "../scenarios/growth.js";
import { type RunResult, shown, verdictOf } from "./figures.js";
import { figureTable, GOAL_HEAD, goalRows, growthTable, manner } from "./text.js";

const BAR_HEIGHT = 20;
const BAR_GAP = 6;
const LABEL_WIDTH = 250;
const BAR_WIDTH = 420;
const CHART_WIDTH = LABEL_WIDTH + BAR_WIDTH + 120;
const LINE = { width: 320, height: 180, left: 56, bottom: 28, top: 12 };
const COLOURS: Readonly<Record<SideResult["role"], string>> = { ours: "#0b7285", limit: "#868e96", peer: "#e8590c" };

const safe = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

interface Bar {
  readonly label: string;
  readonly role: SideResult["role"];
  readonly value: number;
  /** Least and most of the rounds. */
  readonly spread: readonly [number, number];
}

function barsOf(result: ScenarioResult, figure: string): readonly Bar[] {
  return result.loads.flatMap((load) =>
    result.sides.flatMap(({ name, role, loads, byRound }) => {
      const value = loads[load]?.[figure];
      if (value === undefined) return [];
      const rounds = byRound[load]?.[figure] ?? [value];
      const spread: readonly [number, number] = [Math.min(...rounds), Math.max(...rounds)];
      return [{ label: result.loads.length === 1 ? name : `${name}, ${load}`, role, value, spread }];
    }),
  );
}

function barChart(title: string, bars: readonly Bar[]): string {
  if (bars.length === 0) return "";
  const most = Math.max(...bars.map(({ value, spread }) => Math.max(value, spread[1])), Number.MIN_VALUE);
  const x = (value: number): number => LABEL_WIDTH + (value / most) * BAR_WIDTH;
  const rows = bars.map(({ label, role, value, spread }, i) => {
    const y = i * (BAR_HEIGHT + BAR_GAP);
    const middle = y + BAR_HEIGHT / 2;
    const width = Math.max(1, x(value) - LABEL_WIDTH);
    return (
      `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${safe(label)}</text>` +
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" fill="${COLOURS[role]}"/>` +
      `<line x1="${x(spread[0])}" x2="${x(spread[1])}" y1="${middle}" y2="${middle}" stroke="#212529" stroke-width="2"/>` +
      `<text x="${x(Math.max(value, spread[1])) + 6}" y="${middle + 4}">${shown(value)}</text>`
    );
  });
  const height = bars.length * (BAR_HEIGHT + BAR_GAP);
  return `<figure><figcaption>${safe(title)}</figcaption><svg viewBox="0 0 ${CHART_WIDTH} ${height}" width="${CHART_WIDTH}" role="img" aria-label="${safe(title)}">${rows.join("")}</svg></figure>`;
}

function lineChart(series: GrowthSeries, figure: string): string {
  const points = series.points.flatMap(({ x, figures }) => {
    const y = figures[figure];
    return y === undefined ? [] : [{ x, y }];
  });
  if (points.length < 2) return "";
  const [mostX, mostY] = [Math.max(...points.map(({ x }) => x)), Math.max(...points.map(({ y }) => y))];
  const innerWidth = LINE.width - LINE.left - 12;
  const innerHeight = LINE.height - LINE.bottom - LINE.top;
  const at = ({ x, y }: { x: number; y: number }): string =>
    `${LINE.left + (x / mostX) * innerWidth},${LINE.top + innerHeight * (1 - y / mostY)}`;
  const base = LINE.top + innerHeight;
  const dots = points
    .map((point) => {
      const [cx, cy] = at(point).split(",");
      return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${COLOURS.ours}"><title>${shown(point.x)}: ${shown(point.y)}</title></circle><text x="${cx}" y="${base + 16}" text-anchor="middle">${shown(point.x)}</text>`;
    })
    .join("");
  const title = `${series.drawn[figure]!.title} by ${series.xName}`;
  return (
    `<figure><figcaption>${safe(title)}</figcaption><svg viewBox="0 0 ${LINE.width} ${LINE.height}" width="${LINE.width}" role="img" aria-label="${safe(title)}">` +
    `<line x1="${LINE.left}" x2="${LINE.width - 12}" y1="${base}" y2="${base}" stroke="#868e96"/>` +
    `<text x="${LINE.left - 6}" y="${LINE.top + 8}" text-anchor="end">${shown(mostY)}</text><text x="${LINE.left - 6}" y="${base}" text-anchor="end">0</text>` +
    `<polyline points="${points.map(at).join(" ")}" fill="none" stroke="${COLOURS.ours}" stroke-width="2"/>${dots}</svg></figure>`
  );
}

const table = (head: readonly string[], rows: readonly (readonly string[])[], className = ""): string =>
  `<div class="wide"><table class="${className}"><thead><tr>${head.map((cell) => `<th>${safe(cell)}</th>`).join("")}</tr></thead><tbody>${rows
    .map((cells) => `<tr>${cells.map((cell) => `<td>${safe(cell)}</td>`).join("")}</tr>`)
    .join("")}</tbody></table></div>`;

function goalsTable(run: RunResult): string {
  const verdicts = run.scenarios.flatMap(({ goals }) => goals.map(verdictOf));
  const rows = goalRows(run).map(
    (cells, i) =>
      `<tr class="${verdicts[i]!.replace(" ", "-")}">${cells.map((cell) => `<td>${safe(cell)}</td>`).join("")}</tr>`,
  );
  const head = GOAL_HEAD.map((cell) => `<th>${safe(cell)}</th>`).join("");
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

const CHARTED: readonly (readonly [figure: string, title: string])[] = [
  ["perSecond", "a second"],
  ["cpuMicrosPerOperation", "processor time of the server's process, µs an operation"],
  ["p99Ms", "p99 from the intended time, ms"],
  ["bytesPerSocket", "bytes a socket"],
  ["commitsPerSecond", "commits a second"],
  ["replayP95Ms", "p95 until everything missed was there, ms"],
];

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;color:#212529;background:#fff;max-width:960px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-top:1px solid #dee2e6;padding-top:1rem}.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;margin:1rem 0}th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid #e9ecef;white-space:nowrap}
figure{margin:1rem 0;overflow-x:auto;display:inline-block}figcaption{font-size:13px;color:#495057;margin-bottom:.3rem}svg text{font-size:12px;fill:#212529}
.missed td:last-child{color:#c92a2a;font-weight:600}.ambition td:last-child{color:#2b8a3e;font-weight:600}.at-least td:last-child{color:#1864ab;font-weight:600}
.key span{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}li.bad{color:#c92a2a}`;

export function asHtml(run: RunResult): string {
  const { machine, scenarios, growth } = run;
  const sections = scenarios.map((result) => {
    const { head, rows } = figureTable(result);
    const charts = CHARTED.map(([figure, title]) => barChart(title, barsOf(result, figure)));
    const sides = result.sides.map(({ name, what }) => `<li>${safe(name)}: ${safe(what)}.</li>`);
    const bad = result.sides.flatMap(({ name, problems, late }) =>
      [...problems, ...late].map((line) => `<li class="bad">${safe(name)}: ${safe(line)}</li>`),
    );
    return `<h2 id="${safe(result.name)}">${safe(result.name)}</h2><p>${safe(`${result.what} ${manner(result)}`)}</p>${charts.join("")}${table(head, rows)}<ul>${sides.join("")}${bad.join("")}</ul>`;
  });
  const grown = growth.map((series) => {
    const { head, rows, sentences } = growthTable(series);
    const charts = Object.keys(series.drawn).map((figure) => lineChart(series, figure));
    const said = sentences.map((line) => `<li>${safe(line)}</li>`);
    return `<h2>How cost grows: ${safe(series.name)}</h2>${charts.join("")}${table(head, rows)}<ul>${said.join("")}</ul>`;
  });
  const key = (["ours", "limit", "peer"] as const)
    .map((role) => `<span style="background:${COLOURS[role]}"></span>${role}`)
    .join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Swift Eats: measured</title><style>${STYLE}</style></head><body>
<h1>Swift Eats, measured beside the limit and beside peers</h1>
<p>${safe(machine.at)} · ${machine.cores} cores, ${safe(machine.processor)} · ${machine.memoryGigabytes} GB · ${safe(machine.system)} · Node ${safe(machine.node)} · version ${safe(machine.version)} · load average before ${machine.loadAverages.join(", ")}</p>
<p>Load generators ran on the same machine, in processes of their own. Bars are medians over the rounds; the dark line spans the rounds.</p><p class="key">${key}</p>
${goalsTable(run)}${sections.join("\n")}${grown.join("\n")}</body></html>
`;
}
