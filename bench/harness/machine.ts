/** What a run was made on: ratios carry to other machines, absolutes do not. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { systemClock } from "../../src/lib/clock.js";

export interface Machine {
  readonly at: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly version: string;
  /** Before the run: what else the machine was doing. */
  readonly loadAverages: readonly number[];
}

const PACKAGE = new URL("../../../package.json", import.meta.url);

export function describeMachine(): Machine {
  const { version } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string };
  return {
    at: new Date(systemClock().now()).toISOString(),
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()}`,
    node: process.version,
    version,
    loadAverages: loadavg().map((load) => Number(load.toFixed(2))),
  };
}
