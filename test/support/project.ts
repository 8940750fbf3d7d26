/** The project as its tests read it: from the sources, wherever the compiled test lies. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** The folder with tsconfig.json above a folder, whatever folder the build wrote to. */
export function projectAbove(folder: string): string {
  if (existsSync(join(folder, "tsconfig.json"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("there is no tsconfig.json above this folder");
  return projectAbove(above);
}

export const ROOT = projectAbove(import.meta.dirname);

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Files below these folders whose path fits, relative to the root, with forward slashes, sorted. */
export function filesBelow(folders: readonly string[], fits: (path: string) => boolean): readonly string[] {
  return folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`),
    )
    .map((path) => path.split(sep).join("/"))
    .filter((path) => !/(^|\/)(node_modules|dist|\.build)\//.test(path) && fits(path))
    .sort();
}

export interface PackageJson {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

export function packageJson(): PackageJson {
  return JSON.parse(readText("package.json")) as PackageJson;
}
