/**
 * One node per data directory, without waiting for anybody's timeout: a restarted node proves that the old process is
 * dead and takes over at once.
 *
 * Every node that wants the directory first puts down a ticket that names its process (id and start time), then looks
 * at the others' tickets. Of two that live, the later one to look sees the other, so at most one goes on; when both see
 * each other, both give way. A ticket names one process for ever, so removing a dead one's ticket is always right: there
 * is no race between "it is stale" and "remove it", which a single lock file has.
 *
 * A process of another boot or container cannot be judged by its id. Its ticket is watched: a living node touches its
 * ticket every second.
 */
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Clock, sleep } from "../../../lib/clock.js";
import type { Log } from "../../../lib/log.js";
import { systemRandom } from "../../../lib/random.js";
import { identityOf, judgeProcess, type ProcessIdentity } from "./processes.js";

const HEARTBEAT_MS = 1_000;
const FOREIGN_WATCH_MS = 6_000;
const TICKET = /^node-.+\.lock$/;

/** Another living node uses the directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = "DataDirectoryInUse";
}

export interface DataDirectoryLock {
  release(): Promise<void>;
}

/** Takes the directory (made when it is not there) for this process. Throws DataDirectoryInUse. */
export async function lockDataDirectory(options: {
  dataDir: string;
  clock: Clock;
  log: Log;
}): Promise<DataDirectoryLock> {
  const { dataDir, clock, log } = options;
  await mkdir(dataDir, { recursive: true });
  const mine = identityOf(process.pid);
  if (mine === null) throw new Error("This process cannot see itself; is /proc mounted?");
  // The random part tells two attempts of one process apart.
  const name = `node-${mine.pid}-${mine.started.replace(/\W+/g, "_")}-${Buffer.from(systemRandom().bytes(4)).toString("hex")}.lock`;
  const ticket = path.join(dataDir, name);
  // Named only when complete, so that nobody reads half a ticket.
  await writeFile(`${ticket}.new`, JSON.stringify(mine));
  await rename(`${ticket}.new`, ticket);
  try {
    for (const other of await readdir(dataDir)) {
      if (other === name || !TICKET.test(other)) continue;
      await judgeTicket(path.join(dataDir, other), dataDir, clock, log);
    }
  } catch (error) {
    await rm(ticket, { force: true });
    throw error;
  }
  const stopHeartbeat = clock.every(HEARTBEAT_MS, () => {
    const now = new Date(clock.now());
    utimes(ticket, now, now).catch((error: Error) => {
      log.warn({ ticket, error: error.message }, "The lock of the data directory cannot be touched.");
    });
  });
  return {
    async release() {
      stopHeartbeat();
      await rm(ticket, { force: true });
    },
  };
}

/** Removes the ticket of a dead node; throws when its node lives. */
async function judgeTicket(file: string, dataDir: string, clock: Clock, log: Log): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return;
  const holder = parseTicket(text);
  const verdict = holder === null ? "foreign" : judgeProcess(holder);
  const alive = verdict === "alive" || (verdict === "foreign" && (await isTouched(file, clock)));
  if (alive) {
    throw new DataDirectoryInUse(
      `The data directory ${dataDir} is used by another running node${holder === null ? "" : ` (process ${holder.pid})`}. Stop it, or give this node a directory of its own with --data-dir.`,
    );
  }
  log.info({ pid: holder?.pid }, "The node that used this data directory before is dead: taking it over.");
  await rm(file, { force: true });
}

function parseTicket(text: string): ProcessIdentity | null {
  try {
    const { pid, started, world } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === "number" && typeof started === "string" && typeof world === "string"
      ? { pid, started, world }
      : null;
  } catch {
    return null;
  }
}

/** Whether somebody touches or removes the file while we look. Compares the file with itself, never with our clock. */
async function isTouched(file: string, clock: Clock): Promise<boolean> {
  const modified = async (): Promise<number | null> => (await stat(file).catch(() => null))?.mtimeMs ?? null;
  const before = await modified();
  const deadline = clock.monotonic() + FOREIGN_WATCH_MS;
  while (clock.monotonic() < deadline) {
    await sleep(clock, 250);
    const now = await modified();
    if (now === null) return false;
    if (now !== before) return true;
  }
  return false;
}
