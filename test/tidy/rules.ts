/** The rules over the layout (`layout.ts`). Each takes the whole project and returns every place that breaks it. */
import {
  ACTOR_FILES,
  BANS,
  type Ban,
  MOST_LINES,
  PARTS,
  type Part,
  PROMISED_PACKAGES,
  PUBLIC_ENTRIES,
  TEST_DOORS,
  TEST_FOLDERS,
  TEST_VENDORS,
  TOOL_PACKAGES,
  VENDORS,
} from "./layout.js";
import { type Import, lineAt, type Source } from "./source.js";

export interface Project {
  /** By path from the project's root, with forward slashes. */
  readonly files: ReadonlyMap<string, Source>;
  /** Files that are started by name: programs of package.json's scripts, scripts of pages. */
  readonly entries: readonly string[];
  /** Names of the packages in package.json. */
  readonly packages: readonly string[];
}

export interface Violation {
  readonly rule: "imports" | "doors" | "vendors" | "bans" | "cycles" | "dead" | "length" | "names" | "actors";
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** The part of a file, and which of the folders that `*` stands for. */
export function partOf(path: string): { readonly part: Part; readonly folder: string } | null {
  let best: { part: Part; folder: string } | null = null;
  for (const part of PARTS) {
    // Fixtures belong to the folder above them, never to a star.
    const pattern = new RegExp(`^${part.path.replaceAll("*", `(?!(?:${TEST_FOLDERS.join("|")})/)[^/]+`)}(?=/)`);
    const folder = pattern.exec(path)?.[0];
    if (folder !== undefined && (best === null || depth(part) > depth(best.part))) best = { part, folder };
  }
  return best;
}

function depth(part: Part): number {
  // A named folder is more exact than a star at the same depth.
  return part.path.split("/").length * 2 - (part.path.includes("*") ? 1 : 0);
}

export function isTest(path: string): boolean {
  if (/\.test\.tsx?$|(?:^|\/)contract\.ts$/.test(path)) return true;
  return path
    .split("/")
    .slice(0, -1)
    .some((folder) => TEST_FOLDERS.includes(folder));
}

/** The project's file behind an import, or null for a package. */
export function resolve(project: Project, from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const names = [...from.split("/").slice(0, -1), ...specifier.split("/")];
  const path: string[] = [];
  for (const name of names) {
    if (name === "..") path.pop();
    else if (name !== ".") path.push(name);
  }
  const base = path.join("/").replace(/\.js$/, "");
  return [`${base}.ts`, `${base}.tsx`, path.join("/")].find((file) => project.files.has(file)) ?? path.join("/");
}

/** Who imports whom, and through which door. */
export function importViolations(project: Project): readonly Violation[] {
  const found: Violation[] = [];
  for (const source of project.files.values()) {
    const from = partOf(source.path);
    if (from === null) {
      found.push({ rule: "imports", path: source.path, line: 1, message: "is in no part of the layout" });
      continue;
    }
    for (const one of source.imports) {
      const target = resolve(project, source.path, one.specifier);
      if (target === null) continue;
      const problem = judge(source.path, from, target, one, project);
      if (problem !== null) found.push({ ...problem, path: source.path, line: one.line });
    }
  }
  return found;
}

function judge(
  path: string,
  from: { readonly part: Part; readonly folder: string },
  target: string,
  one: Import,
  project: Project,
): Pick<Violation, "rule" | "message"> | null {
  // Data files (a golden contract, a migration) belong to their folder; what is built is not source.
  if (!/\.[jt]sx?$/.test(target)) return null;
  if (!project.files.has(target)) return { rule: "imports", message: `imports ${target}, which does not exist` };
  const to = partOf(target);
  if (to === null) return { rule: "imports", message: `imports ${target}, which is in no part of the layout` };
  // A program that another part starts as a process is no import.
  if (one.kind === "worker" && [...project.entries, ...PUBLIC_ENTRIES].includes(target)) return null;
  if (from.part === to.part && from.folder === to.folder) return null;
  if (from.part.sideDoors?.some(({ file }) => file === target)) return null;
  if (isTest(path) && from.part === to.part) return null;
  if (isTest(path) && TEST_DOORS.some((door) => target === door || (door.endsWith("/") && target.startsWith(door)))) {
    return null;
  }
  const inside = target.slice(to.folder.length + 1);
  if (from.part === to.part) {
    if ((from.part.siblingDoors ?? []).includes(inside)) return null;
    return { rule: "imports", message: `imports ${target}: siblings are strangers${listed(from.part.siblingDoors)}` };
  }
  if (from.part.adapter === true && /(^|\/)(ports|definition)\.ts$/.test(inside)) return null;
  if (!from.part.mayImport.includes("*") && !from.part.mayImport.includes(to.part.name)) {
    return {
      rule: "imports",
      message: `imports ${target}: ${from.part.name} may import only ${from.part.mayImport.join(", ") || "nothing"}`,
    };
  }
  // Actors and what they share are one house; only siblings are strangers.
  if (from.part.house !== undefined && from.part.house === to.part.house) return null;
  const doors = to.part.doors ?? ["mod.ts"];
  if (doors.includes("*") || doors.includes(inside)) return null;
  if (isTest(path) && from.part.name === "test") return null;
  return { rule: "doors", message: `imports ${target}: the doors of ${to.folder} are ${doors.join(", ") || "closed"}` };
}

function listed(doors: readonly string[] | undefined): string {
  return doors === undefined ? "" : ` except for their ${doors.join(", ")}`;
}

/** Each library in one folder, and none that package.json holds in vain. */
export function vendorViolations(project: Project): readonly Violation[] {
  const found: Violation[] = [];
  const used = new Set<string>();
  for (const source of project.files.values()) {
    for (const { specifier, line } of source.imports) {
      if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
      const name = packageOf(specifier);
      used.add(name);
      if (isTest(source.path) && TEST_VENDORS.includes(name)) continue;
      const folders = VENDORS[name] ?? VENDORS[`${name.split("/")[0]}/*`];
      if (folders?.some((place) => source.path === place || source.path.startsWith(`${place}/`))) continue;
      const where = folders === undefined ? "tests only, or nowhere yet: add it to VENDORS" : folders.join(" and ");
      found.push({ rule: "vendors", path: source.path, line, message: `imports ${name}, which lives in ${where}` });
    }
  }
  for (const name of project.packages) {
    const tool = TOOL_PACKAGES.includes(name) || TOOL_PACKAGES.includes(`${name.split("/")[0]}/*`);
    if (!tool && !PROMISED_PACKAGES.includes(name) && !used.has(name)) {
      found.push({ rule: "vendors", path: "package.json", line: 1, message: `holds ${name}, which nothing imports` });
    }
  }
  return found;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Words that may not be written, each with what to write instead. */
export function banViolations(project: Project): readonly Violation[] {
  const found: Violation[] = [];
  for (const source of project.files.values()) {
    for (const ban of BANS) {
      if (mayWrite(ban, source.path)) continue;
      const text = ban.where === "text" ? source.text : source[ban.where];
      for (const match of text.matchAll(new RegExp(ban.pattern, `${ban.pattern.flags}g`))) {
        const line = lineAt(text, match.index);
        if (ban.name === "any" && excused(source, line)) continue;
        found.push({ rule: "bans", path: source.path, line, message: `${ban.name}: ${ban.instead}` });
      }
    }
  }
  return found;
}

function mayWrite(ban: Ban, path: string): boolean {
  // The bans are themselves written in the files that define and prove them.
  if (path.startsWith("test/tidy")) return true;
  if (ban.inTests === true && isTest(path)) return true;
  return ban.allowed.some((place) => path === place || path.startsWith(`${place}/`));
}

/** The line before says why the linter is told to look away. */
function excused(source: Source, line: number): boolean {
  return /biome-ignore lint\/suspicious\/noExplicitAny: \S/.test(source.comments.split("\n")[line - 2] ?? "");
}

/** Files that need each other at run time, each circle once. */
export function cycleViolations(project: Project): readonly Violation[] {
  const found: Violation[] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const visit = (path: string): void => {
    state.set(path, "open");
    trail.push(path);
    for (const { specifier, kind, line } of project.files.get(path)?.imports ?? []) {
      const target = kind === "value" ? resolve(project, path, specifier) : null;
      if (target === null || !project.files.has(target)) continue;
      if (state.get(target) === "open") {
        const circle = [...trail.slice(trail.indexOf(target)), target].join(" → ");
        found.push({ rule: "cycles", path, line, message: `closes a circle: ${circle}` });
      } else if (state.get(target) === undefined) visit(target);
    }
    trail.pop();
    state.set(path, "done");
  };
  for (const path of project.files.keys()) if (state.get(path) === undefined) visit(path);
  return found;
}

/** Files that no program, page or published door reaches. What only tests reach is dead too, unless it is for tests. */
export function deadFiles(project: Project): readonly Violation[] {
  const reached = reach(project, [...project.entries, ...PUBLIC_ENTRIES]);
  const fromTests = reach(
    project,
    [...project.files.keys()].filter((path) => isTest(path)),
  );
  const found: Violation[] = [];
  for (const path of project.files.keys()) {
    if (reached.has(path) || isTest(path)) continue;
    const forTests = TEST_DOORS.some((door) => path.startsWith(door.replace(/[^/]+\.ts$/, "")));
    if (fromTests.has(path) && forTests) continue;
    const reason = fromTests.has(path) ? "only tests use it" : "nothing uses it";
    found.push({ rule: "dead", path, line: 1, message: `is dead: ${reason}` });
  }
  return found;
}

function reach(project: Project, starts: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = starts.filter((path) => project.files.has(path));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of project.files.get(path)?.imports ?? []) {
      const target = resolve(project, path, specifier);
      if (target !== null && project.files.has(target)) waiting.push(target);
    }
  }
  return reached;
}

export function lengthViolations(project: Project): readonly Violation[] {
  return [...project.files.values()]
    .filter(({ lines }) => lines > MOST_LINES)
    .map(({ path, lines }) => ({
      rule: "length",
      path,
      line: lines,
      message: `has ${lines} lines; the most is ${MOST_LINES}: split it by phase`,
    }));
}

/** Files are called in lower case with dashes, so that a name is one spelling everywhere. */
export function nameViolations(project: Project): readonly Violation[] {
  return [...project.files.keys()]
    .filter((path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)*\.tsx?$/.test(path.split("/").at(-1) ?? ""))
    .map((path) => ({ rule: "names", path, line: 1, message: "is not called in lower case with dashes" }));
}

/** Every actor has the same files, and a test. */
export function actorViolations(project: Project): readonly Violation[] {
  const folders = new Set<string>();
  for (const path of project.files.keys()) {
    const at = partOf(path);
    if (at?.part.name === "actor") folders.add(at.folder);
  }
  return [...folders].flatMap((folder) => {
    const missing = ACTOR_FILES.filter((file) => !project.files.has(`${folder}/${file}`));
    const tested = [...project.files.keys()].some((path) => path.startsWith(`${folder}/`) && isTest(path));
    return [...missing, ...(tested ? [] : ["a test"])].map(
      (what): Violation => ({ rule: "actors", path: folder, line: 1, message: `lacks ${what}` }),
    );
  });
}

export const RULES: readonly ((project: Project) => readonly Violation[])[] = [
  importViolations,
  vendorViolations,
  banViolations,
  cycleViolations,
  deadFiles,
  lengthViolations,
  nameViolations,
  actorViolations,
];
