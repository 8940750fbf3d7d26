import t from "tap";
import { CLOSE, CODECS, COMMANDS, OP } from "../../protocol/mod.js";
import { eventually, MENU, ORDER, pause, startHarness, trackingOf } from "../fixtures/harness.js";

const isErr = (code: string) => (frame: readonly unknown[]) => frame[0] === OP.err && frame[2] === code;

t.test("the happy paths, in both codecs", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  await h.tell("restaurant", "r1", "list", MENU);
  for (const codec of ["msgpack", "json"] as const) {
    const customer = await h.connect("customer", "c1", { codec });
    const welcome = customer.frames[0]!;
    t.match(welcome, [OP.welcome, /^[0-9a-f-]{36}$/, Number, 20_000, Number], `R-PRO-1 WELCOME (${codec})`);
    t.match(welcome[5], { maxFrameBytes: 16_384, maxSubscriptions: 100, commandsPerMinute: 600 });

    customer.send([OP.cmd, 1, `place-${codec}`, "order.place", ORDER]);
    const placed = (await customer.op(OP.reply)) as [
      number,
      number,
      { input: Record<string, unknown>; key: string; caller: unknown },
    ];
    t.equal(placed[1], 1);
    t.match(placed[2].key, /^[0-9a-f]{32}$/, "the order's id is derived");
    t.same(placed[2].caller, { id: "c1", role: "customer" });
    t.match(
      placed[2].input,
      {
        lines: [{ itemId: "a", name: "Soup", quantity: 2, unitPriceMinor: 500 }],
        restaurant: { name: "Lokanta", lat: 41, lng: 29 },
        totals: { itemsMinor: 1000, taxMinor: 100, feeMinor: 300, totalMinor: 1400 },
      },
      "R-ORD-1: names, pickup point and totals come from the menu",
    );

    customer.send([
      0,
      [OP.cmd, 2, "b1", "order.cancel", { orderId: "o9", reason: "late" }],
      [OP.pong, 1],
      [OP.unsub, 3, "order:none"],
    ]);
    t.match(await customer.op(OP.reply), [OP.reply, 3, null], "a batch is taken frame by frame");
    t.match(await customer.op(OP.reply), [OP.reply, 2, { key: "o9" }]);

    const driver = await h.connect("driver", `d-${codec}`, { codec });
    driver.send([
      OP.gps,
      "boot",
      7,
      1_790_000_000_000,
      [
        [0, 41, 29, 5, -1, -1],
        [1000, 41, 29, 5, -1, -1],
      ],
    ]);
    t.same(await driver.op(OP.gpsAck), [OP.gpsAck, "boot", 8], "R-GPS-2: acknowledged by the driver's actor");

    customer.send([OP.refresh, 4, h.token("customer", "c1", 50)]);
    t.match(await customer.op(OP.reply), [OP.reply, 4, { tokenTtlMs: Number }]);
    customer.close();
    driver.close();
  }
});

t.test("R-ORD-5 rule 2: one key, one order, one answer; another body is key_reused", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  await h.tell("restaurant", "r1", "list", MENU);
  const customer = await h.connect("customer", "c1");
  const replies: unknown[] = [];
  for (let i = 0; i < 5; i++) {
    customer.send([OP.cmd, i, "same-key", "order.place", ORDER]);
    replies.push((await customer.op(OP.reply))[2]);
  }
  for (const reply of replies) t.same(reply, replies[0]);
  t.match(replies[0], { runs: 1 }, "the handler ran once");
  const reordered = Object.fromEntries(Object.entries(ORDER).reverse());
  const byHttp = await h.http("POST", "/v1/orders", {
    token: h.token("customer", "c1"),
    body: reordered,
    headers: { "idempotency-key": "same-key" },
  });
  t.same(byHttp.body, replies[0], "the same key by HTTP, properties in another order: the same answer");
  customer.send([OP.cmd, 9, "same-key", "order.place", { ...ORDER, tipMinor: 5 }]);
  t.match(await customer.op(OP.err), [OP.err, 9, "key_reused", false]);
  const other = await h.connect("customer", "c2");
  other.send([OP.cmd, 1, "same-key", "order.place", ORDER]);
  t.not(
    ((await other.op(OP.reply))[2] as { key: string }).key,
    (replies[0] as { key: string }).key,
    "another's key is another order",
  );
});

t.test("R-ORD-1: refusals name the new values, and never refuse an order that exists", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const customer = await h.connect("customer", "c1");
  const place = async (key: string, body: unknown) => {
    customer.send([OP.cmd, 1, key, "order.place", body]);
    return customer.next((frame) => frame[0] === OP.reply || frame[0] === OP.err);
  };
  t.match(await place("k0", ORDER), [OP.err, 1, "restaurant_unknown"]);
  await h.tell("restaurant", "r1", "list", MENU);
  await pause(120);
  const withPrice = (unitPriceMinor: number) => ({ ...ORDER, lines: [{ itemId: "a", quantity: 1, unitPriceMinor }] });
  t.match(await place("k1", withPrice(499)), [
    OP.err,
    1,
    "price_changed",
    false,
    0,
    { items: [{ itemId: "a", unitPriceMinor: 500 }] },
  ]);
  t.match(await place("k2", { ...ORDER, lines: [{ itemId: "b", quantity: 3, unitPriceMinor: 100 }] }), [
    OP.err,
    1,
    "item_unavailable",
    false,
    0,
    { items: [{ itemId: "b", left: 2 }] },
  ]);
  t.match(await place("k3", { ...ORDER, destination: { lat: 42, lng: 29 } }), [OP.err, 1, "out_of_area"]);
  t.match(await place("k4", { ...ORDER, currency: "EUR" }), [OP.err, 1, "invalid", false, 0, { path: "/currency" }]);
  const first = await place("k5", withPrice(500));
  t.equal(first[0], OP.reply);
  const orderId = (first[2] as { key: string }).key;
  await h.tell("order", orderId, "show", { tracking: trackingOf(orderId, 1, "placed"), viewFirst: true });
  await h.tell("restaurant", "r1", "list", { ...MENU, menuVersion: 2, open: false });
  let tries = 0;
  await eventually(
    "the closed menu is seen",
    async () => (await place(`k6-${++tries}`, withPrice(500)))[2] === "restaurant_closed",
  );
  t.same(await place("k5", withPrice(500)), first, "a retry after the restaurant has closed gets the first answer");
  const closedKey = `k6-${tries}`;
  const refused = await place(closedKey, withPrice(500));
  await h.tell("restaurant", "r1", "list", { ...MENU, menuVersion: 3 });
  await eventually(
    "the menu is open again",
    async () => (await place(`k7-${++tries}`, withPrice(500)))[0] === OP.reply,
  );
  t.same(await place(closedKey, withPrice(500)), refused, "rule 2: the refused key keeps its answer");
});

t.test("R-ACC-3: roles and owners, on every command and channel", async (t) => {
  const h = await startHarness({
    settings: {
      maxMistakesPerMinute: 10_000,
      tierRates: { ...(await rates()), command: { perMinute: 1e6, burst: 1e6 } },
    },
  });
  t.teardown(() => h.close());
  for (const role of ["customer", "driver", "restaurant", "support", "admin"] as const) {
    const socket = await h.connect(role, "me");
    for (const [type, entry] of Object.entries(COMMANDS)) {
      if ((entry.roles as readonly string[]).includes(role)) continue;
      socket.send([OP.cmd, 1, `k-${type}`, type, {}]);
      t.match(await socket.op(OP.err), [OP.err, 1, "forbidden", false], `${role} may not ${type}`);
    }
    const channels = {
      order: ["customer", "support", "admin"],
      driver: ["driver"],
      restaurant: ["restaurant"],
      zone: ["support", "admin"],
    };
    for (const [family, roles] of Object.entries(channels)) {
      if (roles.includes(role)) continue;
      socket.send([OP.sub, 2, `${family}:x`]);
      t.match(await socket.op(OP.err), [OP.err, 2, "forbidden"], `${role} may not listen to ${family}`);
    }
    if (role !== "driver") {
      socket.send([OP.gps, "b", 0, 1, [[0, 1, 1, 1, 1, 1]]]);
      t.match(await socket.op(OP.err), [OP.err, 0, "forbidden"], `${role} sends no positions`);
    }
    socket.close();
  }
  await h.tell("order", "o1", "show", { tracking: trackingOf("o1", 1, "placed", null, "c1"), viewFirst: true });
  const stranger = await h.connect("customer", "c2");
  stranger.send([OP.sub, 1, "order:o1"]);
  t.match(await stranger.op(OP.err), [OP.err, 1, "not_found", false], "another's order is not found");
  stranger.send([OP.sub, 2, "order:never-placed"]);
  t.match(await stranger.op(OP.err), [OP.err, 2, "not_found", false], "exactly as one that is not there");
  const driver = await h.connect("driver", "d1");
  driver.send([OP.sub, 1, "driver:d2"]);
  t.match(await driver.op(OP.err), [OP.err, 1, "not_found"]);
  const tablet = await h.connect("restaurant", "r1");
  tablet.send([OP.sub, 1, "restaurant:r2"]);
  t.match(await tablet.op(OP.err), [OP.err, 1, "not_found"]);
  tablet.send([
    OP.cmd,
    2,
    "k",
    "restaurant.configure",
    {
      restaurantId: "r2",
      profile: { name: "n", lat: 1, lng: 1, currency: "TRY", items: [{ itemId: "a", name: "a", priceMinor: 1 }] },
    },
  ]);
  t.match(await tablet.op(OP.err), [OP.err, 2, "not_found"], "nobody configures another's restaurant");
  driver.send([OP.sub, 3, "driver:d1"]);
  t.match(await driver.op(OP.subbed), [OP.subbed, "driver:d1"]);
});

async function rates() {
  return (await import("../limits/tiers.js")).DEFAULT_TIER_RATES;
}

t.test("R-PRO-1: stable error codes for what a client gets wrong", async (t) => {
  const h = await startHarness();
  t.teardown(() => h.close());
  const customer = await h.connect("customer", "c1");
  const refused = async (frame: unknown, expected: unknown[]) => {
    customer.send(frame);
    t.match(await customer.op(OP.err), [OP.err, ...expected], JSON.stringify(frame));
  };
  await refused([OP.cmd, 1, "k", "no.such", {}], [1, "unknown_command"]);
  await refused([OP.cmd, 2, "k", "constructor", {}], [2, "unknown_command"]);
  await refused([OP.cmd, 3, "k", "order.cancel", { orderId: "o1" }], [3, "invalid", false, 0, { path: "/reason" }]);
  await refused(
    [OP.cmd, 4, "k", "order.cancel", { orderId: "o1", reason: "r", as: "admin" }],
    [4, "invalid", false, 0, { path: "/as" }],
  );
  await refused([OP.cmd, 5, "", "order.cancel", {}], [5, "invalid"]);
  await refused([OP.sub, 6, "order"], [6, "unknown_channel"]);
  await refused([OP.sub, 7, "order:"], [7, "unknown_channel"]);
  await refused([OP.sub, 8, "weather:today"], [8, "unknown_channel"]);
  await refused([OP.sub, 9, "order:o 1"], [9, "unknown_channel"]);
  await refused([OP.cmd, 10, "k", "order.cancel", { orderId: "o1", reason: "r" }, 1], [10, "expired"]);
  await refused(
    [OP.cmd, 11, "k", "order.cancel", { orderId: "o1", reason: "r" }, 8_000_000_000_000],
    [11, "invalid", false, 0, { path: "/notAfter" }],
  );
  await refused([OP.refresh, 12, "nonsense"], [12, "unauthenticated"]);
  await refused([OP.refresh, 13, h.token("customer", "c2")], [13, "forbidden"]);
  await refused(
    [OP.cmd, 14, "k14", "order.cancel", { orderId: "o1", reason: "refuse:illegal_transition" }],
    [14, "illegal_transition", false, 0, { said: true }],
  );
  await refused([OP.cmd, 15, "k15", "order.cancel", { orderId: "o1", reason: "throw" }], [15, "internal", true]);
  await refused(
    [OP.cmd, 16, "k16", "order.cancel", { orderId: "o1", reason: "refuse:made_up_code" }],
    [16, "internal"],
  );
  t.notOk(customer.isClosed);
});

t.test("R-PRO-1: every close code says whether to come back", async (t) => {
  const h = await startHarness({
    settings: {
      helloTimeoutMs: 300,
      pingMs: 300,
      silenceMs: 900,
      tokenWarningMs: 60_000,
      maxConnectionsPerUser: 2,
      minAppVersion: "1.0",
      framesPerMinute: 60,
      frameBurst: 50,
      drainMs: 200,
    },
  });
  t.teardown(() => h.close());
  const hello = async (token: string, version = "1.0.0", codec: "msgpack" | "json" = "msgpack") => {
    const socket = await h.socket(codec);
    socket.send([OP.hello, token, "device-9", version]);
    return (await socket.closed).code;
  };
  const good = h.token("customer", "c1");
  t.equal(await hello("nonsense"), CLOSE.badToken, "4500");
  t.equal(await hello(`${good.slice(0, -4)}AAAA`), CLOSE.badToken, "a changed signature");
  t.equal(await hello(h.token("customer", "c1", -5)), CLOSE.tokenExpired, "a stale token may be renewed: 4005");
  t.equal(await hello(good, "0.9.9"), CLOSE.version, "4504");

  t.equal((await (await h.socket()).closed).code, CLOSE.helloTimeout, "4502");
  const early = await h.socket();
  early.send([OP.sub, 1, "order:o1"]);
  t.equal((await early.closed).code, CLOSE.protocol, "a frame before HELLO: 4501");
  for (const data of [
    new Uint8Array([0xc1]),
    new Uint8Array(20_000),
    CODECS.msgpack.encode([99]),
    CODECS.msgpack.encode("x"),
    "text",
  ]) {
    const socket = await h.connect("customer", "c1", { device: "hostile" });
    socket.raw(data);
    t.equal((await socket.closed).code, CLOSE.protocol, "4501");
  }
  const twice = await h.connect("customer", "c1");
  twice.send([OP.hello, good, "device-1", "1.0"]);
  t.equal((await twice.closed).code, CLOSE.protocol, "HELLO twice on one socket: 4501");

  const first = await h.connect("customer", "c5", { device: "phone" });
  const second = await h.connect("customer", "c5", { device: "phone" });
  t.equal((await first.closed).code, CLOSE.replaced, "the same device again: 4506");
  await h.connect("customer", "c5", { device: "tablet" });
  const third = await h.socket();
  third.send([OP.hello, h.token("customer", "c5"), "watch", "1.0"]);
  t.equal((await third.closed).code, CLOSE.tooManyConnections, "4505");
  t.notOk(second.isClosed);

  const silent = await h.connect("customer", "c6");
  await silent.op(OP.ping);
  t.equal((await silent.closed).code, CLOSE.noPong, "4002");

  // Long enough for a sweep to come before the end, also on a busy machine.
  const ending = await h.connect("customer", "c7", { ttlSeconds: 3 });
  ending.ws.on("message", () => ending.send([OP.pong, 1]));
  t.match(await ending.op(OP.tokenExpiring), [OP.tokenExpiring, Number]);
  t.equal((await ending.closed).code, CLOSE.tokenExpired, "4005");

  const flood = await h.connect("customer", "c8");
  for (let i = 0; i < 200; i++) flood.send([OP.pong, i]);
  t.equal((await flood.closed).code, CLOSE.rate, "4004");

  const leaving = await h.connect("customer", "c10");
  const drained = h.gateway.drain();
  t.match(await leaving.op(OP.goaway), [OP.goaway, CLOSE.drain, 0, 200]);
  t.equal((await leaving.closed).code, CLOSE.drain, "4001");
  await drained;
  await t.rejects(h.socket(), "and nobody new comes in");
  const closes = h.gateway.stats().closes;
  for (const code of [4500, 4005, 4504, 4502, 4501, 4506, 4505, 4002, 4004, 4001])
    t.ok(closes[code], `${code} was counted`);
});

t.test("R-PRO-5: mistakes are counted, and a client that makes nothing else is closed", async (t) => {
  const h = await startHarness({ settings: { maxMistakesPerMinute: 10 } });
  t.teardown(() => h.close());
  const socket = await h.connect("customer", "c1");
  for (let i = 0; i < 30; i++) socket.send([OP.cmd, i, "k", "no.such", {}]);
  t.equal((await socket.closed).code, CLOSE.protocol);
  t.equal(socket.all(isErr("unknown_command")).length, 11);
});

t.test("R-PRO-5 R-GPS-4: limits per driver and account, across sockets and HTTP", async (t) => {
  const tierRates = { ...(await rates()), order: { perMinute: 60, burst: 2 }, command: { perMinute: 60, burst: 3 } };
  const h = await startHarness({ settings: { gpsPerMinute: 20, gpsBurst: 2, tierRates } });
  t.teardown(() => h.close());
  const driver = await h.connect("driver", "d1");
  const fix = [[0, 41, 29, 5, -1, -1]];
  for (let i = 0; i < 4; i++) driver.send([OP.gps, "b", i, 1_790_000_000_000, fix]);
  await eventually("four answers", () => driver.frames.length === 5);
  t.equal(driver.all((frame) => frame[0] === OP.gpsAck).length, 2, "a batch counts as one");
  const limited = driver.all(isErr("rate_limited"));
  t.equal(limited.length, 2);
  t.ok((limited[0]![4] as number) > 0 && (limited[0]![4] as number) <= 3000, "and says when to try again");
  const byHttp = await h.http("POST", "/v1/drivers/me/gps", {
    token: h.token("driver", "d1"),
    body: { bootId: "b", seq0: 9, baseTs: 1_790_000_000_000, fixes: fix },
  });
  t.equal(byHttp.status, 429);
  t.ok(Number(byHttp.headers.get("retry-after")) >= 1);
  const customer = await h.connect("customer", "c1");
  for (let i = 0; i < 5; i++) customer.send([OP.cmd, i, `k${i}`, "order.cancel", { orderId: "o1", reason: "r" }]);
  await eventually("five answers", () => customer.frames.length === 6);
  t.equal(customer.all(isErr("rate_limited")).length, 2);
  const other = await h.connect("customer", "c2");
  other.send([OP.cmd, 1, "k", "order.cancel", { orderId: "o1", reason: "r" }]);
  t.match(await other.op(OP.reply), [OP.reply, 1], "one account's haste is not another's");
});

t.test("R-PRO-5: asking for a channel counts as reading, in the same bucket as a poll", async (t) => {
  const tierRates = { ...(await rates()), browse: { perMinute: 60, burst: 2 } };
  const h = await startHarness({ settings: { tierRates } });
  t.teardown(() => h.close());
  const customer = await h.connect("customer", "c1");
  for (let i = 1; i <= 4; i++) customer.send([OP.sub, i, `order:none-${i}`]);
  await eventually("four answers", () => customer.frames.length === 5);
  t.equal(customer.all(isErr("not_found")).length, 2);
  t.equal(customer.all(isErr("rate_limited")).length, 2);
  t.ok((customer.all(isErr("rate_limited"))[0]![4] as number) > 0, "and says when to try again");
  t.equal((await h.http("GET", "/v1/orders", { token: h.token("customer", "c1") })).status, 429);
  const other = await h.connect("customer", "c2");
  other.send([OP.sub, 1, "order:none"]);
  t.match(await other.op(OP.err), [OP.err, 1, "not_found"], "one account's haste is not another's");
  t.equal(h.gateway.stats().subscriptions, 0);
});
