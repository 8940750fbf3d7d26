/**
 * Socket.IO with connection state recovery, as its documentation advises for clients that must miss nothing: every event
 * is written to PostgreSQL and numbered there before anybody hears of it, recovery fills what a short break took, and a
 * client that could not be recovered says up to where it has read and gets the rest from the database.
 *
 * See `bench/peers/README.md` for why each choice is fair.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "pg";
import { Server } from "socket.io";
import { serveProgram } from "../../harness/serve.js";
import type { ProgramOptions } from "../ports.js";

/** Long enough for a tunnel; the documentation's example keeps two minutes, and every restore searches what is kept. */
const RECOVERY_MS = 30_000;
const CONNECTIONS = 10;
const MAX_BODY_BYTES = 16 * 1024;

const TABLES = `
  CREATE TABLE channel (name text PRIMARY KEY, top bigint NOT NULL);
  CREATE TABLE event (
    channel text NOT NULL, position bigint NOT NULL, type text NOT NULL, body jsonb NOT NULL,
    PRIMARY KEY (channel, position)
  )`;

/** One round trip and one commit: the row lock on the channel makes the positions rise without holes. */
const APPEND = {
  name: "append",
  text: `WITH next AS (
      INSERT INTO channel (name, top) VALUES ($1, 1)
      ON CONFLICT (name) DO UPDATE SET top = channel.top + 1 RETURNING top
    )
    INSERT INTO event (channel, position, type, body) SELECT $1, top, $2, $3 FROM next RETURNING position`,
};
const SINCE = {
  name: "since",
  text: "SELECT position, type, body FROM event WHERE channel = $1 AND position > $2 ORDER BY position",
};

interface Handshake {
  readonly channel: string;
  /** What the client has handled; 0: nothing. */
  readonly position: number;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

await serveProgram(async ({ databaseUrl }: ProgramOptions) => {
  if (databaseUrl === null) throw new Error("This program needs a database.");
  const pool = new Pool({ connectionString: databaseUrl, max: CONNECTIONS });
  pool.on("error", () => undefined);
  await pool.query(TABLES);
  const http = createServer((request, response) => {
    const publish = async (): Promise<void> => {
      const { channel, type, body } = JSON.parse(await textOf(request)) as {
        readonly channel: string;
        readonly type: string;
        readonly body: unknown;
      };
      const { rows } = await pool.query<{ position: string }>({
        ...APPEND,
        values: [channel, type, JSON.stringify(body)],
      });
      const position = Number(rows[0]!.position);
      io.to(channel).emit("event", { position, type, body });
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ position }));
    };
    if (request.method === "POST" && request.url === "/events") publish().catch(() => response.destroy());
    else response.destroy();
  });
  const io = new Server(http, {
    transports: ["websocket"],
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS, skipMiddlewares: true },
  });
  io.on("connection", (socket) => {
    if (socket.recovered) return;
    const { channel, position } = socket.handshake.auth as Handshake;
    // First into the room, then the past: what happens meanwhile comes twice rather than never, and the client sorts it.
    void socket.join(channel);
    pool
      .query<{ position: string; type: string; body: unknown }>({ ...SINCE, values: [channel, position] })
      .then(({ rows }) => {
        const missed = rows.map((row) => ({ position: Number(row.position), type: row.type, body: row.body }));
        socket.emit("missed", missed);
      })
      .catch(() => socket.disconnect(true));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { address, port } = http.address() as AddressInfo;
  return {
    address: { host: address, port },
    async stop() {
      await io.close();
      await pool.end();
    },
  };
});
