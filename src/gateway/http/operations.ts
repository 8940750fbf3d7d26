/**
 * An operation by HTTP: what came in, checked by its schemas; what the service said, as an answer. Who may call and how
 * often has been decided before (`server.ts`).
 */
import {
  isErrorCode,
  type Operation,
  type OperationCall,
  type OperationCaller,
  type OperationHandler,
  type OperationResult,
  validateSchema,
} from "../../protocol/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import { type Answer, JSON_TYPE, matches, problem, tagFor } from "./answer.js";
import type { Exchange, Handler } from "./exchange.js";
import { queryOf } from "./queries.js";

const SEARCH_AGAIN_MS = 1_000;
const KEY = /^[\x21-\x7e]{1,128}$/;

export function needsKey(operation: Operation): boolean {
  return operation.keyed ?? operation.method === "POST";
}

export function answerOperation(context: GatewayContext, operation: Operation, handler: OperationHandler): Handler {
  const needed = needsKey(operation);
  const { searches } = context;
  const { maxSearchesAtOnce } = context.settings;
  const search = async (exchange: Exchange, who: string, call: OperationCall): Promise<Answer> => {
    try {
      return answerOf(exchange, await handler(call));
    } finally {
      searches.leave(who);
    }
  };
  return (exchange) => {
    const { principal, params, idempotencyKey, body, bytes, signature, userAgent, address } = exchange;
    if (operation.access !== "anyone" && principal === null) return problem("unauthenticated");
    // An id that cannot be one names nothing.
    if (operation.params !== undefined && validateSchema(operation.params, params) !== null)
      return problem("not_found");
    const query = operation.query === undefined ? null : queryOf(operation.query, exchange.query);
    if (query?.ok === false) return query.answer;
    if (operation.body !== undefined) {
      const wrong = validateSchema(operation.body, body);
      if (wrong !== null) return problem("invalid", { ...wrong });
    }
    if (needed && !KEY.test(idempotencyKey)) {
      return problem("invalid", {
        path: "/idempotency-key",
        problem: "this write needs an Idempotency-Key header of 1 to 128 visible ASCII characters",
      });
    }
    if (needed) context.stats.commands++;
    const call = {
      caller: principal === null ? null : callerOf(principal),
      params,
      query: query?.values,
      body: operation.body === undefined ? undefined : body,
      bytes,
      headers: { signature, userAgent },
      key: needed ? idempotencyKey : "",
      address,
    } as unknown as OperationCall;
    if (operation.tier !== "search") {
      const result = handler(call);
      return result instanceof Promise
        ? result.then((settled) => answerOf(exchange, settled))
        : answerOf(exchange, result);
    }
    const who = principal === null ? address : `${principal.role}/${principal.id}`;
    if (!searches.enter(who)) return problem("overloaded", { maxSearchesAtOnce }, SEARCH_AGAIN_MS);
    return search(exchange, who, call);
  };
}

function callerOf({ id, role, accountId, sessionId }: Principal): OperationCaller {
  return {
    id,
    role,
    ...(accountId === undefined ? {} : { accountId }),
    ...(sessionId === undefined ? {} : { sessionId }),
  };
}

function answerOf(exchange: Exchange, result: OperationResult): Answer {
  if (!result.ok)
    return problem(isErrorCode(result.code) ? result.code : "internal", result.detail, result.retryAfterMs);
  const cacheControl = result.cacheControl ?? (result.etag === undefined ? "no-store" : "private, no-cache");
  const coded = "json" in result && result.gzip !== undefined;
  const etag =
    result.etag === undefined ? "" : tagFor(result.etag, coded && exchange.acceptsGzip ? "gzip" : "identity");
  if (etag !== "" && matches(exchange.ifNoneMatch, etag)) return { kind: "unchanged", etag, cacheControl, coded };
  const headers: [string, string][] = [["cache-control", cacheControl]];
  if (etag !== "") headers.push(["etag", etag]);
  if (!("json" in result)) {
    return { kind: "body", status: 200, body: JSON.stringify(result.value ?? null), contentType: JSON_TYPE, headers };
  }
  if (result.gzip !== undefined) headers.push(["vary", "accept-encoding"]);
  const zipped = result.gzip !== undefined && exchange.acceptsGzip;
  if (zipped) headers.push(["content-encoding", "gzip"]);
  return { kind: "body", status: 200, body: zipped ? result.gzip! : result.json, contentType: JSON_TYPE, headers };
}
