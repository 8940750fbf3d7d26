/**
 * Polls by HTTP: where an order is and how it stands, asked every few seconds by everybody who waits. Owns how a poll is
 * answered, and the short way for the plainest: a token seen before, no other page's script, a view that is at hand.
 * Everybody else takes the way of every route, with the same answer.
 */
import { PrefixedBytes } from "../../lib/prefixed-bytes.js";
import { isId, ROLES, type Role } from "../../protocol/mod.js";
import type { Tracked, TrackingService, TrackResult } from "../../services/tracking/mod.js";
import { mayEnter } from "../auth/access.js";
import type { GatewayContext } from "../context.js";
import { headText, type NativeRequest, type NativeResponse } from "../native.js";
import { count } from "../stats.js";
import { type Answer, JSON_TYPE, matches, problem } from "./answer.js";
import { Burst } from "./burst.js";
import { answersByOrigin, COMMON_HEADERS, type Exchange } from "./exchange.js";
import { statusText } from "./problem.js";
import { type Route, routeName } from "./routes.js";
import { sendPassing } from "./sending.js";

const CACHE_CONTROL = "private, no-cache";

const tagOf = ({ stamp, fresh }: Tracked): string => (fresh ? `"t${stamp}"` : `"t${stamp}-s"`);

/** In memory that the next answer about this order writes again: to be sent before anything else runs. */
function bodyOf({ document, position, positionJson, fresh }: Tracked, now: number): Uint8Array {
  const shown =
    position === null || positionJson === null
      ? ""
      : `,"position":${positionJson},"ageMs":${Math.max(0, now - position.at)}}`;
  return document.with(shown + endOf(fresh, now));
}

/** Many polls are answered within one millisecond. */
let lastEnd = { fresh: true, now: 0, text: "" };
function endOf(fresh: boolean, now: number): string {
  if (lastEnd.now !== now || lastEnd.fresh !== fresh)
    lastEnd = { fresh, now, text: `,"fresh":${fresh},"serverTime":${now}}` };
  return lastEnd.text;
}

export function trackAnswer(
  context: GatewayContext,
  tracking: TrackingService,
  exchange: Exchange,
): Answer | Promise<Answer> {
  const { principal, params } = exchange;
  const orderId = params.orderId ?? "";
  if (principal === null) return problem("unauthenticated");
  if (!isId(orderId)) return problem("not_found");
  const answer = (result: TrackResult): Answer => {
    if (!result.ok) return problem(result.code, undefined, result.code === "unavailable" ? 2_000 : undefined);
    const etag = tagOf(result);
    if (matches(exchange.ifNoneMatch, etag)) return { kind: "unchanged", etag, cacheControl: CACHE_CONTROL };
    return {
      kind: "body",
      status: 200,
      // A copy: others may be answered before this is sent. (`slice` of a Buffer would be none.)
      body: new Uint8Array(bodyOf(result, context.clock.now())),
      contentType: JSON_TYPE,
      headers: [
        ["etag", etag],
        ["cache-control", CACHE_CONTROL],
      ],
    };
  };
  const result = tracking.track(orderId, principal);
  return result instanceof Promise ? result.then(answer) : answer(result);
}

const ETAG_ROOM = 64;
const CACHED = [...COMMON_HEADERS, ["cache-control", CACHE_CONTROL]] as const;

/** Heads differ in their tag alone, which stands last. */
const headBefore = (status: number, headers: readonly (readonly [name: string, value: string])[]): PrefixedBytes =>
  new PrefixedBytes(headText(statusText(status), [...headers, ["etag", ""]]), ETAG_ROOM);

/** What stands before the way of every route: true when the request has been answered. */
export function trackShortcut(
  context: Pick<GatewayContext, "stats" | "tiers" | "tokens" | "clock" | "settings" | "endOfTurn">,
  tracking: TrackingService,
  route: Route,
): (res: NativeResponse, req: NativeRequest) => boolean {
  const { stats, tiers, tokens, clock, settings } = context;
  const { tier } = route;
  const name = routeName(route);
  const roles: readonly Role[] = ROLES.filter((role) => mayEnter(name, role));
  const ok = headBefore(200, [...CACHED, ["content-type", JSON_TYPE]]);
  const unchanged = headBefore(304, CACHED);
  // Without origins that are allowed there is nothing to be said to any.
  const isCross = answersByOrigin(context);
  const burst = new Burst<{ readonly result: Tracked; readonly etag: string }>(
    (res, { result, etag }, now) => sendPassing(res.writeStatus(ok.with(etag)), bodyOf(result, now)),
    () => clock.now(),
    context.endOfTurn,
  );
  return (res, req) => {
    if (tier === "none" || stats.requests >= settings.maxRequests) return false;
    const authorization = req.getHeader("authorization");
    if (isCross && req.getHeader("origin") !== "") return false;
    const principal = tokens.remembered(authorization);
    if (principal === null || !roles.includes(principal.role)) return false;
    const result = tracking.atHand(req.getParameter(0) ?? "", principal);
    if (result === null || !result.ok) return false;
    // Over its limit: the other way says so, and counts nothing either.
    if (tiers.takeFor(principal, tier, clock.monotonic()) > 0) return false;
    const etag = tagOf(result);
    const ifNoneMatch = req.getHeader("if-none-match");
    if (ifNoneMatch !== "" && matches(ifNoneMatch, etag)) {
      count(stats.httpStatuses, 304);
      res.writeStatus(unchanged.with(etag)).endWithoutBody();
      return true;
    }
    count(stats.httpStatuses, 200);
    burst.answer(res, { result, etag });
    return true;
  };
}
