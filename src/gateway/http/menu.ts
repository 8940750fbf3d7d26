/**
 * Menus by HTTP: the busiest read of all. Owns how a menu is answered, and the short way for those who only read: no token,
 * no other page's script, a menu that is at hand. Everybody else takes the way of every route.
 */
import { isId } from "../../protocol/mod.js";
import type { Catalog, Coding, ReadyMenu } from "../../services/catalog/mod.js";
import type { Principal } from "../auth/tokens.js";
import type { GatewayContext } from "../context.js";
import { PlainReads } from "../limits/plain-reads.js";
import { headText, type NativeRequest, type NativeResponse } from "../native.js";
import { count } from "../stats.js";
import { type Answer, JSON_TYPE, matches, problem, tagFor, takenCodings } from "./answer.js";
import { answersByOrigin, COMMON_HEADERS, type Exchange } from "./exchange.js";
import { statusText } from "./problem.js";
import { sendBody } from "./sending.js";

const CACHE_CONTROL = "public, max-age=1";
const OK = statusText(200);
const utf8 = new TextEncoder();
const NOT_MODIFIED = statusText(304);

/** A draft's menu is its own people's and the market's; to others there is no such restaurant. */
const maySee = (ready: ReadyMenu, restaurantId: string, principal: Principal | null): boolean =>
  ready.listed ||
  principal?.role === "admin" ||
  principal?.role === "support" ||
  (principal?.role === "restaurant" && principal.id === restaurantId);

export function menuAnswer(catalog: Catalog, exchange: Exchange): Answer | Promise<Answer> {
  const restaurantId = exchange.params.restaurantId ?? "";
  if (!isId(restaurantId)) return problem("restaurant_unknown");
  const answer = (ready: ReadyMenu | null): Answer => {
    if (ready === null || !maySee(ready, restaurantId, exchange.principal)) return problem("restaurant_unknown");
    const cacheControl = ready.listed ? CACHE_CONTROL : "private, no-cache";
    const coding = ready.coding(exchange.acceptsBrotli, exchange.acceptsGzip);
    const etag = tagFor(ready.etag, coding);
    if (matches(exchange.ifNoneMatch, etag)) return { kind: "unchanged", etag, cacheControl, coded: true };
    return {
      kind: "body",
      status: 200,
      body: ready.bytes(coding),
      contentType: JSON_TYPE,
      headers: [
        ["etag", etag],
        ["cache-control", cacheControl],
        ["vary", "accept-encoding"],
        ...(coding === "identity" ? [] : ([["content-encoding", coding]] as const)),
      ],
    };
  };
  const ready = catalog.ready(restaurantId);
  return ready instanceof Promise ? ready.then(answer, () => problem("unavailable", undefined, 2_000)) : answer(ready);
}

/** All that is said before the bytes of a listed menu. */
function headOf(ready: ReadyMenu, coding: Coding, vary: string): Uint8Array {
  const head = headText(OK, [
    ...COMMON_HEADERS,
    ["content-type", JSON_TYPE],
    ["etag", tagFor(ready.etag, coding)],
    ["cache-control", CACHE_CONTROL],
    ["vary", vary],
    ...(coding === "identity" ? [] : ([["content-encoding", coding]] as const)),
  ]);
  return utf8.encode(head);
}

const unchangedHead = (etag: string, vary: string): string =>
  headText(NOT_MODIFIED, [...COMMON_HEADERS, ["etag", etag], ["cache-control", CACHE_CONTROL], ["vary", vary]]);

/** What stands before the way of every route: true when the request has been answered. */
export function menuShortcut(
  context: GatewayContext,
  catalog: Catalog,
): (res: NativeResponse, req: NativeRequest) => boolean {
  const { stats, tiers, clock, settings } = context;
  /** The request that is looked at: what is asked of it is asked before the next one comes. */
  let asked: NativeRequest | null = null;
  const reads = new PlainReads<NativeResponse>({
    rate: settings.tierRates.anonymous,
    take: (address, now, many) => tiers.take("anonymous", address, now, many),
    addressOf: (res) => context.addressOf(res, asked as NativeRequest),
    seed: Math.floor(clock.now()) % 2 ** 32,
  });
  const isCross = answersByOrigin(context);
  const vary = isCross ? "origin, accept-encoding" : "accept-encoding";
  return (res, req) => {
    const now = clock.monotonic();
    const ready = catalog.current(req.getParameter(0) ?? "", now);
    if (ready === null || !ready.listed || stats.requests >= settings.maxRequests) return false;
    if (req.getHeader("authorization") !== "" || (isCross && req.getHeader("origin") !== "")) return false;
    asked = req;
    // Over its limit: the other way says so, and counts nothing either.
    if (!reads.allow(res, now)) return false;
    const { brotli, gzip } = takenCodings(req.getHeader("accept-encoding"));
    const coding = ready.coding(brotli, gzip);
    const ifNoneMatch = req.getHeader("if-none-match");
    if (ifNoneMatch !== "") {
      const etag = tagFor(ready.etag, coding);
      if (matches(ifNoneMatch, etag)) {
        count(stats.httpStatuses, 304);
        res.writeStatus(unchangedHead(etag, vary)).endWithoutBody();
        return true;
      }
    }
    count(stats.httpStatuses, 200);
    ready.heads[coding] ??= headOf(ready, coding, vary);
    sendBody(res.writeStatus(ready.heads[coding]), ready.bytes(coding), () => {});
    return true;
  };
}
