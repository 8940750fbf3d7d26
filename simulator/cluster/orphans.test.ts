import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { missingProgram } from "../../test/support/servers.js";

const clock = systemClock();
const script = fileURLToPath(new URL("./fixtures/run-cluster.js", import.meta.url));
const absent = missingProgram("nats") || missingProgram("redis");

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(clock, 10);
};

/** A dead process whose parent has not asked for its end yet is dead all the same. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

interface Told {
  readonly child: ChildProcess;
  readonly pids: readonly number[];
  readonly dataDir: string;
}

/** Runs a cluster with one node in a process of its own. */
async function elsewhere(t: Test): Promise<Told> {
  const child = spawn(process.execPath, ["--enable-source-maps", script, "1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the cluster did not start: ${code}`)));
  });
  const told = JSON.parse(line) as { pids: number[]; dataDir: string };
  t.teardown(() => rmSync(told.dataDir, { recursive: true, force: true }));
  t.ok(told.pids.every(lives));
  return { child, ...told };
}

/** On Linux: the processes that `pid` has started and that still live. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

t.test(
  "no server and no node outlives a killed program, not even a paused one; its data is removed",
  { skip: absent },
  async (t) => {
    const { child, pids, dataDir } = await elsewhere(t);
    process.kill(pids.at(-1)!, "SIGSTOP");
    child.kill("SIGKILL");
    await until(() => !pids.some(lives));
    await until(() => !existsSync(dataDir));
    t.pass("all are gone");
  },
);

t.test(
  "nor one whose warden is killed with it",
  { skip: absent || (process.platform === "linux" ? false : "only Linux ends a process with its parent") },
  async (t) => {
    const { child, pids } = await elsewhere(t);
    const helpers = childrenOf(child.pid!);
    // The warden is the parent of the servers; the payment sandbox is the program's own child.
    t.equal(helpers.length, 2);
    const wardens = helpers.filter((pid) => !pids.includes(pid));
    t.equal(wardens.length, 1);
    process.kill(wardens[0]!, "SIGSTOP");
    child.kill("SIGKILL");
    process.kill(wardens[0]!, "SIGKILL");
    await until(() => !pids.some(lives));
    t.pass("all are gone");
  },
);
