/** Express, Socket.IO over the Redis adapter, and pg: one process, put together. See `bench/peers/README.md`. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { Server } from "socket.io";
import { systemClock } from "../../../src/lib/clock.js";
import { systemRandom } from "../../../src/lib/random.js";
import { startSandboxProcess } from "../../../src/services/payments/mod.js";
import { serveProgram } from "../../harness/serve.js";
import type { OrdersAudit, OrdersPlan, PositionsPlan, ProgramOptions, ReadsPlan } from "../ports.js";
import { openDispatch } from "./dispatch.js";
import { openHttp } from "./http.js";
import { openInbox } from "./inbox.js";
import { openLive } from "./live.js";
import { type OrderRow, SQL } from "./orders-sql.js";
import { openPayments } from "./payments.js";
import { TABLES } from "./schema.js";
import { seedOrders, seedPositions, seedReads } from "./seed.js";
import { openShop, type Shop } from "./shop.js";

/** Enough for commits to share the disk's flushes on a small machine. */
const CONNECTIONS = 20;

await serveProgram(async ({ scenario, databaseUrl, redisUrl, plan }: ProgramOptions) => {
  if (databaseUrl === null || redisUrl === null) throw new Error("This program needs a database and Redis.");
  const clock = systemClock();
  const random = systemRandom();
  const pool = new Pool({ connectionString: databaseUrl, max: CONNECTIONS });
  pool.on("error", () => undefined);
  await pool.query(TABLES);
  const redis = new Redis(redisUrl, { enableAutoPipelining: true });
  const adapterRedis = [new Redis(redisUrl), new Redis(redisUrl)] as const;
  const directory = mkdtempSync(join(tmpdir(), "swift-peer-"));
  const sandbox = scenario === "orders" ? await startSandboxProcess(join(directory, "ledger")) : null;
  const payments = openPayments(sandbox?.url ?? "http://127.0.0.1:9");
  const positions = ["gps", "fanout", "connect"].includes(scenario) ? (plan as PositionsPlan) : null;
  const reads = ["menu", "poll"].includes(scenario) ? (plan as ReadsPlan) : null;
  if (scenario === "orders") await seedOrders(pool, plan as OrdersPlan);
  if (positions !== null) await seedPositions(pool, positions);
  if (reads !== null) await seedReads(pool, redis, reads);

  const http = createServer();
  const io = new Server(http, {
    transports: ["websocket"],
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    adapter: createAdapter(adapterRedis[0], adapterRedis[1]),
  });
  const inbox =
    scenario === "orders"
      ? openInbox({
          pool,
          clock,
          say: (recipient, type, body) => void io.to(recipient).emit(type, body),
          placeOf: (restaurantId) => shop.menu(restaurantId),
        })
      : null;
  const customerOf = async (orderId: string) => {
    const order = (await pool.query<OrderRow>({ ...SQL.order, values: [orderId] })).rows[0];
    return order === undefined ? null : { customerId: order.customer_id, order };
  };
  const live = openLive(io, redis, customerOf, inbox);
  const dispatch = openDispatch({ pool, redis, live, clock, random });
  const shop: Shop = openShop({
    pool,
    payments,
    live,
    clock,
    random,
    wanted: (order, menu) => dispatch.wanted(order, menu),
  });
  await shop.resume();
  for (const [i, orderId] of (positions?.orderIds ?? []).entries()) live.carries(positions!.driverIds[i]!, orderId);
  http.on(
    "request",
    openHttp({
      shop,
      dispatch,
      pool,
      redis,
      reads: {
        from: scenario === "poll" ? "redis" : "database",
        paths: reads?.documents.map(({ path }) => path) ?? [],
        compressed: reads?.compressed ?? false,
        now: () => clock.monotonic(),
      },
    }),
  );
  http.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { address, port } = http.address() as AddressInfo;

  return {
    address: { host: address, port },
    async answer(): Promise<OrdersAudit> {
      const { rows } = await pool.query<{ delivered: string; captured: string | null }>(
        `SELECT (SELECT count(*) FROM orders WHERE status = 'delivered') AS delivered,
           (SELECT sum(amount_minor) FROM ledger_entry WHERE account = 'clearing') AS captured`,
      );
      return { delivered: Number(rows[0]!.delivered), capturedMinor: Number(rows[0]!.captured ?? 0) };
    },
    async stop() {
      dispatch.close();
      inbox?.close();
      await io.close();
      payments.close();
      await sandbox?.stop();
      for (const each of [redis, ...adapterRedis]) each.disconnect();
      await pool.end();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});
