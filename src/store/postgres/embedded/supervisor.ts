/**
 * The embedded PostgreSQL of a node that was given no database: real, durable, and nobody has to look after it.
 *
 * Owns: the lock of the data directory, the server process and its restarts. Does not own the schema (`migrate`) nor
 * any connection but the one that makes the database.
 *
 * Invariants: two nodes never run on one data directory; a server that this node did not start is ended and waited for
 * before another starts; the server ends with its node, killed or not (where the kernel offers it, else at the next
 * start); while the node lives, a server that dies comes back, from a full disk as soon as somebody has made room.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { type Clock, sleep } from "../../../lib/clock.js";
import type { Log } from "../../../lib/log.js";
import { EmbeddedPostgresError, findBinaries } from "./binaries.js";
import { lockDataDirectory } from "./data-directory-lock.js";
import { DATABASE, makeDatabase } from "./database.js";
import { decideRunAs } from "./run-as.js";
import {
  end,
  endLeftover,
  exitOf,
  initialise,
  lacksRoom,
  makeSocketDir,
  type ServerPlace,
  start,
  trimLog,
} from "./server.js";

const LOG_TRIM_MS = 60_000;
/** This many deaths within the window, and starts that failed after one: somebody has to look. */
const MAX_DEATHS = 10;
const DEATHS_WINDOW_MS = 60_000;
/** How often it is tried whether a full disk has room again. */
const ROOM_MS = 5_000;

export interface EmbeddedPostgres {
  readonly connectionString: string;
  /** The process id of the server now running, for tools and tests. */
  pid(): number | undefined;
  /** Shuts the server down in order and gives the data directory free. */
  stop(): Promise<void>;
  /** Called once when the server is gone for good although nobody stopped it. */
  onExit(listener: (reason: Error) => void): void;
  /** Called each time the server died and is up again. */
  onRestart(listener: () => void): void;
}

/**
 * Starts PostgreSQL on `dataDir` (made and initialised when it is new). Call it on the main thread: the kernel ties the
 * server's life to the thread that started it. Throws EmbeddedPostgresError, or DataDirectoryInUse when another living
 * node has the directory.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  log: Log;
  clock: Clock;
  /** Connections that it must have room for. Default 100. */
  maxConnections?: number;
}): Promise<EmbeddedPostgres> {
  if (!isMainThread) throw new EmbeddedPostgresError("The embedded PostgreSQL must be started on the main thread.");
  const { clock, maxConnections } = options;
  const log = options.log.child({ part: "embedded-postgres" });
  const binaries = findBinaries();
  const lock = await lockDataDirectory({ dataDir: path.resolve(options.dataDir), clock, log });
  try {
    const dataDir = realpathSync(options.dataDir);
    const runAs = decideRunAs({ dataDir, paths: [path.dirname(binaries.postgres), dataDir] });
    const short = `swift-eats-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}`;
    const place: ServerPlace = {
      binaries,
      runAs,
      pgData: path.join(dataDir, "postgres"),
      logFile: path.join(dataDir, "postgres.log"),
      socketDir: "",
      clock,
      log,
      ...(maxConnections === undefined ? {} : { maxConnections }),
    };
    await endLeftover(place);
    await initialise(place);
    const withSocket = { ...place, socketDir: await makeSocketDir(dataDir, runAs, short) };
    return await supervise(withSocket, () => lock.release());
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function supervise(place: ServerPlace, release: () => Promise<void>): Promise<EmbeddedPostgres> {
  const { clock, log } = place;
  const began = clock.monotonic();
  let child = await start(place);
  const exitListeners: ((reason: Error) => void)[] = [];
  const restartListeners: (() => void)[] = [];
  const deaths: number[] = [];
  let stopping: Promise<void> | undefined;

  let recovering: Promise<void> = Promise.resolve();

  const watch = (): void => {
    const watched = child;
    void exitOf(watched).then((how) => {
      if (stopping !== undefined) return;
      log.error({ pid: watched.pid, how }, "The database server died: starting it again.");
      recovering = recover().catch((error: Error) => {
        log.error({ error: error.message }, "The database server is gone for good.");
        for (const listener of exitListeners) listener(error);
      });
    });
  };
  const recover = async (): Promise<void> => {
    const began = clock.monotonic();
    // Only here: a start that fails belongs to the death before it, however long a slow machine takes to fail.
    while (deaths.length > 0 && deaths[0]! < began - DEATHS_WINDOW_MS) deaths.shift();
    for (let isFull = lacksRoom(place), said = false; stopping === undefined; ) {
      // A full disk is no fault of the server's: somebody will make room, in a minute or in the morning.
      if (!isFull) deaths.push(clock.monotonic());
      else if (!said) log.error({}, "The disk has no room for the database server: it is tried again until there is.");
      said = isFull;
      if (deaths.length >= MAX_DEATHS) {
        throw new EmbeddedPostgresError(
          `PostgreSQL died or did not start ${deaths.length} times and does not stay up; see ${place.logFile}.`,
        );
      }
      // At once the first time; then slower, so that a server that cannot live does not eat the machine.
      await sleep(clock, isFull ? ROOM_MS : 100 * (2 ** (deaths.length - 1) - 1));
      try {
        child = await start(place);
      } catch (error) {
        isFull = lacksRoom(place, error);
        if (!isFull) log.error({ error: String(error) }, "The database server does not start again.");
        continue;
      }
      if (stopping !== undefined) return;
      watch();
      log.info({ pid: child.pid, tookMs: Math.round(clock.monotonic() - began) }, "The database server is up again.");
      for (const listener of restartListeners) listener();
      return;
    }
  };
  watch();
  const stopTrimming = clock.every(LOG_TRIM_MS, () => trimLog(place.logFile));
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      stopTrimming();
      await recovering;
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await end(place, child.pid);
      await release();
    })();
    return stopping;
  };

  try {
    await makeDatabase(connectionStringOf(place.socketDir, "postgres"));
  } catch (error) {
    await stop();
    throw error;
  }
  log.info({ pid: child.pid, tookMs: Math.round(clock.monotonic() - began) }, "The database server is up.");
  return {
    connectionString: connectionStringOf(place.socketDir, DATABASE),
    pid: () => child.pid,
    stop,
    onExit: (listener) => void exitListeners.push(listener),
    onRestart: (listener) => void restartListeners.push(listener),
  };
}

/** The form that libpq's tools read too. */
export function connectionStringOf(socketDir: string, database: string): string {
  return `postgresql:///${database}?host=${encodeURIComponent(socketDir)}&user=postgres`;
}
