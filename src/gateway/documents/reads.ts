/** What the routes that are neither commands nor operations take and answer: the part of the documents that is only said here. */
import {
  Announcement,
  COMMAND_REPLIES,
  COMMANDS,
  DispatchReply,
  DriverSnapshotReply,
  type ErrorCode,
  GpsAckReply,
  GpsBatch,
  KitchenViewReply,
  MenuReply,
  Millis,
  NearbyReply,
  OrderHistoryReply,
  OrderViewReply,
  PAGES_BY_AGE,
  Strict,
  type TObject,
  TrackedOrderReply,
  type TSchema,
  Type,
} from "../../protocol/mod.js";
import { TokenRequest } from "../auth/operator.js";
import { HistoryQuery, NearbyQuery, NewsQuery } from "../http/queries.js";
import type { RouteTarget } from "../http/routes.js";

export interface PlainRoute {
  readonly summary: string;
  readonly query?: TObject;
  readonly body?: TSchema;
  readonly reply: TSchema;
  /** Default: JSON. */
  readonly contentType?: string;
  /** An unchanged answer is 304. */
  readonly tagged?: true;
  readonly refusals: readonly ErrorCode[];
}

type ReadRoute = Extract<RouteTarget, { kind: "read" }>["read"];
/** Routes by their target: a read's name, or the kind. */
export type PlainName = ReadRoute | "gps" | "tokens" | "anyCommand";

export const PLAIN_ROUTES: Readonly<Record<PlainName, PlainRoute>> = {
  history: {
    summary: `The customer's own orders, newest first. ${PAGES_BY_AGE}`,
    query: HistoryQuery,
    reply: OrderHistoryReply,
    refusals: ["unavailable"],
  },
  order: {
    summary:
      "An order with its timeline: who did what, when. Its restaurant is not told where it goes (`destination`).",
    reply: Type.Union([OrderViewReply, KitchenViewReply]),
    refusals: ["not_found", "unavailable"],
  },
  track: {
    summary: "Where an order is: made for polls every three or four seconds.",
    reply: TrackedOrderReply,
    tagged: true,
    refusals: ["not_found", "unavailable"],
  },
  stream: {
    summary: "The same as `track`, as server-sent events: each is a whole `TrackedOrder`, its id the view's version.",
    reply: TrackedOrderReply,
    contentType: "text/event-stream",
    refusals: ["not_found", "overloaded", "draining", "timeout", "unavailable"],
  },
  news: {
    summary:
      "Announcements as server-sent events: `standing` names all that are to be shown, `announcement` is one of them, `withdrawn` names one that is over.",
    query: NewsQuery,
    reply: Announcement,
    contentType: "text/event-stream",
    refusals: ["overloaded", "draining", "not_found"],
  },
  dispatch: {
    summary: "Why this driver: the search for an order's driver, offer by offer.",
    reply: DispatchReply,
    refusals: ["not_found", "timeout", "unavailable", "overloaded"],
  },
  restaurants: {
    summary: "The nearest restaurants.",
    query: NearbyQuery,
    reply: NearbyReply,
    refusals: ["unavailable"],
  },
  menu: {
    summary: "A restaurant's menu with prices, and what is left.",
    reply: MenuReply,
    tagged: true,
    refusals: ["restaurant_unknown", "unavailable"],
  },
  work: {
    summary: "The driver's shift, offers and trip, and how often to send positions.",
    reply: DriverSnapshotReply,
    refusals: ["timeout", "unavailable", "overloaded"],
  },
  node: {
    summary: "Which node answers, its version and clock.",
    reply: Type.Object(
      { version: Type.String(), timeScale: Type.Number(), serverTime: Millis },
      { additionalProperties: true },
    ),
    refusals: [],
  },
  live: { summary: "The process runs.", reply: Strict({ live: Type.Literal(true) }), refusals: [] },
  ready: {
    summary: "The node takes requests.",
    reply: Type.Object({ ready: Type.Literal(true) }, { additionalProperties: true }),
    refusals: ["draining", "unavailable"],
  },
  metrics: {
    summary: "Metrics as Prometheus reads them.",
    reply: Type.String(),
    contentType: "text/plain",
    refusals: ["not_found"],
  },
  gps: {
    summary: "Positions of the driver. Numbered fixes are recognised: sending them again is harmless.",
    body: GpsBatch,
    reply: GpsAckReply,
    refusals: ["consent_missing", "driver_offline", "rate_limited", "timeout", "unavailable", "overloaded"],
  },
  tokens: {
    summary: "Tokens for any principals, for the holder of the operator's secret.",
    body: TokenRequest,
    reply: Strict({ tokens: Type.Array(Type.String()) }),
    refusals: [],
  },
  anyCommand: {
    summary: "Any command by its name, with the command's own body.",
    body: Type.Union(Object.values(COMMANDS).map((command): TSchema => command.body)),
    reply: Type.Union(Object.values(COMMAND_REPLIES).map((command): TSchema => command.reply)),
    refusals: ["unknown_command", ...Object.values(COMMAND_REPLIES).flatMap((command) => command.refusals)],
  },
};
