/**
 * A payment provider of our own to try everything against: a small HTTP server with its own ledger on disk, slow as
 * banks are, and failing as often as it is told to. It believes nothing but what is in its file.
 *
 * `POST /operations` with an operation answers `{ outcome }`, `{ refused }` or `{ unavailable }`; `GET /operations/<key>`
 * answers `{ outcome }` or `{ outcome: null }`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, sleep } from "../../../lib/clock.js";
import { type Random, seededRandom } from "../../../lib/random.js";
import type { Operation } from "./book.js";
import { openLedger } from "./ledger.js";

export interface SandboxSettings {
  /** The address to listen on. Default: this machine alone. */
  readonly host?: string;
  readonly port: number;
  readonly ledgerPath: string;
  readonly seed: number;
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** Shares from 0 to 1, each drawn on its own. The bank says no. */
  readonly declineRate: number;
  /** Answers `unavailable` without having done anything. */
  readonly errorRate: number;
  /** Does it, and cuts the connection instead of answering. */
  readonly lostRate: number;
  /** Does it, and answers only after `lateMs`. */
  readonly lateRate: number;
  readonly lateMs: number;
  /** The request arrives twice at once, as when a proxy repeats it. */
  readonly duplicateRate: number;
}

export const defaultSandboxSettings: Omit<SandboxSettings, "ledgerPath"> = {
  port: 0,
  seed: 1,
  latencyMinMs: 50,
  latencyMaxMs: 150,
  declineRate: 0,
  errorRate: 0,
  lostRate: 0,
  lateRate: 0,
  lateMs: 8_000,
  duplicateRate: 0,
};

export interface Sandbox {
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 16 * 1024;

export async function startSandbox(settings: SandboxSettings, clock: Clock): Promise<Sandbox> {
  const ledger = await openLedger(settings.ledgerPath);
  const random = seededRandom(settings.seed);
  /** Lines on their way to the disk: a repeat of theirs waits for the same sync. */
  const syncing = new Map<string, Promise<void>>();

  async function perform(operation: Operation, decline: boolean): Promise<object> {
    const answer = ledger.book.apply(operation, clock.now(), decline);
    if (!answer.ok) return { refused: answer.problem };
    if (answer.entry !== null) {
      const synced = ledger.append(answer.entry);
      syncing.set(operation.key, synced);
      await synced.finally(() => syncing.delete(operation.key));
    } else {
      await syncing.get(operation.key);
    }
    return { outcome: answer.outcome };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const plan = drawPlan(random, settings);
    const path = request.url ?? "/";
    const body = await readBody(request);
    await sleep(clock, plan.latencyMs);
    if (request.method === "GET" && path.startsWith("/operations/")) {
      const key = decodeURIComponent(path.slice("/operations/".length));
      return send(response, { outcome: ledger.book.outcomeOf(key) });
    }
    const operation =
      request.method === "POST" && path === "/operations" && body !== null ? parseOperation(body) : null;
    if (operation === null) return send(response, { refused: "no such operation" });
    if (plan.error) return send(response, { unavailable: "try again" });
    const twice = plan.duplicate ? perform(operation, plan.decline) : null;
    const answer = await perform(operation, plan.decline);
    await twice;
    if (plan.lost) {
      request.socket.destroy();
      return;
    }
    if (plan.late) await sleep(clock, settings.lateMs);
    send(response, answer);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      process.stderr.write(`payment sandbox: ${String(error)}\n`);
      request.socket.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, settings.host ?? "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await ledger.close();
    },
  };
}

interface Plan {
  readonly latencyMs: number;
  readonly decline: boolean;
  readonly error: boolean;
  readonly lost: boolean;
  readonly late: boolean;
  readonly duplicate: boolean;
}

/** Draws the same number of times for every request, so that one setting does not shift the others' draws. */
function drawPlan(random: Random, settings: SandboxSettings): Plan {
  const { latencyMinMs, latencyMaxMs } = settings;
  return {
    latencyMs: latencyMinMs + random.next() * (latencyMaxMs - latencyMinMs),
    decline: random.next() < settings.declineRate,
    error: random.next() < settings.errorRate,
    lost: random.next() < settings.lostRate,
    late: random.next() < settings.lateRate,
    duplicate: random.next() < settings.duplicateRate,
  };
}

function send(response: ServerResponse, body: object): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

/** Null when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk as Buffer);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString("utf8");
}

const text = (value: unknown): value is string => typeof value === "string" && value.length > 0 && value.length <= 200;
const minor = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The operation with exactly its own fields, or null. */
function parseOperation(body: string): Operation | null {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (typeof raw !== "object" || raw === null) return null;
  const { op, key, orderId, authoriseKey, amountMinor, currency, method } = raw;
  if (!text(key) || !text(orderId)) return null;
  switch (op) {
    case "authorise":
      if (!minor(amountMinor) || !text(currency) || !text(method)) return null;
      return { op, key, orderId, amountMinor, currency, method };
    case "capture":
    case "refund":
      if (!minor(amountMinor) || !text(authoriseKey)) return null;
      return { op, key, orderId, authoriseKey, amountMinor };
    case "void":
      return text(authoriseKey) ? { op, key, orderId, authoriseKey } : null;
    default:
      return null;
  }
}
