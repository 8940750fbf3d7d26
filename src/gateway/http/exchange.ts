/**
 * One HTTP request and its one answer: the wrapper that every route passes. Owns reading what the native request holds
 * (it is gone when the callback returns), the abort handler, the body's bound, writing the answer, its headers.
 *
 * Invariants: every request is answered once or has been aborted; nothing touches the native response after that; a
 * handler that throws answers `internal`; at most `maxRequests` wait at once, and of bodies that have not come whole no
 * more than `maxUnfinishedBytes` are held, whoever sends them.
 */
import { jsonCodec, type ScanLimits } from "../../protocol/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import type { NativeRequest, NativeResponse } from "../native.js";
import { count } from "../stats.js";
import { type Answer, problem, takenCodings } from "./answer.js";
import { problemOf, statusText } from "./problem.js";
import { sendBody } from "./sending.js";

export interface Exchange {
  /** Null on routes that need no token. */
  principal: Principal | null;
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
  readonly idempotencyKey: string;
  readonly ifNoneMatch: string;
  readonly userAgent: string;
  /** Of a signed body: what the sender says to prove it. */
  readonly signature: string;
  /** Where the request comes from, as limits count it. */
  readonly address: string;
  readonly acceptsGzip: boolean;
  readonly acceptsBrotli: boolean;
  readonly lastEventId: string;
  readonly notAfter: string;
  /** The parsed body; an empty object where there was none. */
  body: unknown;
  /** The bytes of the body; kept only where `keepsBytes` asks for them. */
  bytes: Uint8Array;
  keepsBytes: boolean;
  readonly res: NativeResponse;
  readonly corsOrigin: string;
  /** Whether an answer may depend on the origin. */
  readonly byOrigin: boolean;
  readonly headOnly: boolean;
  aborted: boolean;
  answered: boolean;
  /** What else to do when the client has gone. */
  onAbort: (() => void) | null;
  /** The native abort handler is set. */
  watched: boolean;
}

const NOTHING = new Uint8Array(0);

export type Handler = (exchange: Exchange) => Answer | Promise<Answer>;

/** `params`: names of the path's parameters in order. To be called within the native callback. */
export function openExchange(
  context: GatewayContext,
  res: NativeResponse,
  req: NativeRequest,
  params: readonly string[],
  headOnly: boolean,
): Exchange {
  const named: Record<string, string> = {};
  params.forEach((name, i) => {
    named[name] = decoded(req.getParameter(i) ?? "");
  });
  const taken = takenCodings(req.getHeader("accept-encoding"));
  const exchange: Exchange = {
    principal: null,
    params: named,
    query: req.getQuery(),
    idempotencyKey: req.getHeader("idempotency-key"),
    ifNoneMatch: req.getHeader("if-none-match"),
    userAgent: req.getHeader("user-agent").slice(0, 200),
    signature: req.getHeader("swift-eats-signature").slice(0, 500),
    address: context.addressOf(res, req),
    acceptsGzip: taken.gzip,
    acceptsBrotli: taken.brotli,
    lastEventId: req.getHeader("last-event-id"),
    notAfter: req.getHeader("not-after"),
    body: null,
    bytes: NOTHING,
    keepsBytes: false,
    res,
    corsOrigin: allowedOrigin(context, req.getHeader("origin")),
    byOrigin: answersByOrigin(context),
    headOnly,
    aborted: false,
    answered: false,
    onAbort: null,
    watched: false,
  };
  return exchange;
}

/** Without origins that are allowed there is nothing to be said to any. */
export const answersByOrigin = ({ settings }: Pick<GatewayContext, "settings">): boolean =>
  settings.corsOrigins.length > 0;

export function allowedOrigin(context: GatewayContext, origin: string): string {
  return origin !== "" && context.settings.corsOrigins.includes(origin) ? origin : "";
}

/** A path's parameter; what is not well-formed names nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** Runs the handler and writes its answer. Waits for nothing when the answer is there at once. */
export function run(context: GatewayContext, exchange: Exchange, handler: Handler): void {
  let answer: Answer | Promise<Answer>;
  try {
    answer = handler(exchange);
  } catch (error) {
    answer = broken(context, error);
  }
  if (!(answer instanceof Promise)) {
    write(context, exchange, answer);
    return;
  }
  watchAbort(exchange);
  context.stats.requests++;
  answer.then(
    (ready) => {
      context.stats.requests--;
      write(context, exchange, ready);
    },
    (error: unknown) => {
      context.stats.requests--;
      write(context, exchange, broken(context, error));
    },
  );
}

function broken(context: GatewayContext, error: unknown): Answer {
  context.log.error(
    {
      message: String(error),
      stack: error instanceof Error ? (error.stack ?? "") : "",
    },
    "http.failed",
  );
  return problem("internal");
}

/** Must be called before the native callback returns, unless the answer is written by then. */
export function watchAbort(exchange: Exchange): void {
  if (exchange.watched) return;
  exchange.watched = true;
  exchange.res.onAborted(() => {
    exchange.aborted = true;
    exchange.onAbort?.();
  });
}

/** Reads a bounded JSON body, then goes on with `next`. Refuses by itself what is too large or no JSON. */
export function readBody(
  context: GatewayContext,
  exchange: Exchange,
  limits: ScanLimits,
  next: (exchange: Exchange) => void,
): void {
  watchAbort(exchange);
  const { clock, settings, stats } = context;
  let parts: Buffer[] = [];
  let bytes = 0;
  let held = 0;
  const letGo = (): void => {
    parts = [];
    stats.unfinishedBytes -= held;
    held = 0;
  };
  const refuse = (answer: Answer): void => {
    letGo();
    write(context, exchange, answer, true);
  };
  const late = clock.after(settings.bodyTimeoutMs, () => refuse(problem("timeout")));
  exchange.onAbort = () => {
    late();
    letGo();
  };
  exchange.res.onData((chunk, isLast) => {
    if (isLast || bytes + chunk.byteLength > limits.maxBytes) late();
    if (exchange.answered || exchange.aborted) return;
    bytes += chunk.byteLength;
    if (bytes > limits.maxBytes) return refuse(problem("too_large", { maxBytes: limits.maxBytes }));
    // The native side takes its memory back when this returns.
    if (!isLast) {
      if (stats.unfinishedBytes + chunk.byteLength > settings.maxUnfinishedBytes) {
        late();
        return refuse(problem("overloaded", undefined, 1_000));
      }
      parts.push(Buffer.from(new Uint8Array(chunk)));
      held += chunk.byteLength;
      stats.unfinishedBytes += chunk.byteLength;
      return;
    }
    const whole = parts.length === 0 ? new Uint8Array(chunk) : Buffer.concat([...parts, Buffer.from(chunk)]);
    letGo();
    // The native side takes its memory back when this returns.
    if (exchange.keepsBytes) exchange.bytes = Uint8Array.from(whole);
    if (whole.length === 0) exchange.body = {};
    else {
      const result = jsonCodec.decode(whole, limits);
      if (!result.ok) return write(context, exchange, problem("malformed", { problem: result.problem }));
      exchange.body = result.value;
    }
    next(exchange);
  });
}

/** Writes the one answer. `hangUp`: the rest of the request is not wanted. */
export function write(context: GatewayContext, exchange: Exchange, answer: Answer, hangUp = false): void {
  if (exchange.answered || answer.kind === "taken") return;
  exchange.answered = true;
  if (exchange.aborted) return;
  const { res } = exchange;
  res.cork(() => {
    switch (answer.kind) {
      case "body":
        count(context.stats.httpStatuses, answer.status);
        res.writeStatus(statusText(answer.status));
        commonHeaders(exchange);
        res.writeHeader("content-type", answer.contentType);
        if (answer.headers === undefined) res.writeHeader("cache-control", "no-store");
        else for (const [name, value] of answer.headers) res.writeHeader(name, value);
        if (exchange.headOnly) endHead(res, byteLength(answer.body));
        else if (hangUp) res.end(answer.body, true);
        else sendBody(res, answer.body, goneOf(exchange));
        return;
      case "unchanged":
        count(context.stats.httpStatuses, 304);
        res.writeStatus(statusText(304));
        commonHeaders(exchange);
        res.writeHeader("etag", answer.etag).writeHeader("cache-control", answer.cacheControl);
        if (answer.coded === true) res.writeHeader("vary", "accept-encoding");
        res.endWithoutBody();
        return;
      case "problem": {
        const { status, body } = problemOf(answer.code, answer.options);
        count(context.stats.httpStatuses, status);
        count(context.stats.errors, answer.code);
        res.writeStatus(statusText(status));
        commonHeaders(exchange);
        res.writeHeader("content-type", "application/problem+json").writeHeader("cache-control", "no-store");
        const { retryAfterMs, allow } = answer.options;
        if (retryAfterMs !== undefined) {
          res.writeHeader("retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
        }
        if (allow !== undefined) res.writeHeader("allow", allow);
        if (status === 401) res.writeHeader("www-authenticate", "Bearer");
        if (exchange.headOnly) endHead(res, Buffer.byteLength(body));
        else if (hangUp) res.end(body, true);
        else sendBody(res, body, goneOf(exchange));
        return;
      }
    }
  });
}

/** What to do when the client leaves in the middle of its answer; null where somebody is told already. */
const goneOf = (exchange: Exchange): (() => void) | null => (exchange.watched ? null : () => {});

/**
 * Answers HEAD. The length is written as a header of ours: `endWithoutBody(length)` leaves the native response unfinished,
 * and a handler that returns with an unfinished response ends the process.
 */
function endHead(res: NativeResponse, length: number): void {
  res.writeHeader("content-length", String(length)).endWithoutBody();
}

function byteLength(body: Uint8Array | string): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

/** On every answer. */
export const COMMON_HEADERS = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["x-frame-options", "DENY"],
] as const;

export function commonHeaders(exchange: Pick<Exchange, "res" | "corsOrigin" | "byOrigin">): void {
  const { res, corsOrigin, byOrigin } = exchange;
  for (const [name, value] of COMMON_HEADERS) res.writeHeader(name, value);
  if (corsOrigin !== "") {
    res.writeHeader("access-control-allow-origin", corsOrigin);
    res.writeHeader("access-control-expose-headers", "etag, retry-after");
  }
  // Also to whom no origin is told: a cache would give what it got from one to all.
  if (byOrigin) res.writeHeader("vary", "origin");
}
