/**
 * The same PostgreSQL for several processes of one machine: on a port of the loopback, run and watched over by the
 * caller. Everybody on this machine may enter, so it is for development and tests.
 */
import { realpathSync } from "node:fs";
import path from "node:path";
import { type Clock, systemClock } from "../../../lib/clock.js";
import { type Log, silentLog } from "../../../lib/log.js";
import { findBinaries } from "./binaries.js";
import { lockDataDirectory } from "./data-directory-lock.js";
import { DATABASE, makeDatabase } from "./database.js";
import { decideRunAs } from "./run-as.js";
import { endLeftover, initialise, SETTINGS } from "./server.js";

export interface TcpServer {
  /** What starts the server in the foreground: program and arguments. Where the kernel can, it ends with its starter. */
  readonly words: readonly string[];
  readonly directory: string;
  /** The product's database on it. */
  readonly databaseUrl: string;
  /** Makes that database unless it is there. The server runs. */
  makeDatabase(): Promise<void>;
  /** Gives the data directory free, after the server has ended. */
  release(): Promise<void>;
}

/**
 * Makes the data (initdb, once) and says how to start the server. `dataDir` belongs to this process until `release`.
 * Throws EmbeddedPostgresError or DataDirectoryInUse.
 */
export async function prepareTcpServer(options: {
  dataDir: string;
  port: number;
  maxConnections: number;
  clock?: Clock;
  log?: Log;
}): Promise<TcpServer> {
  const { port, maxConnections, clock = systemClock(), log = silentLog } = options;
  const binaries = findBinaries();
  const lock = await lockDataDirectory({ dataDir: path.resolve(options.dataDir), clock, log });
  try {
    const dataDir = realpathSync(options.dataDir);
    const runAs = decideRunAs({ dataDir, paths: [path.dirname(binaries.postgres), dataDir] });
    const pgData = path.join(dataDir, "postgres");
    const place = { binaries, runAs, pgData, logFile: path.join(dataDir, "postgres.log"), socketDir: "", clock, log };
    await endLeftover(place);
    await initialise(place);
    const settings = {
      ...SETTINGS,
      listen_addresses: "127.0.0.1",
      port: String(port),
      unix_socket_directories: "",
      max_connections: String(maxConnections),
    };
    const address = `postgresql://postgres@127.0.0.1:${port}`;
    return {
      words: [
        ...runAs.prefix,
        binaries.postgres,
        "-D",
        pgData,
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      directory: path.dirname(binaries.postgres),
      databaseUrl: `${address}/${DATABASE}`,
      makeDatabase: () => makeDatabase(`${address}/postgres`),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
