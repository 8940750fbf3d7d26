import { openSync, readdirSync, readFileSync, readSync } from "node:fs";

/** Linux counts process time in ticks of 1/100 s (`getconf CLK_TCK`), whatever the kernel's own frequency. */
const TICKS_PER_SECOND = 100;

export interface ProcessUsage {
  /** User and system time of the whole process, in seconds, counted in ticks. */
  readonly cpuSeconds: number;
  /** The same of the threads that live, to the nanosecond; NaN where the kernel does not tell. */
  readonly exactCpuSeconds: number;
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
  return { cpuSeconds, exactCpuSeconds: threadSeconds(pid), residentBytes: Number(resident?.[1] ?? 0) * 1024 };
}

function threadSeconds(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    // No such file in this kernel, or a thread has just ended: ticks are left.
    return Number.NaN;
  }
  return nanoseconds / 1e9;
}

/** What is cut off where both ends are counted in whole ticks, of user and of system time. */
const CUT_OFF_SECONDS = 2 / TICKS_PER_SECOND;

/**
 * Processor time between two looks at the same process, in seconds. To the nanosecond while its threads live: a bare server
 * uses ten ticks in a short measurement, and one of them is a tenth. When a thread has ended meanwhile, in ticks.
 */
export function cpuSecondsBetween(before: ProcessUsage, after: ProcessUsage): number {
  const ticks = after.cpuSeconds - before.cpuSeconds;
  const exact = after.exactCpuSeconds - before.exactCpuSeconds;
  return Math.abs(exact - ticks) <= CUT_OFF_SECONDS ? exact : ticks;
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
  return { cpuSeconds, exactCpuSeconds: Number.NaN, residentBytes };
}

/** proc(5): 16 cutime, 17 cstime. */
function endedChildrenSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

/** Processor time of the calling thread so far, in milliseconds: what it waited for a core is not in it. Linux only. */
export function threadClock(): () => number {
  const file = openSync("/proc/thread-self/schedstat", "r");
  const text = Buffer.alloc(64);
  return () => Number(text.toString("latin1", 0, readSync(file, text, 0, 64, 0)).split(" ")[0]) / 1_000_000;
}
