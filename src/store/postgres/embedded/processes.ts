/** What can be known of other processes: whether one still lives, and whether it is the one it was. */
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { type Clock, sleep } from "../../../lib/clock.js";

/** A process and no other: a process id is used again, the pair of it and the start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever unit the system counts. */
  readonly started: string;
  /** Within which process ids and start times mean anything: one boot of one kernel, one container. */
  readonly world: string;
}

const onLinux = process.platform === "linux";

export function identityOf(pid: number): ProcessIdentity | null {
  const started = startedAt(pid);
  return started === null ? null : { pid, started, world: thisWorld() };
}

function thisWorld(): string {
  if (!onLinux) return process.platform;
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
}

/** "dead" is proven; "foreign" means that this process cannot be judged from here. */
export function judgeProcess(identity: ProcessIdentity): "alive" | "dead" | "foreign" {
  if (identity.world !== thisWorld()) return "foreign";
  if (!exists(identity.pid)) return "dead";
  const started = startedAt(identity.pid);
  return started === null || started === identity.started ? "alive" : "dead";
}

/** True while a process has this id, zombies excepted. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return !onLinux || procStat(pid)?.[0] !== "Z";
}

/** The command line, as one text; null when it cannot be read. */
export function commandLine(pid: number): string | null {
  if (onLinux) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    } catch {
      return null;
    }
  }
  return ps(pid, "command=");
}

/** Sends `signal`; false when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Resolves true when the process is gone, false after `timeoutMs`. */
export async function waitUntilGone(clock: Clock, pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = clock.monotonic() + timeoutMs;
  while (exists(pid)) {
    if (clock.monotonic() >= deadline) return false;
    await sleep(clock, 10);
  }
  return true;
}

/** `/proc/pid/stat` from the state letter on: the name before it may hold anything, even parentheses. */
function procStat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

function startedAt(pid: number): string | null {
  // Field 22 of the file, in clock ticks since the boot.
  return onLinux ? (procStat(pid)?.[19] ?? null) : ps(pid, "lstart=");
}

function ps(pid: number, column: string): string | null {
  const { status, stdout } = spawnSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8" });
  return status === 0 && stdout.trim() !== "" ? stdout.trim() : null;
}
