/** What the routes answer. Reads come from the services; two ask an actor: a driver's own work, and an order's dispatch. */
import { actorRef } from "../../actors/runtime/mod.js";
import {
  CHANNELS,
  type DispatchView,
  GpsBatch,
  isId,
  type OperationHandler,
  validateSchema,
} from "../../protocol/mod.js";
import type { Catalog } from "../../services/catalog/mod.js";
import type { HistoryService } from "../../services/history/mod.js";
import type { TrackingService } from "../../services/tracking/mod.js";
import { issueTokens, TokenRequest } from "../auth/operator.js";
import type { GatewayContext } from "../context.js";
import type { AnnouncementStreams } from "../sse/announcements.js";
import type { OrderStreams } from "../sse/stream.js";
import { askGps, gpsWaitMs } from "../ws/gps.js";
import { type Answer, fromResult, JSON_TYPE, json, problem } from "./answer.js";
import type { DatabaseState } from "./database-watch.js";
import type { Exchange, Handler } from "./exchange.js";
import { menuAnswer } from "./menu.js";
import { answerOperation } from "./operations.js";
import { HistoryQuery, NearbyQuery, queryOf } from "./queries.js";
import type { ReadName, Route } from "./routes.js";
import { trackAnswer } from "./track.js";

type NodeInfo = Readonly<Record<string, unknown>>;

export interface HandlerDeps {
  readonly context: GatewayContext;
  readonly tracking: TrackingService;
  readonly catalog: Catalog;
  readonly history: HistoryService;
  readonly streams: OrderStreams;
  /** Null: this gateway has no announcements. */
  readonly news: AnnouncementStreams | null;
  /** Who this node is, beyond version and time scale: zones and whatever else the composition root tells. */
  readonly nodeInfo: () => NodeInfo | Promise<NodeInfo>;
  readonly ready: () => boolean;
  /** Of the services, by the operation's name. */
  readonly operations: Readonly<Record<string, OperationHandler>>;
  /** Never rejects. */
  readonly database: () => Promise<DatabaseState>;
  readonly metrics: (() => string | Promise<string>) | null;
}

/** A place read within this is current enough to be called so. */
const CURRENT_MS = 1_000;

export function handlerOf(deps: HandlerDeps, route: Route): Handler {
  const { target } = route;
  switch (target.kind) {
    case "command":
      return (exchange) => {
        const { params, body } = exchange;
        const fields = body !== null && typeof body === "object" && !Array.isArray(body) ? body : { body };
        return runCommand(
          deps,
          exchange,
          target.command,
          target.wrap === undefined ? { ...fields, ...params } : { ...params, [target.wrap]: body },
        );
      };
    case "anyCommand":
      return (exchange) => {
        const type = exchange.params.type ?? "";
        const { principal } = exchange;
        // Placing an order counts as that through whichever door it comes.
        if (type === "order.place" && principal !== null) {
          const { tiers, clock } = deps.context;
          const waitMs = tiers.takeFor(principal, "order", clock.monotonic());
          if (waitMs > 0) return problem("rate_limited", undefined, waitMs);
        }
        return runCommand(deps, exchange, type, exchange.body);
      };
    case "gps":
      return (exchange) => gps(deps, exchange);
    case "tokens":
      return (exchange) => tokens(deps, exchange);
    case "read":
      return READS[target.read](deps);
    case "operation":
      return answerOperation(deps.context, target.operation, deps.operations[target.name]!);
  }
}

function runCommand(deps: HandlerDeps, exchange: Exchange, type: string, body: unknown): Answer | Promise<Answer> {
  const { principal, idempotencyKey } = exchange;
  if (principal === null) return problem("unauthenticated");
  if (!/^[\x21-\x7e]{1,128}$/.test(idempotencyKey)) {
    return problem("invalid", {
      path: "/idempotency-key",
      problem: "every write needs an Idempotency-Key header of 1 to 128 visible ASCII characters",
    });
  }
  const notAfter = exchange.notAfter === "" ? 0 : Number(exchange.notAfter);
  if (!Number.isSafeInteger(notAfter) || notAfter < 0) {
    return problem("invalid", { path: "/not-after", problem: "must be milliseconds since the epoch" });
  }
  deps.context.stats.commands++;
  return deps.context.desk.run(principal, { type, idempotencyKey, body, notAfter }).then(fromResult);
}

function gps(deps: HandlerDeps, exchange: Exchange): Answer | Promise<Answer> {
  const { context } = deps;
  const { principal, body } = exchange;
  if (principal === null) return problem("unauthenticated");
  const wrong = validateSchema(GpsBatch, body);
  if (wrong !== null) return problem("invalid", { ...wrong });
  const waitMs = gpsWaitMs(context, principal.id);
  if (waitMs > 0) return problem("rate_limited", undefined, waitMs);
  if (!context.tokens.mayBeLocated(principal)) return problem("consent_missing");
  return askGps(context, principal.id, body as GpsBatch).then(fromResult);
}

function tokens(deps: HandlerDeps, exchange: Exchange): Answer {
  const wrong = validateSchema(TokenRequest, exchange.body);
  if (wrong !== null) return problem("invalid", { ...wrong });
  return json(issueTokens(deps.context.tokens, exchange.body as TokenRequest));
}

async function order(deps: HandlerDeps, exchange: Exchange): Promise<Answer> {
  const { principal, params } = exchange;
  const orderId = params.orderId ?? "";
  if (principal === null) return problem("unauthenticated");
  if (!isId(orderId)) return problem("not_found");
  const result = await deps.tracking.track(orderId, principal, CURRENT_MS);
  if (!result.ok) return problem(result.code, undefined, result.code === "unavailable" ? 2_000 : undefined);
  const { destination, ...kitchens } = result.tracking.view;
  const view = principal.role === "restaurant" ? kitchens : { ...kitchens, destination };
  return { kind: "body", status: 200, body: JSON.stringify(view), contentType: JSON_TYPE };
}

const USUAL_NEARBY = 50;
const USUAL_ORDERS = 20;

async function restaurants(deps: HandlerDeps, exchange: Exchange): Promise<Answer> {
  const query = queryOf(NearbyQuery, exchange.query);
  if (!query.ok) return query.answer;
  const { lat, lng, limit = USUAL_NEARBY, delivers = false } = query.values;
  try {
    return json({ restaurants: await deps.catalog.near({ lat, lng }, limit, delivers) });
  } catch {
    return problem("unavailable", undefined, 2_000);
  }
}

async function history(deps: HandlerDeps, exchange: Exchange): Promise<Answer> {
  const { principal } = exchange;
  if (principal === null) return problem("unauthenticated");
  const query = queryOf(HistoryQuery, exchange.query);
  if (!query.ok) return query.answer;
  const { limit = USUAL_ORDERS, before } = query.values;
  try {
    return json(await deps.history.orders(principal.id, { limit, ...(before === undefined ? {} : { before }) }));
  } catch {
    return problem("unavailable", undefined, 2_000);
  }
}

const SearchedOrder = actorRef<{ dispatchView: { input: null; reply: DispatchView } }>("order");

/** Why this driver: the order tells it itself, because nothing else keeps it. */
async function dispatch(deps: HandlerDeps, exchange: Exchange): Promise<Answer> {
  const { principal, params } = exchange;
  const orderId = params.orderId ?? "";
  if (principal === null) return problem("unauthenticated");
  if (!isId(orderId)) return problem("not_found");
  const { client, settings } = deps.context;
  return fromResult(
    await client.ask(SearchedOrder, orderId, "dispatchView", null, {
      commandId: "",
      caller: { id: principal.id, role: principal.role },
      timeoutMs: settings.commandTimeoutMs,
    }),
  );
}

/** The snapshot of a driver's own channel, read once. */
function work(deps: HandlerDeps, exchange: Exchange): Answer | Promise<Answer> {
  const { context } = deps;
  const { principal } = exchange;
  if (principal === null) return problem("unauthenticated");
  const { actor, channel } = CHANNELS.driver;
  return new Promise((resolve) => {
    const settle = (answer: Answer): void => {
      cancel();
      resolve(answer);
      queueMicrotask(() => subscription.close());
    };
    const cancel = context.clock.after(context.settings.commandTimeoutMs, () => settle(problem("timeout")));
    const subscription = context.client.subscribe(
      { kind: actor, key: principal.id, channel },
      { id: principal.id, role: principal.role },
      null,
      {
        subscribed: (start) => settle(json(start.slots[0]?.body ?? null)),
        event() {},
        slot() {},
        ended: (error) => settle(fromResult({ ok: false, error })),
      },
    );
  });
}

const READS: Readonly<Record<ReadName, (deps: HandlerDeps) => Handler>> = {
  track: (deps) => (exchange) => trackAnswer(deps.context, deps.tracking, exchange),
  order: (deps) => (exchange) => order(deps, exchange),
  dispatch: (deps) => (exchange) => dispatch(deps, exchange),
  stream: (deps) => (exchange) => deps.streams.open(exchange),
  news: (deps) => (exchange) => deps.news?.open(exchange) ?? problem("not_found"),
  history: (deps) => (exchange) => history(deps, exchange),
  menu: (deps) => (exchange) => menuAnswer(deps.catalog, exchange),
  restaurants: (deps) => (exchange) => restaurants(deps, exchange),
  work: (deps) => (exchange) => work(deps, exchange),
  node: (deps) => () => {
    const { version, timeScale } = deps.context.settings;
    // The time is that of the answer, however long another thread thinks about the rest.
    const answer = (info: NodeInfo): Answer =>
      json({ version, timeScale, serverTime: deps.context.clock.now(), ...info });
    const info = deps.nodeInfo();
    return info instanceof Promise ? info.then(answer) : answer(info);
  },
  live: () => () => json({ live: true }),
  // Without the database a node still serves menus, sockets and positions, and no other node is better off: it says so,
  // and stays ready. A node that is cut off from the others, too, is not (`ready`).
  ready: (deps) => async () => {
    if (deps.context.phase !== "serving") return problem("draining");
    if (!deps.ready()) return problem("unavailable");
    return json({ ready: true, database: await deps.database() });
  },
  metrics: (deps) => async () =>
    deps.metrics === null
      ? problem("not_found")
      : { kind: "body", status: 200, body: await deps.metrics(), contentType: "text/plain; version=0.0.4" },
};
