import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { CODECS, ERRORS, MAX_FRAME_BYTES } from "../../protocol/mod.js";
import { eventually, MENU, OPERATOR, ORDER, pause, startHarness, trackingOf } from "../fixtures/harness.js";
import { DEFAULT_TIER_RATES } from "../limits/tiers.js";
import { STATUS } from "./problem.js";
import { ROUTES } from "./routes.js";

t.test("R-PRO-1: every error code has a status, and 4xx and 5xx agree with whether to try again", async (t) => {
  t.same(Object.keys(STATUS).sort(), Object.keys(ERRORS).sort());
  for (const [code, status] of Object.entries(STATUS)) {
    const { temporary } = ERRORS[code as keyof typeof ERRORS];
    if (status >= 500) t.ok(temporary || code === "quarantined", code);
    else t.equal(temporary, status === 429, code);
  }
});

t.test("R-ORD-5 R-ORD-1: every write by HTTP reaches its actor with the caller from the token", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  await h.tell("restaurant", "r1", "list", MENU);
  const bodies: Record<string, unknown> = {
    "/v1/orders": ORDER,
    "/v1/orders/:orderId/cancel": { reason: "r" },
    "/v1/orders/:orderId/accept": { prepMinutes: 10 },
    "/v1/orders/:orderId/reject": { reason: "r" },
    "/v1/orders/:orderId/refund": { amountMinor: 100, reason: "r" },
    "/v1/orders/:orderId/assign": { driverId: "d1", reason: "r" },
    "/v1/restaurants/:restaurantId": {
      name: "n",
      lat: 1,
      lng: 1,
      currency: "TRY",
      items: [{ itemId: "a", name: "a", priceMinor: 1 }],
    },
    "/v1/restaurants/me/items": { item: { itemId: "a", name: "a", priceMinor: 1 } },
    "/v1/restaurants/me/items/:itemId": { available: false },
    "/v1/restaurants/me/items/:itemId/options/:groupId/:choiceId": { available: false },
    "/v1/restaurants/me/open": { open: true },
    "/v1/restaurants/me/hours": { hours: null },
    "/v1/restaurants/me/categories": { categories: [{ name: "Soups" }] },
    "/v1/restaurants/me/pause": { minutes: 20 },
    "/v1/restaurants/:restaurantId/status": { status: "verified" },
    "/v1/drivers/me/online": { name: "n", vehicle: "bike", lat: 1, lng: 1 },
    "/v1/drivers/me/offers/:offerId/decline": { reason: "far" },
    "/v1/drivers/me/orders/:orderId/arrived": { stop: "pickup" },
    "/v1/drivers/me/orders/:orderId/fail": { reason: "r" },
    "/v1/drivers/me/orders/:orderId/release": { reason: "r" },
    "/v1/restaurants/me/tablets/:deviceId": { holds: [] },
    "/v1/rooms/:roomId/messages": { messageId: "m1", text: "Where is it?" },
    "/v1/rooms/:roomId/read": { offset: 1 },
  };
  let n = 0;
  for (const { method, path, target } of ROUTES) {
    if (target.kind !== "command") continue;
    const role = path.endsWith("/status")
      ? "admin"
      : path.includes("/drivers/")
        ? "driver"
        : /restaurants|accept|reject|preparing|ready$/.test(path)
          ? "restaurant"
          : /assign|refund|claim|transfer/.test(path)
            ? "support"
            : "customer";
    const id = role === "restaurant" ? "r1" : "me";
    const url = path
      .replace(":restaurantId", "r1")
      .replace(":roomId", "support:me")
      .replace(/:(orderId|offerId|itemId|groupId|choiceId|deviceId)/g, "x1");
    const token = h.token(role, id);
    const body = bodies[path];
    const send = () =>
      h.http(method, url, { token, ...(body === undefined ? {} : { body }), headers: { "idempotency-key": `k${n}` } });
    n++;
    const answer = await send();
    t.equal(answer.status, 200, `${method} ${url} ${answer.text}`);
    t.same(answer.body.caller, { id, role });
    t.same((await send()).body, answer.body, "the same key, the same answer");
    if (path.endsWith(":itemId"))
      t.same(answer.body.input, { itemId: "x1", available: false }, "path parameters are in the body");
    if (path === "/v1/restaurants/:restaurantId")
      t.match(answer.body.input, { restaurantId: "r1", profile: { name: "n" } });
  }
  const any = await h.http("POST", "/v1/commands/driver.decline", {
    token: h.token("driver", "d1"),
    body: { offerId: "of1" },
    headers: { "idempotency-key": "any" },
  });
  t.same(any.body.input, { offerId: "of1" });
  t.equal(
    (
      await h.http("POST", "/v1/commands/order.accept", {
        token: h.token("driver", "d1"),
        body: { orderId: "o" },
        headers: { "idempotency-key": "x" },
      })
    ).body.error.code,
    "forbidden",
  );
  const gps = await h.http("POST", "/v1/gps", {
    token: h.token("driver", "d9"),
    body: { bootId: "b", seq0: 3, baseTs: 1_790_000_000_000, fixes: [[0, 1, 1, 1, 1, 1]] },
  });
  t.same(gps.body, { bootId: "b", seq: 3, flagged: 0 });
});

t.test("R-PRO-1: refusals are problem details with a stable code, a hint and when to try again", async (t) => {
  const h = await startHarness({
    settings: { tierRates: { ...DEFAULT_TIER_RATES, search: { perMinute: 60, burst: 2 } } },
  });
  t.teardown(() => h.close());
  const token = h.token("customer", "c1");
  const key = { "idempotency-key": "k" };
  const cases: [string, string, string, number, Parameters<typeof h.http>[2]][] = [
    ["unauthenticated", "GET", "/v1/orders", 401, {}],
    ["unauthenticated", "GET", "/v1/orders", 401, { token: "nonsense" }],
    ["token_expired", "GET", "/v1/orders", 401, { token: h.token("customer", "c1", -10) }],
    ["forbidden", "GET", "/v1/orders", 403, { token: h.token("driver", "d1") }],
    ["forbidden", "POST", "/v1/orders", 403, { token: h.token("driver", "d1"), body: ORDER, headers: key }],
    ["malformed", "POST", "/v1/orders", 400, { token, body: "{nope", headers: key }],
    ["malformed", "POST", "/v1/orders", 400, { token, body: "[".repeat(50), headers: key }],
    ["malformed", "POST", "/v1/orders", 400, { token, body: "a=b", headers: { ...key, "content-type": "text/plain" } }],
    ["invalid", "POST", "/v1/orders", 400, { token, body: ORDER }],
    ["invalid", "POST", "/v1/orders", 400, { token, body: { ...ORDER, extra: 1 }, headers: key }],
    ["invalid", "POST", "/v1/orders", 400, { token, body: "[]", headers: key }],
    ["invalid", "POST", "/v1/orders", 400, { token, body: "null", headers: key }],
    ["too_large", "POST", "/v1/orders", 413, { token, body: `{"note":"${"x".repeat(40_000)}"}`, headers: key }],
    ["invalid", "GET", "/v1/restaurants?lat=91&lng=0", 400, {}],
    ["invalid", "GET", "/v1/restaurants?lat=&lng=0", 400, {}],
    ["invalid", "GET", "/v1/orders?limit=1000", 400, { token }],
    ["restaurant_unknown", "POST", "/v1/orders", 404, { token, body: ORDER, headers: key }],
    ["restaurant_unknown", "GET", "/v1/restaurants/none/menu", 404, {}],
    ["not_found", "GET", "/v1/orders/none/track", 404, { token }],
    ["not_found", "GET", "/v1/orders/none/stream", 404, { token }],
    ["not_found", "GET", "/v1/orders/%ff/track", 404, { token }],
    [
      "illegal_transition",
      "POST",
      "/v1/orders/o1/cancel",
      409,
      { token, body: { reason: "refuse:illegal_transition" }, headers: { "idempotency-key": "k2" } },
    ],
    [
      "expired",
      "POST",
      "/v1/orders/o1/cancel",
      410,
      { token, body: { reason: "r" }, headers: { "idempotency-key": "k3", "not-after": "1000" } },
    ],
    [
      "invalid",
      "POST",
      "/v1/orders/o1/cancel",
      400,
      { token, body: { reason: "r" }, headers: { "idempotency-key": "k4", "not-after": "soon" } },
    ],
    ["invalid", "POST", "/v1/gps", 400, { token: h.token("driver", "d1"), body: { bootId: "b" } }],
    [
      "unauthenticated",
      "POST",
      "/v1/tokens",
      401,
      { token: h.token("admin", "a1"), body: { principals: [{ id: "x", role: "admin" }], ttlSeconds: 9 } },
    ],
  ];
  for (const [code, method, path, status, options] of cases) {
    const answer = await h.http(method, path, options);
    t.equal(answer.status, status, `${method} ${path} ${answer.text.slice(0, 200)}`);
    t.equal(answer.body?.error.code, code);
    t.match(answer.body, {
      type: `urn:swifteats:error:${code}`,
      title: String,
      status,
      detail: ERRORS[code as keyof typeof ERRORS].hint,
    });
    if (code === "invalid") {
      const { path: field, problem } = answer.body.error.detail;
      t.ok(answer.body.detail.includes(problem) && answer.body.detail.includes(field), answer.body.detail);
    }
    t.equal(answer.headers.get("content-type"), "application/problem+json");
    t.equal(answer.headers.get("x-content-type-options"), "nosniff");
  }
  await h.http("GET", "/v1/restaurants?lat=1&lng=1", { token });
  await h.http("GET", "/v1/restaurants?lat=1&lng=1", { token });
  const limited = await h.http("GET", "/v1/restaurants?lat=1&lng=1", { token });
  t.equal(limited.status, 429);
  t.ok(limited.body.error.retryAfterMs > 0 && Number(limited.headers.get("retry-after")) >= 1);
  t.ok(limited.body.error.temporary);
});

t.test("R-PRO-1: an address that is none says so, a wrong method says which are right", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  for (const [method, path, status, detail] of [
    ["GET", "/v1/nowhere", 404, /nothing at this address/],
    ["GET", "/..%2f..%2fetc/passwd", 404, /nothing at this address/],
    ["POST", "/v1/nowhere", 404, /nothing at this address/],
    ["DELETE", "/v1/orders", 405, /answers POST, GET, HEAD only/],
    ["PUT", "/v1/orders/o1/track", 405, /answers GET, HEAD only/],
    ["DELETE", "/", 405, /answers GET, HEAD only/],
  ] as const) {
    const answer = await h.http(method, path);
    t.equal(answer.status, status, `${method} ${path}`);
    t.match(answer.body, { type: "urn:swifteats:error:not_found", status, detail });
    const allow = /answers (.*) only/.exec(answer.body.detail)?.[1] ?? null;
    t.equal(answer.headers.get("allow"), allow, "RFC 9110: a 405 names the methods that are right");
    t.equal(answer.headers.get("content-type"), "application/problem+json");
  }
});

t.test("a node without pages says at its front door what it is", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const answer = await h.http("GET", "/");
  t.equal(answer.status, 200);
  t.equal(answer.body.name, "Swift Eats");
  for (const name of ["node", "health"]) t.equal((await h.http("GET", answer.body[name])).status, 200, name);
});

t.test("the operator's door: tokens for any principal", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const operator = { authorization: `Operator ${OPERATOR}` };
  const principals = Array.from({ length: 1000 }, (_, i) => ({ id: `c${i}`, role: "customer" }));
  const answer = await h.http("POST", "/v1/tokens", { headers: operator, body: { principals, ttlSeconds: 60 } });
  t.equal(answer.status, 200);
  t.equal(answer.body.tokens.length, 1000);
  t.equal((await h.http("GET", "/v1/orders", { token: answer.body.tokens[7] })).status, 200);
  const lower = { authorization: `bearer ${answer.body.tokens[7]}` };
  t.equal((await h.http("GET", "/v1/orders", { headers: lower })).status, 200, "the scheme in any case");
  const wrong = async (body: unknown) => (await h.http("POST", "/v1/tokens", { headers: operator, body })).body.error;
  t.match(await wrong({ principals: [...principals, { id: "x", role: "admin" }], ttlSeconds: 60 }), {
    code: "invalid",
    detail: { path: "/principals" },
  });
  t.match(await wrong({ principals: [{ id: "x", role: "gateway" }], ttlSeconds: 60 }), { code: "invalid" });
  t.match(await wrong({ principals: [{ id: "x", role: "admin" }], ttlSeconds: 1e9 }), {
    code: "invalid",
    detail: { path: "/ttlSeconds" },
  });
  t.equal(
    (
      await h.http("POST", "/v1/tokens", {
        headers: { authorization: "Operator wrong" },
        body: { principals, ttlSeconds: 60 },
      })
    ).status,
    401,
  );
});

t.test("R-TRK-1: a poll is answered from the mirror or the index, never by the actor", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const token = h.token("customer", "c1");
  const poll = (headers: Record<string, string> = {}, as = token) =>
    h.http("GET", "/v1/orders/o1/track", { token: as, headers });
  await h.tell("order", "o1", "show", {
    tracking: trackingOf("o1", 3, "picked_up", { driverId: "d1", number: 4 }),
    viewFirst: true,
  });
  await eventually("the mirror has it", async () => (await poll()).status === 200);
  const first = await poll();
  t.match(first.body, { view: { orderId: "o1", version: 3, status: "picked_up" }, fresh: true, serverTime: Number });
  t.notOk(first.body.position);
  t.notOk("customerId" in first.body.view, "what is not the customer's to see is not there");
  const etag = first.headers.get("etag")!;
  t.equal((await poll({ "if-none-match": etag })).status, 304);

  await h.tell("driver", "d1", "mirrorFix", { lat: 41.5, at: 1000, grants: { o1: 3 } });
  await pause(400);
  t.notOk((await poll()).body.position, "another grant shows nothing");
  await h.tell("driver", "d1", "mirrorFix", { lat: 41.6, at: 2000, grants: { o1: 4, o2: 9 } });
  await eventually("the position", async () => (await poll()).body.position !== undefined);
  const moving = await poll({ "if-none-match": etag });
  t.equal(moving.status, 200);
  t.match(moving.body.position, { lat: 41.6, lng: 29, at: 2000, ageMs: Number });

  t.equal((await poll({}, h.token("customer", "c2"))).status, 404, "another's order");
  t.equal((await poll({}, h.token("support", "s1"))).status, 200);
  await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 4, "delivered", null), viewFirst: true });
  await eventually("the end", async () => (await poll()).body.view.version === 4);
  t.notOk((await poll()).body.position, "rule 12: the closing view carries no position");
  t.equal((await h.http("GET", "/v1/orders/o1", { token })).body.status, "delivered");
  t.equal((await h.http("GET", "/v1/orders/o1", { token: h.token("restaurant", "r1") })).body.status, "delivered");
  t.equal((await h.http("GET", "/v1/orders/o1", { token: h.token("restaurant", "r2") })).status, 404);
  const { destination, ...kitchens } = (await h.http("GET", "/v1/orders/o1", { token })).body;
  t.type(destination.lat, "number");
  const seen = (await h.http("GET", "/v1/orders/o1", { token: h.token("restaurant", "r1") })).body;
  t.same(seen, kitchens, "R-ACC-4: who cooks is not told where the customer lives");
});

t.test("R-CLU-5: a node whose database is away says so, and goes on taking clients", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const probe = async () => {
    const { status, body } = await h.http("GET", "/readyz");
    return { status, body };
  };
  t.same(await probe(), { status: 200, body: { ready: true, database: "answers" } });
  h.breakIndex(true);
  await eventually("it is noticed", async () => (await probe()).body.database === "away");
  t.same(await probe(), { status: 200, body: { ready: true, database: "away" } });
  h.breakIndex(false);
  await eventually("it is back", async () => (await probe()).body.database === "answers");
});

t.test("what belongs to no one: node, health, metrics, files, CORS", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "pages-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "index.html"), "<!doctype html><title>map</title>");
  writeFileSync(join(directory, "assets", "app-Ab12Cd34.js"), "export {};".repeat(100));
  writeFileSync(join(directory, "assets", "app-Ab12Cd34.js.gz"), gzipSync("export {};".repeat(100)));
  writeFileSync(join(directory, "..", "outside.txt"), "secret");
  const h = await startHarness({
    staticDirectory: directory,
    metrics: () => "swift_up 1\n",
    settings: { corsOrigins: ["https://eats.example"], drainMs: 50 },
  });
  t.teardown(() => h.close());
  t.match((await h.http("GET", "/v1/node")).body, { version: "1.2.3", timeScale: 60, zones: ["z1"] });
  t.equal((await h.http("GET", "/livez")).status, 200);
  t.equal((await h.http("HEAD", "/livez")).status, 200);
  t.equal((await h.http("GET", "/readyz")).status, 200);
  t.equal((await h.http("GET", "/metrics")).text, "swift_up 1\n");
  const page = await h.http("GET", "/");
  t.match(page.text, "<title>map</title>");
  t.match(page.headers.get("content-security-policy"), "default-src 'self'");
  t.equal((await h.http("GET", "/", { headers: { "if-none-match": page.headers.get("etag")! } })).status, 304);
  const script = await h.http("GET", "/assets/app-Ab12Cd34.js");
  t.equal(script.headers.get("content-encoding"), "gzip");
  t.match(script.headers.get("cache-control"), "immutable");
  for (const path of ["/../outside.txt", "/assets/../../outside.txt", "/%2e%2e/outside.txt", "/assets"]) {
    t.equal((await h.http("GET", path)).status, 404, path);
  }
  const cors = (origin: string) =>
    h.http("OPTIONS", "/v1/orders", { headers: { origin, "access-control-request-method": "POST" } });
  t.equal((await cors("https://eats.example")).headers.get("access-control-allow-origin"), "https://eats.example");
  t.match((await cors("https://eats.example")).headers.get("access-control-allow-methods"), "POST");
  t.equal((await cors("https://eats.example.evil")).headers.get("access-control-allow-origin"), null, "R-ACC-4: exact");
  await h.tell("restaurant", "r1", "list", MENU);
  for (const path of ["/v1/node", "/v1/restaurants/r1/menu"]) {
    for (const origin of ["", "https://eats.example", "https://eats.example.evil"]) {
      const { headers } = await h.http("GET", path, { headers: origin === "" ? {} : { origin } });
      t.match(headers.get("vary"), "origin", "a cache keeps what it got from one from the others");
    }
  }
  await h.gateway.drain();
  t.equal((await h.http("GET", "/readyz")).body.error.code, "draining");
  t.equal((await h.http("GET", "/livez")).status, 200);
});

t.test("R-PRO-5: requests cut off at every moment leave nothing behind", async (t) => {
  const h = await startHarness({ settings: { bodyTimeoutMs: 300 } });
  t.teardown(() => h.close());
  const token = h.token("customer", "c1");
  const head = (length: number) =>
    `POST /v1/orders/o1/cancel HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  const body = JSON.stringify({ reason: "r" });
  const whole = head(body.length) + body;
  for (let cut = 1; cut <= whole.length; cut += 7) {
    const socket = connect(h.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(whole.slice(0, cut), () => socket.destroy());
  }
  for (const junk of [
    "\r\n\r\n",
    "GET\r\n\r\n",
    `GET /${"x".repeat(70_000)} HTTP/1.1\r\n\r\n`,
    `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(5000)}\r\n`,
    "POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
  ]) {
    const socket = connect(h.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.end(junk);
  }
  const slow = connect(h.port, "127.0.0.1");
  let heard = "";
  slow.on("data", (data) => {
    heard += data.toString();
  });
  slow.write(`${head(500)}{"reason`);
  await eventually("a body that never ends is given up", () => heard.includes("504"));
  slow.destroy();
  await eventually("nothing waits", () => h.gateway.stats().requests === 0);
  t.equal((await h.http("GET", "/livez")).status, 200);
  t.same(
    h.logged.filter((line) => line.startsWith("http.failed")),
    [],
  );
});

t.test("R-PRO-5: an order counts as an order through every door", async (t) => {
  const h = await startHarness({
    settings: { tierRates: { ...DEFAULT_TIER_RATES, order: { perMinute: 60, burst: 2 } } },
  });
  t.teardown(() => h.close());
  const place = (path: string, key: string) =>
    h.http("POST", path, { token: h.token("customer", "c1"), body: ORDER, headers: { "idempotency-key": key } });
  t.equal((await place("/v1/orders", "1")).body.error.code, "restaurant_unknown");
  t.equal((await place("/v1/commands/order.place", "2")).body.error.code, "restaurant_unknown");
  t.equal((await place("/v1/commands/order.place", "3")).body.error.code, "rate_limited");
  t.equal((await place("/v1/orders", "4")).body.error.code, "rate_limited");
});

t.test("several gateways share one port, and a stranger's port is an error", async (t) => {
  const one = await startHarness();
  const two = await startHarness();
  t.teardown(async () => {
    await one.close();
    await two.close();
  });
  await t.rejects(two.gateway.listen(one.port), { message: /in use/ });
  const shared = await startHarness({ share: true });
  const beside = await startHarness({ share: true, port: shared.port });
  t.teardown(async () => {
    await shared.close();
    await beside.close();
  });
  t.equal(beside.port, shared.port);
  const heard = new Set<string>();
  await eventually("both answer", async () => {
    const socket = connect(shared.port, "127.0.0.1");
    socket.end("GET /v1/node HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
    for (const [name, each] of [
      ["shared", shared],
      ["beside", beside],
    ] as const) {
      if ((each.gateway.stats().httpStatuses[200] ?? 0) > 0) heard.add(name);
    }
    return heard.size === 2;
  });
});

t.test("R-PRO-1: an upgrade without one of our subprotocols is refused with a problem", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(h.port, "127.0.0.1");
    socket.on("data", (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.write(
      "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
    );
  });
  t.match(answer, /^HTTP\/1.1 400 /);
  t.match(answer, "urn:swifteats:error:invalid");
  t.equal(CODECS.msgpack.subprotocol, "swifteats.v1.msgpack");
  t.equal(MAX_FRAME_BYTES, 16_384);
});
