/**
 * As whom PostgreSQL runs. It refuses to run as root, so a node that is root hands it to another user through setpriv;
 * and it shall end with its node, so setpriv asks the kernel for a signal at the parent's death.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, lchownSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { EmbeddedPostgresError } from "./binaries.js";

export interface RunAs {
  /** Put before a command: `[...prefix, binary, ...arguments]`. May be empty. */
  readonly prefix: readonly string[];
  /** Gives a file or directory to the user that runs PostgreSQL. */
  own(file: string): void;
  /**
   * Makes a directory of data one that PostgreSQL takes: a copy, as of a backup, belongs to whoever made it, and others may
   * look into it.
   */
  adopt(directory: string): void;
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Users that may run the server when the node is root, in order of preference. */
const CANDIDATES = ["postgres", "nobody", "daemon"];

/**
 * Decides for this process. `paths` are what the server must reach: its binaries and its data. Throws
 * EmbeddedPostgresError when the node is root and no other user can reach them.
 */
export function decideRunAs(options: { dataDir: string; paths: readonly string[] }): RunAs {
  const setpriv = spawnSync("setpriv", ["--help"], { encoding: "utf8" });
  const canBindLife = setpriv.status === 0 && setpriv.stdout.includes("--pdeathsig");
  if (process.getuid?.() !== 0) {
    // Fast shutdown (SIGINT) at the node's death. Without setpriv the next start ends what this one left behind.
    return { prefix: canBindLife ? ["setpriv", "--pdeathsig", "INT"] : [], own: () => {}, adopt: closeToOthers };
  }
  if (!canBindLife) {
    throw new EmbeddedPostgresError(
      "PostgreSQL refuses to run as root and setpriv (util-linux) is not there to change the user. Run the node as another user, or set DATABASE_URL.",
    );
  }
  const user = chooseUser(options.dataDir);
  const unreachable = options.paths.map((target) => firstBarrier(target, user)).find((barrier) => barrier !== null);
  const capability = unreachable === undefined ? null : passageCapability();
  if (unreachable !== undefined && capability === null) {
    throw new EmbeddedPostgresError(
      `PostgreSQL refuses to run as root, so it runs as the user ${user.name}, who may not enter ${unreachable}. Run the node as another user, or move it below a directory that everybody may enter (chmod o+x ${unreachable}), or set DATABASE_URL.`,
    );
  }
  // A private directory above (mktemp, /root): the server gets the one capability that lets it pass, and no other.
  const passage = capability === null ? [] : [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`];
  return {
    prefix: [
      "setpriv",
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      "--clear-groups",
      ...passage,
      "--pdeathsig",
      "INT",
    ],
    own: (file) => chownSync(file, user.uid, user.gid),
    adopt(directory) {
      if (statSync(directory).uid !== user.uid) giveAll(directory, user);
      closeToOthers(directory);
    },
  };
}

/** Links are given, not what they lead to. */
function giveAll(directory: string, user: User): void {
  lchownSync(directory, user.uid, user.gid);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) giveAll(file, user);
    else lchownSync(file, user.uid, user.gid);
  }
}

/** PostgreSQL refuses a directory that others may read, or its group may write. */
function closeToOthers(directory: string): void {
  if ((statSync(directory).mode & 0o027) !== 0) chmodSync(directory, 0o700);
}

/** The owner of existing data, else the first candidate that this machine knows. */
function chooseUser(dataDir: string): User {
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const owner = statIfThere(path.join(dataDir, "postgres")) ?? statIfThere(dataDir);
  const byData = owner !== null && owner.uid !== 0 ? users.find(({ uid }) => uid === owner.uid) : undefined;
  const user = byData ?? CANDIDATES.map((name) => users.find((known) => known.name === name)).find(Boolean);
  if (user === undefined) {
    throw new EmbeddedPostgresError(
      `PostgreSQL refuses to run as root, and none of the users ${CANDIDATES.join(", ")} is known here. Run the node as another user, or set DATABASE_URL.`,
    );
  }
  return user;
}

/** The uppermost directory on the way to `target` that the user may not enter, or null. Access lists are not looked at. */
function firstBarrier(target: string, user: User): string | null {
  const above: string[] = [];
  for (let at = path.resolve(target); ; at = path.dirname(at)) {
    above.unshift(at);
    if (at === path.dirname(at)) break;
  }
  for (const directory of above) {
    const stats = statIfThere(directory);
    if (stats === null) return null;
    const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
    if (((stats.mode >> shift) & 1) === 0) return directory;
  }
  return null;
}

const statIfThere = (file: string): Stats | null => statSync(file, { throwIfNoEntry: false }) ?? null;

/** Which capability this process can hand on to let another user pass closed directories (capabilities(7)). */
function passageCapability(): string | null {
  const status = readFileSync("/proc/self/status", "utf8");
  const permitted = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const has = (bit: bigint): boolean => ((permitted & bounding) >> bit) % 2n === 1n;
  if (has(2n)) return "dac_read_search";
  return has(1n) ? "dac_override" : null;
}
