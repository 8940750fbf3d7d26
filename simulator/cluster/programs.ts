/** Server programs that come in no package of Node: where they are, and what to do when they are not there. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { processEnvironment } from "../../config/mod.js";
import { CannotStartCluster } from "./types.js";

/** Program → Debian's package. */
export const PROGRAMS = { "redis-server": "redis-server", "nats-server": "nats-server" } as const;
export type Program = keyof typeof PROGRAMS;

/** Where Debian puts servers, which is not on everybody's path. */
const MORE_PLACES = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/** The full path, or null. */
export function findProgram(name: Program): string | null {
  const places = [...(processEnvironment().PATH ?? "").split(delimiter), ...MORE_PLACES];
  return places.map((place) => join(place, name)).find(canRun) ?? null;
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The full paths. Throws CannotStartCluster with everything that is missing and what to do. */
export function requirePrograms(): Readonly<Record<Program, string>> {
  const names = Object.keys(PROGRAMS) as Program[];
  const found = Object.fromEntries(names.map((name) => [name, findProgram(name)])) as Record<Program, string | null>;
  const absent = names.filter((name) => found[name] === null);
  if (absent.length > 0) {
    const packages = absent.map((name) => PROGRAMS[name]).join(" ");
    throw new CannotStartCluster(
      `${absent.join(" and ")} ${absent.length === 1 ? "is" : "are"} not installed. On Debian or Ubuntu: apt-get install ${packages}. On macOS: brew install ${packages.replace("redis-server", "redis")}. With Docker instead: docker compose -f deploy/compose.yaml up.`,
    );
  }
  return found as Record<Program, string>;
}
