/**
 * Where test files keep what they throw away again: in memory where there is room for it. They make and remove some
 * forty databases of a thousand files each, and a file system on a disk looks at every file that was removed a minute
 * ago for each new one (ext4: a second of the kernel's time for a database). Nothing that a test proves is lost: what
 * dies in them are processes, and what a process has written lies in the kernel's memory either way.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const IN_MEMORY = "/dev/shm";
const NAME = "swift-eats-tests-";
const TMPFS = 0x01021994;
const GIB = 1024 ** 3;
/** The whole suite takes less than half of it at its most. */
const ROOM_BYTES = 6 * GIB;
/** Beside it the tests themselves need memory, and so does whatever else runs on the machine. */
const FREE_BYTES = 12 * GIB;

export interface Scratch {
  /** For `TMPDIR`; null: the system's own. */
  readonly directory: string | null;
  /** Removes it with all that is left in it. */
  remove(): void;
}

/**
 * @param chosen What `TMPDIR` says already: whoever sets it knows better.
 * @param place Where it is made; null: there is no room.
 */
export function makeScratch(chosen: string | undefined, place = hasRoom() ? IN_MEMORY : null): Scratch {
  if ((chosen !== undefined && chosen !== "") || place === null) return { directory: null, remove: () => {} };
  sweep(place);
  const directory = mkdtempSync(join(place, `${NAME}${process.pid}-`));
  // As the system's own: a database server that runs as another user has to reach its files.
  chmodSync(directory, 0o1777);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

function hasRoom(): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(IN_MEMORY);
    return type === TMPFS && bavail * bsize >= ROOM_BYTES && freemem() >= FREE_BYTES;
  } catch {
    return false;
  }
}

/** What runs left behind that were ended before they could remove it. */
function sweep(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = name.startsWith(NAME) ? Number.parseInt(name.slice(NAME.length), 10) : 0;
    if (pid > 0 && !isAlive(pid)) rmSync(join(place, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
