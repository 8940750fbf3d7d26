/**
 * Documents that are read far more often than they change. A menu comes from PostgreSQL, is kept for a second in the
 * process with its tag and, once, compressed; what is polled comes from Redis with every request, because any of several
 * processes may be asked.
 */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants } from "node:zlib";
import { type Request, type RequestHandler, type Response, Router } from "express";
import type { Redis } from "ioredis";
import type { Pool } from "pg";

export interface Reads {
  readonly from: "database" | "redis";
  readonly paths: readonly string[];
  readonly compressed: boolean;
  readonly now: () => number;
}

interface Kept {
  readonly until: number;
  readonly body: Buffer;
  readonly brotli: Buffer | null;
  readonly tag: string;
}

const KEEP_MS = 1_000;
const BROTLI_QUALITY = 5;
const NOT_MODIFIED = 304;
const DOCUMENT = { name: "document", text: "SELECT body FROM document WHERE path = $1" };
export const redisKeyOf = (path: string): string => `document:${path}`;

const tagOf = (body: Buffer | string): string => `"${createHash("sha1").update(body).digest("base64url")}"`;

export function openReads({ pool, redis }: { readonly pool: Pool; readonly redis: Redis }, reads: Reads): Router {
  const kept = new Map<string, Kept>();
  const router = Router({ caseSensitive: true, strict: true });

  async function fromDatabase(path: string): Promise<Kept | null> {
    const { rows } = await pool.query<{ body: string }>({ ...DOCUMENT, values: [path] });
    if (rows[0] === undefined) return null;
    const body = Buffer.from(rows[0].body);
    const tag = tagOf(body);
    const before = kept.get(path);
    const brotli =
      before?.tag === tag
        ? before.brotli
        : reads.compressed
          ? brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } })
          : null;
    const read: Kept = { until: reads.now() + KEEP_MS, body, brotli, tag };
    kept.set(path, read);
    return read;
  }
  function send(request: Request, response: Response, tag: string, body: Buffer | string): void {
    response.setHeader("etag", tag);
    response.setHeader("cache-control", "private, no-cache");
    if (request.headers["if-none-match"] === tag) response.status(NOT_MODIFIED).end();
    else {
      response.setHeader("content-type", "application/json");
      response.setHeader("content-length", Buffer.byteLength(body));
      response.end(body);
    }
  }
  const handle: RequestHandler = async (request, response, next) => {
    const { path } = request;
    if (reads.from === "redis") {
      const body = await redis.get(redisKeyOf(path));
      if (body === null) next();
      else send(request, response, tagOf(body), body);
      return;
    }
    const known = kept.get(path);
    const read = known !== undefined && known.until > reads.now() ? known : await fromDatabase(path);
    if (read === null) next();
    else if (read.brotli !== null && String(request.headers["accept-encoding"]).includes("br")) {
      response.setHeader("content-encoding", "br");
      response.setHeader("vary", "accept-encoding");
      send(request, response, read.tag, read.brotli);
    } else send(request, response, read.tag, read.body);
  };
  // The paths are the harness' own: one pattern stands for them as one route does in an application.
  const parents = new Set(reads.paths.map((path) => path.slice(0, path.indexOf("/", 4) + 1)));
  for (const parent of parents) router.get(`${parent}*rest`, handle);
  return router;
}
