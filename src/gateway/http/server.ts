/**
 * The routes on the native server. For each request: open the exchange, who is it, may they, how often, then the body
 * and the handler. Everything that no route answers is a file, 404 or 405.
 */
import { CLIENT_FRAME_LIMITS, COMMANDS, isCommandType, type ScanLimits } from "../../protocol/mod.js";
import { mayCommand, mayEnter, routeAccess } from "../auth/access.js";
import { bringsToken } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import { type DocumentPath, isDocumentPath } from "../documents/mod.js";
import type { NativeApp, NativeRequest, NativeResponse } from "../native.js";
import { type Answer, matches, problem, tagFor } from "./answer.js";
import {
  allowedOrigin,
  answersByOrigin,
  commonHeaders,
  type Exchange,
  openExchange,
  readBody,
  run,
  write,
} from "./exchange.js";
import { type HandlerDeps, handlerOf } from "./handlers.js";
import { menuShortcut } from "./menu.js";
import { statusText } from "./problem.js";
import { methodsOf, parametersOf, ROUTES, type Route, routeName, takesBody } from "./routes.js";
import type { StaticFile } from "./static-files.js";
import { trackShortcut } from "./track.js";

const JSON_BODY = /^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i;
/** Pages run their own scripts and workers only, and talk to this node only. */
const PAGE_POLICY =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; " +
  "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

export interface HttpDeps extends HandlerDeps {
  readonly operator: (authorization: string) => boolean;
  /** By URL path. Grows while doors are opened, before listening. */
  readonly files: ReadonlyMap<string, StaticFile>;
  /** What the gateway says of itself, by URL path; made when asked for. */
  readonly documents: (path: DocumentPath) => StaticFile;
}

/** The routes of a gateway with these services: without a service there is nothing at its addresses. */
export function servedRoutes(operations: HandlerDeps["operations"]): readonly Route[] {
  return ROUTES.filter(({ target }) => target.kind !== "operation" || operations[target.name] !== undefined);
}

export function serveRoutes(app: NativeApp, deps: HttpDeps): void {
  for (const route of servedRoutes(deps.operations)) {
    const name = routeName(route);
    if (routeAccess(name) === null) throw new Error(`route ${name} is not in the access table: nobody may call it`);
    const serve = serverOf(deps, route);
    const handle = (res: NativeResponse, req: NativeRequest): void => serve(res, req, false);
    if (route.method === "POST") app.post(route.path, handle);
    else if (route.method === "PUT") app.put(route.path, handle);
    else if (route.method === "DELETE") app.del(route.path, handle);
    else {
      const shortcut = shortcutOf(deps, route);
      app.get(route.path, shortcut === null ? handle : (res, req) => shortcut(res, req) || handle(res, req));
      app.head(route.path, (res, req) => serve(res, req, true));
    }
  }
  app.options("/*", (res, req) => preflight(deps.context, res, req));
  app.any("/*", (res, req) => other(deps, res, req));
}

/** A shorter way for requests that need nothing but the answer: true when it has answered. */
function shortcutOf({ context, catalog, tracking }: HttpDeps, route: Route): ReturnType<typeof menuShortcut> | null {
  if (route.target.kind !== "read") return null;
  switch (route.target.read) {
    case "menu":
      return menuShortcut(context, catalog);
    case "track":
      return trackShortcut(context, tracking, route);
    default:
      return null;
  }
}

function serverOf(deps: HttpDeps, route: Route): (res: NativeResponse, req: NativeRequest, head: boolean) => void {
  const { context } = deps;
  const { settings } = context;
  const name = routeName(route);
  const access = routeAccess(name);
  const params = parametersOf(route.path);
  const handler = handlerOf(deps, route);
  const ordinary = bodyLimits(route, settings, false);
  const large = bodyLimits(route, settings, true);
  const isSigned = route.target.kind === "operation" && route.target.operation.signed === true;
  const isStream = route.target.kind === "read" && (route.target.read === "stream" || route.target.read === "news");

  /** Sets the principal. A problem when the caller may not come in. */
  function admit(exchange: Exchange, authorization: string): Answer | null {
    if (access === "operator") {
      if (deps.operator(authorization)) return null;
      return problem("unauthenticated");
    }
    if (bringsToken(authorization)) {
      const verified = context.tokens.verifyHeader(authorization);
      if (verified.ok) exchange.principal = verified.principal;
      else if (access !== "anyone") return problem(verified.code);
    }
    if (access !== "anyone" && exchange.principal === null) return problem("unauthenticated");
    return mayEnter(name, exchange.principal?.role ?? null) ? null : problem("forbidden");
  }

  return (res, req, head) => {
    const exchange = openExchange(context, res, req, params, head);
    if (route.tier !== "none" || isStream) {
      if (context.stats.requests >= settings.maxRequests) {
        return write(context, exchange, problem("overloaded", undefined, 1_000), true);
      }
    }
    const authorization = req.getHeader("authorization");
    // The operator's door is counted before it is tried, so that nobody guesses quickly.
    if (access === "operator") {
      const waitMs = context.tiers.take("tokens", exchange.address, context.clock.monotonic());
      if (waitMs > 0) return write(context, exchange, problem("rate_limited", undefined, waitMs));
    }
    const refusal = admit(exchange, authorization);
    if (refusal !== null) return write(context, exchange, refusal);
    if (route.tier !== "none" && access !== "operator") {
      const { principal } = exchange;
      const now = context.clock.monotonic();
      const waitMs =
        principal === null
          ? context.tiers.take("anonymous", exchange.address, now)
          : context.tiers.takeFor(principal, route.tier, now);
      if (waitMs > 0) return write(context, exchange, problem("rate_limited", undefined, waitMs));
    }
    const limits = isLarge(route, exchange) ? large : ordinary;
    if (limits === null) return run(context, exchange, handler);
    const unreadable = unreadableBecause(req);
    if (unreadable !== null) return write(context, exchange, problem("malformed", unreadable));
    exchange.keepsBytes = isSigned;
    readBody(context, exchange, limits, () => run(context, exchange, handler));
  };
}

/** What the headers say of a body that would be read wrongly, or null. */
function unreadableBecause(req: NativeRequest): { readonly path: string; readonly problem: string } | null {
  const type = req.getHeader("content-type");
  if (type !== "" && !JSON_BODY.test(type)) {
    return { path: "/content-type", problem: "must be application/json, in UTF-8" };
  }
  const coding = req.getHeader("content-encoding");
  if (coding === "" || coding.toLowerCase() === "identity") return null;
  return { path: "/content-encoding", problem: "bodies are taken as they are, not compressed" };
}

/** A whole menu, or what a restaurant writes of it by a command's name: nobody else has as much to say. */
function isLarge({ target }: Route, { params, principal }: Exchange): boolean {
  if (target.kind === "command") return target.wrap === "profile";
  const type = params.type ?? "";
  if (target.kind !== "anyCommand" || principal === null || !isCommandType(type)) return false;
  return COMMANDS[type].actor === "restaurant" && mayCommand(type, principal.role);
}

/** Null: the route takes no body. */
function bodyLimits(route: Route, settings: GatewayContext["settings"], large: boolean): ScanLimits | null {
  if (!takesBody(route)) return null;
  const { maxDepth, maxNodes } = CLIENT_FRAME_LIMITS;
  if (route.target.kind === "tokens") {
    return { maxBytes: settings.maxTokenRequestBytes, maxDepth, maxNodes: 16_384 };
  }
  if (large) return { maxBytes: settings.maxProfileBytes, maxDepth, maxNodes: 32_768 };
  if (route.target.kind === "operation" && route.target.operation.maxBodyBytes !== undefined) {
    return { maxBytes: route.target.operation.maxBodyBytes, maxDepth, maxNodes: 32_768 };
  }
  return { maxBytes: settings.maxBodyBytes, maxDepth, maxNodes };
}

function preflight(context: GatewayContext, res: NativeResponse, req: NativeRequest): void {
  const corsOrigin = allowedOrigin(context, req.getHeader("origin"));
  const methods = methodsOf(req.getUrl());
  res.cork(() => {
    res.writeStatus(statusText(204));
    commonHeaders({ res, corsOrigin, byOrigin: answersByOrigin(context) });
    if (corsOrigin !== "" && methods.length > 0) {
      res.writeHeader("access-control-allow-methods", methods.join(", "));
      res.writeHeader(
        "access-control-allow-headers",
        "authorization, content-type, idempotency-key, not-after, if-none-match, last-event-id",
      );
      res.writeHeader("access-control-max-age", "600");
    }
    if (methods.length > 0) res.writeHeader("allow", methods.join(", "));
    res.endWithoutBody();
  });
}

function other(deps: HttpDeps, res: NativeResponse, req: NativeRequest): void {
  const method = req.getMethod();
  const url = req.getUrl();
  const exchange = openExchange(deps.context, res, req, [], method === "head");
  const file = deps.files.get(url) ?? (isDocumentPath(url) ? deps.documents(url) : undefined);
  if (file !== undefined && (method === "get" || method === "head")) {
    write(deps.context, exchange, fileAnswer(file, exchange));
    return;
  }
  const methods = file === undefined ? methodsOf(url) : ["GET", "HEAD"];
  // A body that nobody reads would stay in the pipe: answering with the line closed gets rid of it.
  const hangUp = method !== "get" && method !== "head";
  const allow = methods.join(", ");
  const options =
    methods.length === 0
      ? { hint: "There is nothing at this address; the protocol document lists all routes." }
      : { status: 405, hint: `This address answers ${allow} only.`, detail: { allow }, allow };
  write(deps.context, exchange, { kind: "problem", code: "not_found", options }, hangUp);
}

function fileAnswer(file: StaticFile, exchange: Exchange): Answer {
  const cacheControl = file.immutable ? "public, max-age=31536000, immutable" : "no-cache";
  const coded = file.brotli !== null || file.gzip !== null;
  const brotli = exchange.acceptsBrotli ? file.brotli : null;
  const gzip = brotli === null && exchange.acceptsGzip ? file.gzip : null;
  const coding = brotli !== null ? "br" : gzip !== null ? "gzip" : "identity";
  const etag = tagFor(file.etag, coding);
  if (matches(exchange.ifNoneMatch, etag)) return { kind: "unchanged", etag, cacheControl, coded };
  const headers: [string, string][] = [
    ["etag", etag],
    ["cache-control", cacheControl],
    ["content-security-policy", PAGE_POLICY],
  ];
  if (coded) headers.push(["vary", "accept-encoding"]);
  if (coding !== "identity") headers.push(["content-encoding", coding]);
  return { kind: "body", status: 200, body: brotli ?? gzip ?? file.bytes, contentType: file.contentType, headers };
}
