/**
 * The limit of everything read over HTTP: nothing but the native server that a node stands on, answering the same bytes
 * with the same headers out of a map, or out of Redis by one GET a request (pipelined by the client). It asks nobody who
 * they are, counts nothing and limits nothing.
 */
import * as uWS from "uWebSockets.js";
import { Redis } from "ioredis";
import { serveProgram } from "../harness/serve.js";

export interface Held {
  readonly path: string;
  /** As a node sent them; those that the server writes itself are left out. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}
export interface HttpOptions {
  readonly documents: readonly Held[];
  /** Null: from the map only. */
  readonly redisUrl: string | null;
}
/** Before a document's path: answered out of Redis. */
export const REDIS_PREFIX = "/redis";

const KEY = "bench:limit:";

function write(res: uWS.HttpResponse, { headers }: Held, body: Uint8Array): void {
  res.writeStatus("200 OK");
  for (const [name, value] of headers) res.writeHeader(name, value);
  res.end(body);
}

await serveProgram(async ({ documents, redisUrl }: HttpOptions) => {
  const held = new Map(documents.map((document) => [document.path, document]));
  const redis = redisUrl === null ? null : new Redis(redisUrl, { enableAutoPipelining: true });
  if (redis !== null) for (const { path, body } of documents) await redis.set(KEY + path, Buffer.from(body));
  const app = uWS.App();
  app.get("/*", (res, req) => {
    const query = req.getQuery();
    const path = query === "" || query === undefined ? req.getUrl() : `${req.getUrl()}?${query}`;
    if (redis === null || !path.startsWith(REDIS_PREFIX)) {
      const document = held.get(path);
      if (document === undefined) res.writeStatus("404 Not Found").end();
      else write(res, document, document.body);
      return;
    }
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
    });
    const asked = path.slice(REDIS_PREFIX.length);
    const document = held.get(asked);
    const answer = (body: Buffer | null): void => {
      if (isGone) return;
      res.cork(() => {
        if (body === null || document === undefined) res.writeStatus("404 Not Found").end();
        else write(res, document, body);
      });
    };
    redis.getBuffer(KEY + asked).then(answer, () => answer(null));
  });
  const port = await new Promise<number>((resolve, reject) => {
    app.listen("127.0.0.1", 0, (socket) => {
      if (socket) resolve(uWS.us_socket_local_port(socket));
      else reject(new Error("The bare server found no port to listen on."));
    });
  });
  return {
    address: { host: "127.0.0.1", port },
    async stop() {
      app.close();
      redis?.disconnect();
    },
  };
});
