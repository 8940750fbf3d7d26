/**
 * What befalls a node from outside, for real: its process, its database server and its payment sandbox are killed at
 * seeded moments. A moment is so many lines in the sandbox's ledger, plus a few seeded milliseconds, so that it falls
 * among orders under way on a slow machine as on a fast one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, sleep } from "../../src/lib/clock.js";
import type { Random } from "../../src/lib/random.js";

export type Victim = "node" | "database" | "payment sandbox";

export interface Mishap {
  readonly victim: Victim;
  /** So many lines the ledger has to have first. */
  readonly ledgerLines: number;
  readonly delayMs: number;
}

export interface Suffered extends Mishap {
  readonly killed: number;
  /** The process that took the dead one's place. */
  readonly replacedBy: number;
}

const LOOK_MS = 20;
const MOST_DELAY_MS = 400;

/** One mishap after another, spread over the first `ledgerLines` lines, each somewhere in its own share of them. */
export function planMishaps(random: Random, victims: readonly Victim[], ledgerLines: number): readonly Mishap[] {
  const share = ledgerLines / victims.length;
  return victims.map((victim, index) => ({
    victim,
    ledgerLines: 1 + Math.floor((index + random.next()) * share),
    delayMs: Math.floor(random.next() * MOST_DELAY_MS),
  }));
}

/** The node that suffers. */
export interface Sufferer {
  readonly dataDir: string;
  /** Of the process that is the node now, or null. */
  pid(): number | null;
  /** Whether it admits work. */
  isReady(): Promise<boolean>;
}

/** Lets them happen, each once the node is well again after the one before. Ends early when `signal` is aborted. */
export async function suffer(
  mishaps: readonly Mishap[],
  node: Sufferer,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Suffered[]> {
  const suffered: Suffered[] = [];
  const ledger = ledgerOf(node.dataDir);
  const until = async (done: () => boolean | Promise<boolean>): Promise<boolean> => {
    while (!(await done())) {
      if (signal.aborted) return false;
      await sleep(clock, LOOK_MS);
    }
    return true;
  };
  for (const mishap of mishaps) {
    const isDue = async (): Promise<boolean> =>
      linesOf(ledger) >= mishap.ledgerLines && pidOf(mishap.victim, node) !== null && (await node.isReady());
    if (!(await until(isDue))) return suffered;
    await sleep(clock, mishap.delayMs);
    const killed = pidOf(mishap.victim, node);
    if (killed === null) throw new Error(`the ${mishap.victim} is gone before anybody killed it`);
    process.kill(killed, "SIGKILL");
    let replacedBy: number | null = null;
    const isBack = (): boolean => {
      const now = pidOf(mishap.victim, node);
      replacedBy = now === killed ? null : now;
      return replacedBy !== null;
    };
    if (!(await until(isBack)) || replacedBy === null) return suffered;
    suffered.push({ ...mishap, killed, replacedBy });
  }
  return suffered;
}

function pidOf(victim: Victim, node: Sufferer): number | null {
  switch (victim) {
    case "node":
      return node.pid();
    case "database":
      return readyDatabaseOf(node.dataDir);
    case "payment sandbox":
      return processWith(`--ledger ${ledgerOf(node.dataDir)}`);
  }
}

const ledgerOf = (dataDir: string): string => join(dataDir, "payment-sandbox.jsonl");

function linesOf(file: string): number {
  return textOf(file).split("\n").length - 1;
}

/** PostgreSQL writes its process id into the first line of this file and how it is into the eighth. */
function readyDatabaseOf(dataDir: string): number | null {
  const lines = textOf(join(dataDir, "postgres", "postgres", "postmaster.pid")).split("\n");
  const pid = Number(lines[0]);
  return lines[7]?.trim() === "ready" && Number.isSafeInteger(pid) && pid > 1 ? pid : null;
}

/** The living process whose command line holds this text. */
function processWith(words: string): number | null {
  if (!existsSync("/proc/self/cmdline")) {
    const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" });
    const line = stdout.split("\n").find((each) => each.includes(words));
    return line === undefined ? null : Number.parseInt(line, 10);
  }
  const pid = readdirSync("/proc").find(
    (name) => /^\d+$/.test(name) && textOf(`/proc/${name}/cmdline`).replaceAll("\0", " ").includes(words),
  );
  return pid === undefined ? null : Number(pid);
}

/** Empty when it cannot be read: the file may not be there yet, the process may be gone. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
