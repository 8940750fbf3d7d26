/**
 * What a client may ask of a node. The shape is that of `GatewaySettings` of the gateway, without what the node itself
 * knows; a test holds shape and defaults together. None of it is divided by `node.timeScale`.
 */
import { count, duration, section } from "./building.js";
import { integer, list, networks, text } from "./setting.js";

const bytes = (minimum: number, maximum: number, description: string, advice = "Give bytes.") =>
  integer(minimum, maximum, { description, advice });

const rate = (what: string) =>
  section(what, {
    perMinute: count("Sustained, for one account (or address).", 10_000_000),
    burst: count("At once, after a silence.", 10_000_000),
  });

export const gatewaySection = section("What a client may ask of one gateway thread.", {
  minAppVersion: text(
    30,
    {
      description: "Applications older than this are refused with 4504.",
      advice: "Give numbers and dots, for example 2.1; 0 lets every version in.",
    },
    "^[0-9]+(\\.[0-9]+)*$",
  ),
  helloTimeoutMs: duration("A socket that has not said HELLO by then closes with 4502.", 60_000, 100),
  pingMs: duration("A silent line is pinged this often.", 120_000, 1000),
  silenceMs: duration(
    "A socket not heard for this long closes with 4002; one that is told things is asked after this long.",
    600_000,
    2000,
  ),
  tokenWarningMs: duration("TOKEN_EXPIRING comes this long before the token's end.", 3_600_000),
  maxConnections: count("Open sockets; one more is told to come back later.", 1_000_000),
  maxOpening: count("Sockets that have not said HELLO yet.", 1_000_000),
  maxConnectionsPerUser: count(
    "Open sockets of one account, one more closes with 4505; and as many event streams (SSE).",
    10_000,
  ),
  maxSubscriptions: count("Channels one socket may listen to.", 10_000),
  maxCommandsInFlight: count("Commands of one socket that wait for their reply; one more is overloaded.", 10_000),
  maxGpsInFlight: count("Batches of fixes of one socket that wait for their answer.", 1000),
  framesPerMinute: count("Frames of one socket, sustained; faster closes with 4004.", 1_000_000),
  frameBurst: count("Frames of one socket at once, after a silence.", 1_000_000),
  maxMistakesPerMinute: count("Refused frames of one socket; more closes it as hostile.", 100_000),
  slotBacklogBytes: bytes(0, 16_777_216, "Latest-wins values wait in their slots while more than this is unsent."),
  reliableBacklogBytes: bytes(
    16_384,
    16_777_216,
    "Unsent bytes of one socket; more closes it with 4003 and the client resumes.",
    "This times the open sockets is the most memory that slow readers can take.",
  ),
  positionEveryMs: duration("A subscriber sees a new position at most this often.", 60_000),
  ownerSilenceMs: duration(
    "No position is shown when the owner of its order was not heard for this long.",
    60_000,
    500,
  ),
  commandTimeoutMs: duration("A command without an answer is given up after this: timeout.", 120_000, 100),
  gpsTimeoutMs: duration("A batch of fixes without an answer is given up after this.", 120_000, 100),
  gpsGatherMs: duration(
    "Fixes go to the drivers' actors in pieces, at most so long after they came; 0: each by itself.",
    1000,
  ),
  // A node honours a command's id for a day (`src/node/housekeeping.ts`): what may come later would be done twice.
  maxNotAfterMs: duration(
    "How far ahead a command's notAfter may lie. A command's id is remembered for a day, so what a phone sends again must come sooner.",
    18 * 3_600_000,
    1000,
  ),
  gpsPerMinute: count("Batches of fixes of one driver, sustained; more is rate_limited.", 6000),
  gpsBurst: count("Batches of fixes of one driver at once, after a silence.", 1000),
  tierRates: section("Requests by kind, the same for sockets and HTTP.", {
    browse: rate("Menus, orders, tracking: every read that is not a search."),
    search: rate("Searches."),
    order: rate("Placing orders."),
    command: rate("Every other write."),
    operations: rate("Whatever support and admin ask, of any kind."),
    anonymous: rate("Requests without a token, counted by address."),
    tokens: rate("Requests at the operator's door, counted by address."),
  }),
  maxSearchesAtOnce: count(
    "Searches of one account, or of one address without one, that wait for their answer, by each gateway thread; more are answered with `overloaded`.",
    1_000_000,
  ),
  maxLimitedKeys: count("Accounts or addresses whose rate is remembered, by kind.", 10_000_000, 100),
  maxCachedTokens: count("Verified tokens that are remembered.", 10_000_000, 100),
  maxBodyBytes: bytes(1024, 8_388_608, "The largest body of an ordinary HTTP request."),
  maxProfileBytes: bytes(1024, 8_388_608, "The largest body of a restaurant's whole profile."),
  maxTokenRequestBytes: bytes(1024, 8_388_608, "The largest body of a request for tokens."),
  bodyTimeoutMs: duration("A body that is not complete by then is given up.", 600_000, 100),
  maxUnfinishedBytes: bytes(
    1024,
    1_073_741_824,
    "Held of bodies that have not come whole, by each gateway thread, all together; more are answered with `overloaded`.",
  ),
  maxRequests: count("HTTP requests that are being answered at once.", 1_000_000),
  maxStreams: count("Open event streams (SSE).", 1_000_000),
  streamHeartbeatMs: duration("A silent event stream gets a comment this often.", 120_000, 1000),
  corsOrigins: list(100, 255, {
    description: "Web origins whose pages may call the node; the node's own pages always may.",
    env: ["CORS_ORIGINS"],
    advice: "Give exact origins such as https://eats.example, no paths and no wildcards.",
  }),
  trustedProxies: networks(100, {
    description:
      "Proxies and load balancers in front: of whoever comes through them the address counts that they name, by the PROXY protocol (version 2) or in X-Forwarded-For. Not named: their own counts, and all their clients share its limits.",
    env: ["TRUSTED_PROXIES"],
    advice: "Give addresses or networks such as 10.0.0.0/8, and only of machines that clients cannot be.",
  }),
});
