/**
 * The yardstick of the polling load: nothing but the native HTTP server that a node stands on, answering the same bytes
 * out of a map, or out of Redis by one GET a request (pipelined by the client). It asks nobody who they are, counts
 * nothing and limits nothing. Started by `poll.ts`.
 */

import * as uWS from "uWebSockets.js";
import { Redis } from "ioredis";
import { type FromBare, ORDER_PATH, REDIS_PATH, type ToBare } from "./poll-messages.js";

const say = (message: FromBare): void => void process.send?.(message);
const KEY = "bench:poll:";

/** The headers of a node's answer to a poll. */
function write(res: uWS.HttpResponse, body: string): void {
  res.cork(() => {
    res.writeStatus("200 OK");
    res.writeHeader("x-content-type-options", "nosniff");
    res.writeHeader("referrer-policy", "no-referrer");
    res.writeHeader("x-frame-options", "DENY");
    res.writeHeader("content-type", "application/json");
    res.writeHeader("etag", '"t5-1700000000000"');
    res.writeHeader("cache-control", "private, no-cache");
    res.end(body);
  });
}

async function serve({ orders, redisUrl }: ToBare): Promise<void> {
  const bodies = new Map(orders.map(({ orderId, body }) => [orderId, body]));
  const redis = redisUrl === null ? null : new Redis(redisUrl, { enableAutoPipelining: true });
  if (redis !== null) for (const { orderId, body } of orders) await redis.set(KEY + orderId, body);
  const app = uWS.App();
  app.get(`${ORDER_PATH}:orderId/track`, (res, req) => {
    const body = bodies.get(req.getParameter(0) ?? "");
    if (body === undefined) res.writeStatus("404 Not Found").end();
    else write(res, body);
  });
  app.get(`${REDIS_PATH}:orderId/track`, (res, req) => {
    let gone = false;
    res.onAborted(() => {
      gone = true;
    });
    const answer = (body: string | null): void => {
      if (gone) return;
      if (body === null) res.cork(() => void res.writeStatus("404 Not Found").end());
      else write(res, body);
    };
    redis?.get(KEY + (req.getParameter(0) ?? "")).then(answer, () => answer(null));
  });
  app.listen("127.0.0.1", 0, (socket) => {
    if (!socket) throw new Error("The bare server found no port to listen on.");
    say({ t: "listening", port: uWS.us_socket_local_port(socket) });
  });
}

process.once("message", (message: ToBare) => void serve(message));
process.on("disconnect", () => process.exit(0));
say({ t: "ready" });
