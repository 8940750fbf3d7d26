/**
 * Processes that come to rest before they are measured: their garbage collected, their memory and their idle time steady,
 * and their code as compiled as it will be.
 */
import { readFileSync } from "node:fs";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { cpuSecondsBetween, type ProcessUsage, usageOf } from "../lib/process.js";

const clock = systemClock();
const COLLECTOR = new URL("./collector.js", import.meta.url).href;
/** A second, so that as many windows in a row are as many seconds. */
const WINDOW_MS = 1_000;
const ALIKE_SHARE = 0.25;
/** Of a core: less than this is nobody's figure. */
const ALIKE_CORES = 0.01;
const REST_WITHIN_MS = 60_000;
const WEIGH_EVERY_MS = 2_000;
const SAME_WEIGHT_SHARE = 0.003;
const MOST_WEIGHINGS = 12;
/** Less than that is what two measurements of the same differ by. */
const CHEAPER_SHARE = 0.05;
const TIMES_WITHOUT_GAIN = 2;

/** For the command line of a process that is to understand `collectGarbage`. */
export const COLLECTABLE: readonly string[] = [`--import=${COLLECTOR}`];

function signal(pids: readonly number[], name: "SIGWINCH" | "SIGUSR2"): void {
  for (const pid of new Set(pids))
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(COLLECTOR)) process.kill(pid, name);
}

/** Asks those of them that understand it. It is done some moments later. What is compiled stays. */
export const collectGarbage = (pids: readonly number[]): void => signal(pids, "SIGWINCH");

/** The same, and everything that can be made anew is given back to the machine. */
export const giveBack = (pids: readonly number[]): void => signal(pids, "SIGUSR2");

/** What the processes hold when nothing more can be collected, in bytes. */
export async function weightOf(pids: readonly number[]): Promise<number> {
  let last = Number.POSITIVE_INFINITY;
  for (let weighed = 0; ; weighed++) {
    giveBack(pids);
    await sleep(clock, WEIGH_EVERY_MS);
    const bytes = pids.reduce((sum, pid) => sum + usageOf(pid).residentBytes, 0);
    if (Math.abs(last - bytes) <= SAME_WEIGHT_SHARE * bytes || weighed >= MOST_WEIGHINGS) return bytes;
    last = bytes;
  }
}

export interface Rest {
  /** Of each group: processor seconds a second without load. */
  readonly shares: readonly number[];
  /** False: they were at work all the time, and the shares are only the last ones. */
  readonly isSteady: boolean;
}

/** Waits until what each group of processes uses without load is the same for so many seconds. */
export async function atRest(groups: readonly (readonly number[])[], forSeconds: number): Promise<Rest> {
  const history: number[][] = groups.map(() => []);
  const until = clock.monotonic() + REST_WITHIN_MS;
  for (;;) {
    const before: ProcessUsage[][] = groups.map((pids) => pids.map(usageOf));
    const began = clock.monotonic();
    await sleep(clock, WINDOW_MS);
    const seconds = (clock.monotonic() - began) / 1000;
    for (const [i, pids] of groups.entries()) {
      const used = pids.reduce((sum, pid, n) => sum + cpuSecondsBetween(before[i]![n]!, usageOf(pid)), 0);
      history[i] = [...history[i]!, used / seconds].slice(-forSeconds);
    }
    const isSteady = history.every((shares) => shares.length >= forSeconds && areAlike(shares));
    if (isSteady || clock.monotonic() > until)
      return {
        shares: history.map((shares) => shares.reduce((sum, share) => sum + share, 0) / shares.length),
        isSteady,
      };
  }
}

/** Whether the last windows of a process tell the same. */
export function areAlike(shares: readonly number[]): boolean {
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return most - least <= Math.max(ALIKE_CORES, ALIKE_SHARE * most);
}

/** Whether an operation has got no cheaper, under any load, the last times; `costs` by time and load, in any one unit. */
export function isWarm(costs: readonly (readonly number[])[]): boolean {
  const earlier = costs.slice(0, -TIMES_WITHOUT_GAIN);
  const latest = costs.slice(-TIMES_WITHOUT_GAIN);
  if (earlier.length === 0) return false;
  const least = (times: readonly (readonly number[])[], load: number): number =>
    Math.min(...times.map((each) => each[load]!));
  return earlier[0]!.every((_, load) => least(latest, load) > (1 - CHEAPER_SHARE) * least(earlier, load));
}
