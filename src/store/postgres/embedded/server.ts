/**
 * One PostgreSQL server process on one data directory: made, started, seen ready, stopped, and taken down when an
 * earlier node left it behind. Does not own when that happens (`supervisor.ts`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Clock, sleep } from "../../../lib/clock.js";
import type { Log } from "../../../lib/log.js";
import { EmbeddedPostgresError, type PostgresBinaries } from "./binaries.js";
import { commandLine, exists, signal, waitUntilGone } from "./processes.js";
import type { RunAs } from "./run-as.js";

export interface ServerPlace {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  /** PostgreSQL's own directory, inside the node's. */
  readonly pgData: string;
  readonly socketDir: string;
  readonly logFile: string;
  /** When more than usual are needed. */
  readonly maxConnections?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** A Unix socket's path may hold 107 bytes; PostgreSQL appends "/.s.PGSQL.5432.lock" to the directory. */
const MAX_SOCKET_DIR_BYTES = 85;
const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** After kill -9 of the postmaster its children hold the shared memory until they notice. */
const START_RETRY_MS = 20_000;
/** Crash recovery of a large log takes its time. */
const READY_TIMEOUT_MS = 300_000;

/**
 * Sized for a small machine. Durable: fsync and full_page_writes stay on, and a commit is answered when it is on disk.
 * A checkpoint every five minutes bounds what a crash recovery has to read.
 */
export const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  max_connections: "100",
  shared_buffers: "128MB",
  huge_pages: "off",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  wal_buffers: "16MB",
  max_wal_size: "2GB",
  min_wal_size: "256MB",
  checkpoint_timeout: "5min",
  random_page_cost: "1.1",
  io_method: "sync",
  jit: "off",
  deadlock_timeout: "200ms",
  autovacuum_naptime: "10s",
  log_min_messages: "warning",
  log_checkpoints: "off",
};

/** A private directory for the socket: beside the data where its path is short enough, else below the temporary one. */
export async function makeSocketDir(dataDir: string, runAs: RunAs, short: string): Promise<string> {
  const beside = path.join(dataDir, "run");
  const socketDir = Buffer.byteLength(beside) <= MAX_SOCKET_DIR_BYTES ? beside : path.join(tmpdir(), short);
  if (Buffer.byteLength(socketDir) > MAX_SOCKET_DIR_BYTES) {
    throw new EmbeddedPostgresError(`No directory for PostgreSQL's socket is short enough: ${socketDir}.`);
  }
  // Made anew each time: whatever lies there under our name may be somebody else's, with a socket that listens to us.
  await rm(socketDir, { recursive: true, force: true });
  await mkdir(socketDir, { mode: 0o700 });
  const made = await lstat(socketDir);
  if (!made.isDirectory() || (made.mode & 0o077) !== 0) {
    throw new EmbeddedPostgresError(`${socketDir} is not a private directory.`);
  }
  runAs.own(socketDir);
  return socketDir;
}

/** initdb, once: into a directory beside it that gets its name when it is complete. */
export async function initialise(place: ServerPlace): Promise<void> {
  const { pgData, runAs, binaries } = place;
  if (statSync(path.join(pgData, "PG_VERSION"), { throwIfNoEntry: false }) !== undefined) return runAs.adopt(pgData);
  const unfinished = `${pgData}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  runAs.own(unfinished);
  const [file, ...rest] = [...runAs.prefix, binaries.initdb];
  const settings = ["--auth=trust", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const child = spawn(file!, [...rest, "-D", unfinished, "-U", "postgres", ...settings, "--data-checksums"], {
    cwd: path.dirname(binaries.initdb),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    });
  }
  const code = await exitOf(child);
  if (code !== 0) throw new EmbeddedPostgresError(`initdb failed (${code}):\n${output}`);
  await rename(unfinished, pgData);
}

/** Ends a server that an earlier node left on this data: SIGINT first, and harder when it does not go. */
export async function endLeftover(place: ServerPlace): Promise<void> {
  const { pgData, log } = place;
  const pidFile = path.join(pgData, "postmaster.pid");
  let lines: string[];
  try {
    lines = readFileSync(pidFile, "utf8").split("\n");
  } catch {
    return;
  }
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !exists(pid)) return;
  if (!commandLine(pid)?.includes(pgData)) {
    // Another process has the dead postmaster's id. PostgreSQL would not start; the other lines it needs to know.
    log.info({ pid }, "The process id of an earlier database server belongs to another process now.");
    writeFileSync(pidFile, ["2147483646", ...lines.slice(1)].join("\n"));
    return;
  }
  log.warn({ pid }, "An earlier node left its database server running: ending it.");
  await end(place, pid);
}

/** Fast shutdown, then immediate, then none at all. Resolves when the process is gone. */
export async function end(place: ServerPlace, pid: number): Promise<void> {
  const { clock, log } = place;
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ["SIGINT", 15_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000],
  ];
  for (const [name, patienceMs] of steps) {
    if (!signal(pid, name)) return;
    if (await waitUntilGone(clock, pid, patienceMs)) return;
    log.warn({ pid, signal: name, patienceMs }, "The database server does not end.");
  }
  throw new EmbeddedPostgresError(`The database server ${pid} does not end.`);
}

/** Starts the server and resolves when it takes connections. Throws EmbeddedPostgresError with the log's last lines. */
export async function start(place: ServerPlace): Promise<ChildProcess> {
  const { clock, log } = place;
  const retryUntil = clock.monotonic() + START_RETRY_MS;
  for (;;) {
    trimLog(place.logFile);
    const logged = statSync(place.logFile, { throwIfNoEntry: false })?.size ?? 0;
    const child = launch(place);
    if (await isReady(place, child)) {
      // The node's own work keeps it alive, not its database.
      child.unref();
      return child;
    }
    const last = readFileSync(place.logFile).subarray(logged).toString().slice(-2_000);
    const retry = /pre-existing shared memory|postmaster\.pid|could not create lock file/.test(last);
    if (!retry || clock.monotonic() >= retryUntil) {
      throw new EmbeddedPostgresError(`PostgreSQL does not start. The end of ${place.logFile}:\n${last}`);
    }
    log.info({}, "What is left of an earlier database server is still there: trying again.");
    await sleep(clock, 100);
  }
}

function launch(place: ServerPlace): ChildProcess {
  const { runAs, binaries, pgData, socketDir, logFile } = place;
  const log = openSync(logFile, "a", 0o600);
  try {
    const [file, ...rest] = [...runAs.prefix, binaries.postgres];
    const most = Math.max(place.maxConnections ?? 0, Number(SETTINGS.max_connections));
    const wanted = { ...SETTINGS, max_connections: String(most) };
    const settings = Object.entries(wanted).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    // A session of its own: Ctrl-C in the node's terminal must not end the database before the node has drained.
    const child = spawn(file!, [...rest, "-D", pgData, "-k", socketDir, ...settings], {
      cwd: path.dirname(binaries.postgres),
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.on("error", (error) => place.log.error({ error: error.message }, "The database server cannot be launched."));
    return child;
  } finally {
    closeSync(log);
  }
}

/** False when the process ended instead. The status is the eighth line of the file that names the postmaster. */
async function isReady(place: ServerPlace, child: ChildProcess): Promise<boolean> {
  const { clock, log, pgData } = place;
  const began = clock.monotonic();
  let told = began;
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const lines = readLines(path.join(pgData, "postmaster.pid"));
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return true;
    const now = clock.monotonic();
    if (now - began > READY_TIMEOUT_MS) {
      await end(place, child.pid);
      return false;
    }
    if (now - told > 5_000) {
      told = now;
      log.info({ waitedMs: Math.round(now - began) }, "The database server recovers from a crash: waiting.");
    }
    await sleep(clock, 5);
  }
  return false;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

/** Less than the server needs to come up: a file of its log, and some more. */
const LEAST_ROOM_BYTES = 32 * 1024 * 1024;

/** Whether it is for want of room that the server does not run. Its own log may have had none for saying so. */
export function lacksRoom({ pgData }: ServerPlace, why?: unknown): boolean {
  if (/No space left on device|Disk quota exceeded/.test(String(why))) return true;
  try {
    const { bavail, bsize } = statfsSync(pgData);
    return bavail * bsize < LEAST_ROOM_BYTES;
  } catch {
    return false;
  }
}

/** The server appends, so a file cut to nothing is simply written on. */
export function trimLog(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && stats.size > MAX_LOG_BYTES) truncateSync(file, 0);
}

/** The exit code, or the name of the signal, or why it could not be launched. */
export function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signalName) => resolve(code ?? signalName ?? "unknown"));
  });
}
