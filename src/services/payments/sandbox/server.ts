/**
 * A payment provider of our own to try everything against: a small HTTP server with its own ledger on disk, slow as
 * banks are, and failing as often as it is told to. It believes nothing but what is in its file.
 *
 * `POST /operations` with an operation answers `{ outcome }`, `{ refused }` or `{ unavailable }`; `GET /operations/<key>`
 * answers `{ outcome }` or `{ outcome: null }`. `POST /webhooks` with `{ url, secret }` says where to tell by itself what
 * was done. `GET /ledger?from&to&after&limit`, `POST /ledger/keys` and `GET /ledger/held` are its books.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, sleep } from "../../../lib/clock.js";
import { type Random, seededRandom } from "../../../lib/random.js";
import { type Operation, SILENT_METHOD, SLOW_METHOD } from "./book.js";
import { openLedger } from "./ledger.js";
import { heldOf, movementsOf } from "./movements.js";
import { createWebhooks, type WebhookTarget } from "./webhooks.js";

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
  /** Where to tell what was done, from the start on; null: once somebody asks for it. */
  readonly webhook: WebhookTarget | null;
  /** Of the webhooks: never sent, sent twice, sent only after up to `webhookLateMs`. */
  readonly webhookLostRate: number;
  readonly webhookDuplicateRate: number;
  readonly webhookLateRate: number;
  readonly webhookLateMs: number;
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
  webhook: null,
  webhookLostRate: 0,
  webhookDuplicateRate: 0,
  webhookLateRate: 0,
  webhookLateMs: 5_000,
};

export interface Sandbox {
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;

export async function startSandbox(settings: SandboxSettings, clock: Clock): Promise<Sandbox> {
  const ledger = await openLedger(settings.ledgerPath);
  const random = seededRandom(settings.seed);
  const webhooks = createWebhooks(settings, clock);
  /** Lines on their way to the disk: a repeat of theirs waits for the same sync. */
  const syncing = new Map<string, Promise<void>>();

  async function perform(operation: Operation, decline: boolean): Promise<object> {
    const answer = ledger.book.apply(operation, clock.now(), decline);
    if (!answer.ok) return { refused: answer.problem };
    if (answer.entry !== null) {
      const synced = ledger.append(answer.entry);
      syncing.set(operation.key, synced);
      await synced.finally(() => syncing.delete(operation.key));
      webhooks.tell(answer.entry);
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
      // What is on its way to the disk is not done yet.
      await syncing.get(key);
      return send(response, { outcome: ledger.book.outcomeOf(key) });
    }
    if (request.method === "GET" && path.startsWith("/ledger")) return send(response, books(path));
    if (request.method === "POST" && path === "/ledger/keys") {
      const keys = new Set((parseJson(body ?? "") as { readonly keys?: readonly string[] } | null)?.keys ?? []);
      const known = ledger.entries.filter(({ operation }) => keys.has(operation.key));
      return send(response, { movements: movementsOf(known, ledger.book) });
    }
    if (request.method === "POST" && path === "/webhooks") {
      const wanted = parseJson(body ?? "") as Partial<WebhookTarget> | null;
      if (!text(wanted?.url) || !text(wanted?.secret)) return send(response, { refused: "no url, or no secret" });
      webhooks.aim({ url: wanted.url, secret: wanted.secret });
      return send(response, { webhooks: wanted.url });
    }
    const operation =
      request.method === "POST" && path === "/operations" && body !== null ? parseOperation(body) : null;
    if (operation === null) return send(response, { refused: "no such operation" });
    const method = operation.op === "authorise" ? operation.method : "";
    // Whoever asked gives up sooner or later.
    if (method === SILENT_METHOD) return;
    if (plan.error) return send(response, { unavailable: "try again" });
    const twice = plan.duplicate ? perform(operation, plan.decline) : null;
    const answer = await perform(operation, plan.decline);
    await twice;
    if (plan.lost) {
      request.socket.destroy();
      return;
    }
    if (plan.late || method === SLOW_METHOD) await sleep(clock, settings.lateMs);
    send(response, answer);
  }

  function books(path: string): object {
    const query = new URL(path, "http://sandbox").searchParams;
    if (path === "/ledger/held") return { held: heldOf(ledger.book) };
    const number = (name: string, otherwise: number): number => Number(query.get(name) ?? otherwise);
    const [from, to, after] = [number("from", 0), number("to", Number.MAX_VALUE), number("after", 0)];
    const wanted = ledger.entries.filter(({ at, number }) => at >= from && at < to && number > after);
    return { movements: movementsOf(wanted, ledger.book).slice(0, Math.min(number("limit", 500), 1_000)) };
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
      webhooks.close();
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

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
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
  const raw = parseJson(body) as Record<string, unknown> | null;
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
