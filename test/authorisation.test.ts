/**
 * Who may do what, walked whole: every route, frame, command and channel × every role and nobody × one's own, another's
 * and nobody's. The tables are the product's own; what is proved is that the doors keep to them and that nothing stands
 * beside them.
 */
import t from "tap";
import { ChatRoom, defaultDomainSettings, domainActors } from "../src/actors/domain/mod.js";
import { FRAME_ACCESS, ROUTE_ACCESS } from "../src/gateway/auth/access.js";
import { clock, type Harness, type HttpReply, OPERATOR, startHarness } from "../src/gateway/fixtures/harness.js";
import { ROUTES, routeName } from "../src/gateway/http/routes.js";
import {
  CHANNELS,
  type ChannelFamily,
  CLIENT_FRAME_SCHEMAS,
  COMMANDS,
  type CommandType,
  OP,
  OPERATIONS,
  ROLES,
  type Role,
} from "../src/protocol/mod.js";
import { inProcessProvider, paymentEffect } from "../src/services/payments/mod.js";
import { type ExampleRequest, exampleRequests } from "./support/example-requests.js";

/** What a service's handler answers here: its own refusals are proved elsewhere, this one only says that it was asked. */
const PASSED = "offer_taken";
const askedHandlers = Object.fromEntries(
  Object.keys(OPERATIONS).map((name) => [name, () => ({ ok: false as const, code: PASSED })]),
);
const TURNED_AWAY = ["unauthenticated", "token_expired", "forbidden"];
const UNLIMITED = { perMinute: 1_000_000, burst: 1_000_000 };
const tierRates = Object.fromEntries(
  ["browse", "search", "order", "command", "operations", "anonymous", "tokens"].map((tier) => [tier, UNLIMITED]),
) as Record<"browse" | "search" | "order" | "command" | "operations" | "anonymous" | "tokens", typeof UNLIMITED>;
const FREE = { tierRates, gpsPerMinute: 1_000_000, gpsBurst: 1_000_000, maxMistakesPerMinute: 1_000_000 };

let keys = 0;
async function send(
  h: Harness,
  request: ExampleRequest,
  who: { token?: string; authorization?: string },
  ids: Readonly<Record<string, string>> = {},
): Promise<HttpReply> {
  const isStream = request.route.target.kind === "read" && request.route.target.read === "stream";
  return h.http(isStream ? "HEAD" : request.route.method, request.url(ids), {
    ...(who.token === undefined ? {} : { token: who.token }),
    ...(request.body === undefined ? {} : { body: request.body }),
    headers: {
      ...(request.keyed ? { "idempotency-key": `key-${++keys}` } : {}),
      ...(who.authorization === undefined ? {} : { authorization: who.authorization }),
    },
  });
}

/** 401 and 403 as such; everything else has passed the door. HEAD has no body to read a code from. */
function door(answer: HttpReply): "passes" | "unauthenticated" | "forbidden" {
  if (answer.status === 401) return "unauthenticated";
  if (answer.status === 403) return "forbidden";
  return TURNED_AWAY.includes(answer.body?.error?.code) ? "forbidden" : "passes";
}

t.test("R-ACC-3: a route that is in no table cannot be reached, and the tables name nothing else", async (t) => {
  t.strictSame(Object.keys(ROUTE_ACCESS).sort(), ROUTES.map(routeName).sort());
  const clientOps = Object.keys(CLIENT_FRAME_SCHEMAS).map(Number);
  t.strictSame(
    Object.keys(FRAME_ACCESS).map(Number),
    clientOps.filter((op) => op !== OP.hello),
  );
  for (const name of Object.keys(COMMANDS)) {
    const { roles } = COMMANDS[name as CommandType];
    t.ok(roles.length > 0 && roles.every((role) => ROLES.includes(role)), `${name} is somebody's`);
  }
  const h = await startHarness({ settings: FREE });
  t.teardown(() => h.close());
  const token = h.token("admin", "a1");
  for (const path of [
    "/v1",
    "/v1/orders/o1/secret",
    "/v1/admin",
    "/v2/orders",
    "/v1/orders/",
    "/v1//orders",
    "/.env",
  ]) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await h.http(method, path, { token });
      t.ok(answer.status === 404 || answer.status === 405, `${method} ${path} is not there: ${answer.status}`);
    }
  }
});

t.test("R-ACC-3: every route lets in exactly whom its row names", async (t) => {
  const h = await startHarness({ settings: FREE, operations: [askedHandlers] });
  t.teardown(() => h.close());
  const expired = h.token("admin", "a1", -10);
  for (const request of exampleRequests()) {
    const { name, access } = request;
    const nobody = door(await send(h, request, {}));
    if (access === "operator") {
      t.equal(nobody, "unauthenticated", `${name} without the secret`);
      for (const role of ROLES)
        t.equal(door(await send(h, request, { token: h.token(role, "x1") })), "unauthenticated", `${name} as ${role}`);
      t.equal(door(await send(h, request, { authorization: `Operator ${OPERATOR}x` })), "unauthenticated", name);
      t.equal(door(await send(h, request, { authorization: `Operator ${OPERATOR}` })), "passes", name);
      continue;
    }
    t.equal(nobody, access === "anyone" ? "passes" : "unauthenticated", `${name} without a token`);
    if (access !== "anyone") {
      for (const token of [expired, "nonsense", `${h.token("admin", "a1")}x`]) {
        t.equal(door(await send(h, request, { token })), "unauthenticated", `${name} with a token that is none`);
      }
      t.equal(door(await send(h, request, { authorization: `Operator ${OPERATOR}` })), "unauthenticated", name);
    }
    for (const role of ROLES) {
      // The command by its name is judged by the command's own row.
      const isCommand = request.route.target.kind === "anyCommand";
      const roles: readonly Role[] = isCommand ? COMMANDS["order.place"].roles : access === "anyone" ? ROLES : access;
      const expected = roles.includes(role) ? "passes" : "forbidden";
      t.equal(door(await send(h, request, { token: h.token(role, `${role}-1`) })), expected, `${name} as ${role}`);
    }
  }
});

t.test("R-ACC-3: every frame, command and channel lets in exactly whom its row names", async (t) => {
  const h = await startHarness({ settings: FREE, definitions: domainActors(defaultDomainSettings) });
  t.teardown(() => h.close());
  const token = h.token("driver", "d0");
  const frames: Readonly<Record<number, readonly unknown[]>> = {
    [OP.sub]: [OP.sub, 1, "order:nobody"],
    [OP.unsub]: [OP.unsub, 1, "order:nobody"],
    [OP.cmd]: [OP.cmd, 1, "k", "nothing", {}],
    [OP.ack]: [OP.ack, "order:nobody", 1, 1],
    [OP.gps]: [OP.gps, "boot", 0, clock.now(), [[0, 1, 1, 1, 1, 1]]],
    [OP.refresh]: [OP.refresh, 1, token],
    [OP.pong]: [OP.pong, 1],
  };
  t.strictSame(Object.keys(frames), Object.keys(FRAME_ACCESS), "every frame is tried");
  for (const [op, frame] of Object.entries(frames)) {
    const stranger = await h.socket("json");
    stranger.send(frame);
    t.ok((await stranger.closed).code >= 4500, `frame ${op} before HELLO ends the socket`);
  }
  for (const role of ROLES) {
    const socket = await h.connect(role, `${role}-1`, { codec: "json" });
    /** The code that a frame is refused with. Frames without an id of their own are answered before the next one is. */
    const codeOf = async ([op, ...rest]: readonly unknown[]): Promise<unknown> => {
      const id = ++keys + 1_000_000;
      const hasId = op === OP.sub || op === OP.unsub || op === OP.cmd || op === OP.refresh;
      const before = socket.frames.length;
      socket.send(hasId ? [op, id, ...rest.slice(1)] : [op, ...rest]);
      if (!hasId) socket.send([OP.unsub, id, "order:marker"]);
      const answer = await socket.next((each) => each[1] === id || (each[0] === OP.subbed && each[1] === rest[1]));
      if (hasId) return answer[0] === OP.err ? answer[2] : undefined;
      return socket.frames.slice(before).find((each) => each[0] === OP.err && each[1] === 0)?.[2];
    };
    for (const [op, frame] of Object.entries(frames)) {
      if (Number(op) === OP.refresh) continue;
      const allowed = FRAME_ACCESS[Number(op)]!.includes(role);
      // Their own channel, because which channels are whose comes below.
      const tried =
        Number(op) === OP.sub && (role === "driver" || role === "restaurant")
          ? [OP.sub, 1, `${role}:${role}-1`]
          : frame;
      t.equal((await codeOf(tried)) === "forbidden", !allowed, `frame ${op} of ${role}`);
    }
    const own = h.token(role, `${role}-1`);
    t.equal(await codeOf([OP.refresh, 1, own]), undefined, `${role} brings a new token`);
    t.equal(await codeOf([OP.refresh, 1, h.token(role, "somebody-else")]), "forbidden", `${role} stays who it is`);
    for (const other of ROLES.filter((each) => each !== role)) {
      t.equal(await codeOf([OP.refresh, 1, h.token(other, `${role}-1`)]), "forbidden", `${role} stays ${role}`);
    }
    for (const type of Object.keys(COMMANDS) as CommandType[]) {
      const roles: readonly Role[] = COMMANDS[type].roles;
      // An empty body is looked at only after the role.
      const code = await codeOf([OP.cmd, 1, `k-${++keys}`, type, { nothing: true }]);
      t.equal(code, roles.includes(role) ? "invalid" : "forbidden", `${type} by ${role}`);
    }
    for (const family of Object.keys(CHANNELS) as ChannelFamily[]) {
      const roles: readonly Role[] = CHANNELS[family].roles;
      const nobodys = family.startsWith("room") ? "support:nobody" : "nobody";
      const code = await codeOf([OP.sub, 1, `${family}:${nobodys}`]);
      t.equal(code === "forbidden", !roles.includes(role), `${family} by ${role}`);
    }
    for (const channel of [
      "location:d1",
      "work:d1",
      "toString:x",
      "__proto__:x",
      "order:",
      "order",
      ":",
      "order:a b",
    ]) {
      t.equal(await codeOf([OP.sub, 1, channel]), "unknown_channel", channel);
    }
    socket.close();
  }
});

const PROFILE = {
  name: "Lokanta",
  lat: 41,
  lng: 29,
  currency: "TRY",
  items: [{ itemId: "soup", name: "Soup", priceMinor: 500 }],
};

t.test("R-ACC-3: another's reads as nobody's, by every route and on every channel", async (t) => {
  const bank = inProcessProvider(() => clock.now());
  const h = await startHarness({
    definitions: domainActors(defaultDomainSettings),
    effects: { payment: paymentEffect(bank) },
    settings: FREE,
  });
  t.teardown(() => h.close());
  const headers = () => ({ "idempotency-key": `key-${++keys}` });
  for (const id of ["r1", "r2"]) {
    const token = h.token("restaurant", id);
    const made = await h.http("PUT", `/v1/restaurants/${id}`, { token, body: PROFILE, headers: headers() });
    t.equal(made.status, 200, made.text);
    const verified = await h.http("POST", `/v1/restaurants/${id}/status`, {
      token: h.token("admin", "a1"),
      body: { status: "verified" },
      headers: headers(),
    });
    t.ok(verified.status === 200 || verified.status === 409, verified.text);
  }
  const placed = await h.http("POST", "/v1/orders", {
    token: h.token("customer", "c1"),
    body: {
      restaurantId: "r1",
      lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }],
      destination: { lat: 41.001, lng: 29.001 },
      currency: "TRY",
    },
    headers: headers(),
  });
  t.equal(placed.status, 200, placed.text);
  const { orderId } = placed.body;
  const NOBODYS = "o-that-is-nobodys";
  const strangers: readonly (readonly [Role, string])[] = [
    ["customer", "c2"],
    ["restaurant", "r2"],
    ["driver", "d2"],
  ];
  let compared = 0;
  for (const request of exampleRequests()) {
    const { access, name, route } = request;
    if (typeof access === "string" || !request.pathParameters.includes("orderId")) continue;
    if (route.target.kind === "operation") continue;
    for (const [role, id] of strangers) {
      if (!access.includes(role)) continue;
      const token = h.token(role, id);
      const anothers = await send(h, request, { token }, { orderId });
      const nobodys = await send(h, request, { token }, { orderId: NOBODYS });
      t.equal(nobodys.status, 404, `${name}: nobody's, asked as ${role}: ${nobodys.text}`);
      t.equal(anothers.status, 404, `${name}: another's, asked as ${role}: ${anothers.text}`);
      t.same(anothers.body, nobodys.body, `${name}: no difference to be seen by ${role}`);
      compared++;
    }
  }
  t.ok(compared >= 12, `${compared} routes name an order`);
  const own: readonly (readonly [string, Role, string])[] = [
    [`/v1/orders/${orderId}`, "customer", "c1"],
    [`/v1/orders/${orderId}/track`, "customer", "c1"],
    [`/v1/orders/${orderId}`, "restaurant", "r1"],
    [`/v1/orders/${orderId}`, "support", "s1"],
    [`/v1/orders/${orderId}/dispatch`, "support", "s1"],
  ];
  for (const [path, role, id] of own) {
    const answer = await h.http("GET", path, { token: h.token(role, id) });
    t.equal(answer.status, 200, `${path} as ${role} ${id}: ${answer.text}`);
  }
  t.same((await h.http("GET", "/v1/orders", { token: h.token("customer", "c2") })).body.orders, []);
  t.equal((await h.http("GET", "/v1/orders", { token: h.token("customer", "c1") })).body.orders.length, 1);
  const foreign = await h.http("PUT", "/v1/restaurants/r1", {
    token: h.token("restaurant", "r2"),
    body: PROFILE,
    headers: headers(),
  });
  const unknown = await h.http("PUT", "/v1/restaurants/r9", {
    token: h.token("restaurant", "r2"),
    body: PROFILE,
    headers: headers(),
  });
  t.equal(foreign.status, 404);
  t.same(foreign.body, unknown.body, "another's restaurant reads as one that is not there");

  const opened = await h.client.ask(
    ChatRoom,
    "support:c1",
    "openSupport",
    { orderId: null },
    {
      commandId: "room",
      caller: { id: "c1", role: "customer" },
    },
  );
  t.ok(opened.ok, "a room of c1");
  const channels: readonly (readonly [Role, string, string, string])[] = [
    ["customer", "c2", "room:support:c1", "room:support:nobody"],
    ["driver", "c1", "room:support:c1", "room:support:nobody"],
    ["customer", "c2", "room-state:support:c1", "room-state:support:nobody"],
    ["driver", "c1", "room-state:support:c1", "room-state:support:nobody"],
    ["customer", "c2", `order:${orderId}`, `order:${NOBODYS}`],
    ["driver", "d2", "driver:d1", "driver:nobody"],
    ["restaurant", "r2", "restaurant:r1", "restaurant:nobody"],
    ["restaurant", "r2", "restaurant-state:r1", "restaurant-state:nobody"],
  ];
  for (const [role, id, anothers, nobodys] of channels) {
    const socket = await h.connect(role, id, { codec: "json" });
    const heard = async (channel: string): Promise<readonly unknown[]> => {
      const requestId = ++keys;
      socket.send([OP.sub, requestId, channel]);
      const frame = await socket.next((each) => each[1] === requestId || each[1] === channel);
      return [frame[0], frame[2]];
    };
    t.same(await heard(anothers), [OP.err, "not_found"], `${anothers} as ${id}`);
    t.same(await heard(nobodys), [OP.err, "not_found"], `${nobodys} as ${id}`);
    socket.close();
  }
  const bodies: Readonly<Record<string, object>> = {
    "chat.say": { messageId: "m1", text: "hi" },
    "chat.read": { offset: 1 },
  };
  for (const type of (Object.keys(COMMANDS) as CommandType[]).filter((each) => each.startsWith("chat."))) {
    const roles: readonly Role[] = COMMANDS[type].roles;
    for (const role of ["customer", "driver"] as const) {
      if (!roles.includes(role)) continue;
      const token = h.token(role, role === "customer" ? "c2" : "c1");
      const say = (roomId: string) =>
        h.http("POST", `/v1/commands/${type}`, { token, headers: headers(), body: { roomId, ...bodies[type] } });
      const [anothers, nobodys] = [await say("support:c1"), await say("support:nobody")];
      t.equal(nobodys.body.error.code, "not_found", `${type} in nobody's room, as ${role}: ${nobodys.text}`);
      t.same(anothers.body, nobodys.body, `${type}: no difference to be seen by ${role}`);
    }
  }
  const owner = await h.connect("customer", "c1", { codec: "json" });
  owner.send([OP.sub, 1, `order:${orderId}`]);
  t.equal((await owner.next((frame) => frame[1] === `order:${orderId}`))[0], OP.subbed);
  owner.close();
});
