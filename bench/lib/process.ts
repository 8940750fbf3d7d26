import { readdirSync, readFileSync } from "node:fs";

/** Linux counts process time in ticks of 1/100 s (`getconf CLK_TCK`), whatever the kernel's own frequency. */
const TICKS_PER_SECOND = 100;

export interface ProcessUsage {
  /** User and system time of the whole process, in seconds. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

/** What the operating system says of a process; throws when it is gone. Linux only (`/proc`). */
export function usageOf(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name stands in parentheses and may hold spaces: fields count from behind it (proc(5): 14 utime, 15 stime).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return { cpuSeconds, residentBytes: Number(resident?.[1] ?? 0) * 1024 };
}

/** A process with its children, as a server has that serves each connection by one. Those that have ended count too. */
export function usageOfTree(pid: number): ProcessUsage {
  const own = usageOf(pid);
  let cpuSeconds = own.cpuSeconds + endedChildrenSeconds(pid);
  let { residentBytes } = own;
  for (const name of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) !== pid) continue;
      const child = usageOf(Number(name));
      cpuSeconds += child.cpuSeconds;
      residentBytes += child.residentBytes;
    } catch {
      // It has just ended.
    }
  }
  return { cpuSeconds, residentBytes };
}

/** proc(5): 16 cutime, 17 cstime. */
function endedChildrenSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}
