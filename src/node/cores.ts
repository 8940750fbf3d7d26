/**
 * How many cores this process may use. `availableParallelism()` of Node 20 and 22 counts those that it may run on, and
 * knows nothing of a container's limit (`docker run --cpus`, `resources.limits.cpu`), which is a share of the time of all
 * of them: on a machine of 32 cores a node that may use two would start the threads of 32 and be stopped by the scheduler
 * for most of every tenth of a second, with all who listen to it.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/** Where Linux tells of it; there is nothing there elsewhere. */
export interface CgroupFiles {
  /** Which groups this process is in. */
  readonly ofProcess: string;
  /** Where the groups are. */
  readonly root: string;
}

const LINUX: CgroupFiles = { ofProcess: "/proc/self/cgroup", root: "/sys/fs/cgroup" };

/** Whole cores, at least one: a part of a core is left to what is not a thread of ours. */
export function usableCores(available = availableParallelism(), files = LINUX): number {
  return Math.max(1, Math.min(available, Math.floor(quotaCores(files))));
}

/** The tightest of the limits of the groups around this process; Infinity where there is none. */
function quotaCores({ ofProcess, root }: CgroupFiles): number {
  let most = Number.POSITIVE_INFINITY;
  for (const line of textOf(ofProcess).split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isUnified = controllers === "";
    if (!isUnified && !controllers.split(",").includes("cpu")) continue;
    const read = isUnified ? unifiedCores : quotaFileCores;
    // In a container the path is often the one that the host sees, and its own group lies at the top.
    for (const group of groupsAround(path)) {
      for (const mount of isUnified ? [root, join(root, "unified")] : [join(root, controllers), join(root, "cpu")])
        most = Math.min(most, read(join(mount, group)));
    }
  }
  return most;
}

/** `/a/b` lies in `/a`, which lies in `/`. */
function groupsAround(path: string): readonly string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== "..");
  return Array.from({ length: names.length + 1 }, (_, length) => names.slice(0, length).join("/"));
}

/** Version 2: `200000 100000`, or `max 100000`. */
function unifiedCores(group: string): number {
  const [quota, period] = textOf(join(group, "cpu.max")).trim().split(" ");
  return ratio(quota, period);
}

/** Version 1: `-1` is no limit. */
function quotaFileCores(group: string): number {
  return ratio(textOf(join(group, "cpu.cfs_quota_us")), textOf(join(group, "cpu.cfs_period_us")));
}

function ratio(quota: string | undefined, period: string | undefined): number {
  const cores = Number.parseInt(quota ?? "", 10) / Number.parseInt(period ?? "", 10);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
