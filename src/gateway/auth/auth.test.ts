import { createSigner } from "fast-jwt";
import t from "tap";
import type { Clock } from "../../lib/clock.js";
import { CHANNELS, COMMANDS, OP, ROLES } from "../../protocol/mod.js";
import { ROUTES, routeName } from "../http/routes.js";
import { FRAME_ACCESS, mayCommand, mayEnter, mayListen, maySend, ROUTE_ACCESS, routeAccess } from "./access.js";
import { operatorGuard } from "./operator.js";
import { createTokens, generateTokenKey } from "./tokens.js";

function handClock(start: number): Clock & { set(now: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    after: () => () => {},
    every: () => () => {},
    set(value) {
      now = value;
    },
  };
}

t.test("tokens: signed, expiring by the port's clock, two keys overlapping", async (t) => {
  const clock = handClock(1_790_000_000_000);
  const [old, next, foreign] = [generateTokenKey("old"), generateTokenKey("next"), generateTokenKey("old")];
  const before = createTokens({ keys: [old], clock, maxCached: 100 });
  const during = createTokens({ keys: [next, { kid: "old", publicKey: old.publicKey! }], clock, maxCached: 100 });
  const after = createTokens({ keys: [next], clock, maxCached: 100 });
  const token = before.issue({ id: "c1", role: "customer" }, 60);
  t.match(before.verify(token), {
    ok: true,
    principal: { id: "c1", role: "customer", expiresAt: clock.now() + 60_000 },
  });
  t.match(during.verify(token), { ok: true });
  t.same(after.verify(token), { ok: false, code: "unauthenticated" }, "the old key is gone");
  t.match(before.verify(during.issue({ id: "c1", role: "customer" }, 60)), { ok: false });
  t.match(after.verify(during.issue({ id: "c1", role: "customer" }, 60)), { ok: true });
  const impostor = createTokens({ keys: [foreign], clock, maxCached: 100 });
  t.same(
    before.verify(impostor.issue({ id: "c1", role: "admin" }, 60)),
    { ok: false, code: "unauthenticated" },
    "the same kid, another key",
  );
  t.throws(() => createTokens({ keys: [], clock, maxCached: 1 }));
  t.throws(() =>
    createTokens({ keys: [{ kid: "old", publicKey: old.publicKey! }], clock, maxCached: 1 }).issue(
      { id: "c", role: "customer" },
      1,
    ),
  );

  clock.set(clock.now() + 59_999);
  t.match(before.verify(token), { ok: true }, "from the cache");
  clock.set(clock.now() + 1);
  t.same(before.verify(token), { ok: false, code: "token_expired" }, "the cache does not outlive the token");
  t.same(during.verify(token), { ok: false, code: "token_expired" });
});

t.test("tokens: what is not one of ours is refused, whatever its header claims", async (t) => {
  const clock = handClock(1_790_000_000_000);
  const key = generateTokenKey("k1");
  const tokens = createTokens({ keys: [key], clock, maxCached: 100 });
  const seconds = clock.now() / 1000;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const good = tokens.issue({ id: "c1", role: "customer" }, 60);
  const [head, body, signature] = good.split(".") as [string, string, string];
  const sign = createSigner({ key: key.privateKey!, algorithm: "EdDSA", kid: "k1", noTimestamp: true });
  const hmac = createSigner({ key: key.publicKey!, algorithm: "HS256", kid: "k1", noTimestamp: true });
  const claims = { sub: "c1", role: "customer", exp: seconds + 60 };
  const bad: Record<string, string> = {
    empty: "",
    text: "abc",
    dots: "..",
    "no signature": `${head}.${body}.`,
    "alg none": `${part({ alg: "none", typ: "JWT", kid: "k1" })}.${body}.`,
    "the public key as an HMAC secret": hmac(claims),
    "another body": `${head}.${part({ ...claims, role: "admin" })}.${signature}`,
    "another signature": `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    "no kid": createSigner({ key: key.privateKey!, algorithm: "EdDSA", noTimestamp: true })(claims),
    "unknown role": sign({ ...claims, role: "root" }),
    "gateway role": sign({ ...claims, role: "gateway" }),
    "no expiry": sign({ sub: "c1", role: "customer" }),
    "an id that is none": sign({ ...claims, sub: "c 1" }),
    "an account that is none": sign({ ...claims, act: "a 1" }),
    "a session that is none": sign({ ...claims, sid: 1 }),
    "no subject": sign({ role: "customer", exp: seconds + 60 }),
    huge: sign({ ...claims, padding: "x".repeat(4000) }),
  };
  for (const [what, token] of Object.entries(bad))
    t.same(tokens.verify(token), { ok: false, code: "unauthenticated" }, what);
  t.match(tokens.verify(good), { ok: true });
});

for (const seen of ["by a socket", "by a header"])
  t.test(`R-ACC-3: what ends like a token that was seen ${seen} is not that token`, async (t) => {
    const clock = handClock(1_790_000_000_000);
    const tokens = createTokens({ keys: [generateTokenKey("k1")], clock, maxCached: 100 });
    const good = tokens.issue({ id: "c1", role: "customer" }, 60);
    t.equal(tokens.remembered(`Bearer ${good}`), null, "not seen yet");
    const verified = seen === "by a header" ? tokens.verifyHeader(`Bearer ${good}`) : tokens.verify(good);
    const [head, , signature] = good.split(".") as [string, string, string];
    const claims = { sub: "c2", role: "admin", exp: clock.now() / 1000 + 60 };
    const forged = `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
    for (const text of [forged, `x${good}`, good.slice(-16), good.slice(1)]) {
      t.same(tokens.verify(text), { ok: false, code: "unauthenticated" });
      t.same(tokens.verifyHeader(`Bearer ${text}`), { ok: false, code: "unauthenticated" });
      t.equal(tokens.remembered(`Bearer ${text}`), null);
    }
    for (const header of [good, `Bearer${good}`, `Basic ${good}`, `Bearer  ${good}`, ""]) {
      t.equal(tokens.remembered(header), null);
      t.same(tokens.verifyHeader(header), { ok: false, code: "unauthenticated" });
    }
    t.match(tokens.verify(good), { ok: true, principal: { id: "c1" } });
    t.match(tokens.remembered(`Bearer ${good}`), { id: "c1", role: "customer" });
    t.match(tokens.verifyHeader(`Bearer ${good}`), { ok: true, principal: { id: "c1" } });
    for (const scheme of ["bearer", "BEARER"]) {
      t.match(tokens.verifyHeader(`${scheme} ${good}`), { ok: true, principal: { id: "c1" } }, "RFC 9110: in any case");
      t.same(tokens.verifyHeader(`${scheme} ${forged}`), { ok: false, code: "unauthenticated" });
    }
    t.equal(tokens.cacheSize, 1);
    t.notOk(JSON.stringify(verified).includes(signature), "a principal does not tell the token it came by");
  });

t.test("R-ACC-2: what is remembered of a token ends with it, by its time or before", async (t) => {
  const clock = handClock(1_790_000_000_000);
  const tokens = createTokens({ keys: [generateTokenKey("k1")], clock, maxCached: 100 });
  const person = { id: "d1", role: "driver", accountId: "a1", sessionId: "s1" } as const;
  const headers = ["p:driver/d1", "s:s1"].map((key, n) => {
    const header = `Bearer ${tokens.issue({ ...person, sessionId: `s${n}` }, 60)}`;
    return { key, header };
  });
  const bearer = `Bearer ${tokens.issue(person, 60)}`;
  for (const header of [bearer, ...headers.map((each) => each.header)]) t.ok(tokens.verifyHeader(header).ok);
  t.match(tokens.remembered(bearer), person, "whose it is, and of which session");
  for (const { key, header } of headers) {
    tokens.revoke([{ key, until: clock.now() + 60_000, why: "banned" }]);
    t.equal(tokens.remembered(header), null, key);
    t.same(tokens.verifyHeader(header), { ok: false, code: "unauthenticated" }, key);
    tokens.revoke([{ key, until: 0, why: "banned" }]);
    t.match(tokens.remembered(header), { id: "d1" }, "the ban is lifted");
  }
  clock.set(clock.now() + 59_999);
  t.match(tokens.remembered(bearer), { id: "d1" });
  clock.set(clock.now() + 1);
  t.equal(tokens.remembered(bearer), null);
});

t.test("R-PRO-5: the cache of verified tokens is bounded", async (t) => {
  const clock = handClock(1_790_000_000_000);
  const tokens = createTokens({ keys: [generateTokenKey("k1")], clock, maxCached: 8 });
  const issued = Array.from({ length: 40 }, (_, i) => tokens.issue({ id: `c${i}`, role: "customer" }, 60));
  for (const token of issued) t.ok(tokens.verify(token).ok);
  t.equal(tokens.cacheSize, 8);
  for (const token of issued) t.ok(tokens.verify(token).ok, "and what was forgotten is verified again");
});

t.test("the operator's door opens to the secret and to nothing else", async (t) => {
  const guard = operatorGuard("s3cret");
  t.ok(guard("Operator s3cret"));
  t.ok(guard("operator s3cret"), "the scheme in any case");
  t.notOk(guard("Operator S3CRET"), "the secret in its own");
  for (const given of [
    "",
    "Operator",
    "Operator ",
    "Operator s3cre",
    "Operator s3crett",
    "Bearer s3cret",
    "s3cret",
    "Operator  s3cret",
  ]) {
    t.notOk(guard(given), given);
  }
  t.notOk(operatorGuard("")("Operator "), "no secret, no door");
});

t.test("R-ACC-3: the access table is default-deny and covers every door", async (t) => {
  t.same(Object.keys(ROUTE_ACCESS).sort(), ROUTES.map(routeName).sort(), "each route has a row, each row a route");
  const clientOps = [OP.sub, OP.unsub, OP.cmd, OP.ack, OP.gps, OP.refresh, OP.pong];
  t.same(
    Object.keys(FRAME_ACCESS)
      .map(Number)
      .sort((a, b) => a - b),
    clientOps.sort((a, b) => a - b),
  );
  for (const role of ROLES) {
    t.notOk(mayEnter("GET /v1/secrets", role), "an unlisted route");
    t.notOk(mayEnter("toString", role), "nor what every object has");
    for (const op of [OP.batch, OP.hello, OP.welcome, OP.state, 9, 255, -1]) t.notOk(maySend(op, role), `op ${op}`);
  }
  t.equal(routeAccess("DELETE /v1/orders"), null);
  t.notOk(mayEnter("POST /v1/orders", null));
  t.notOk(mayEnter("POST /v1/tokens", "admin"), "no role opens the operator's door");
  for (const route of ROUTES) {
    if (route.target.kind !== "command") continue;
    const access = routeAccess(routeName(route));
    t.same(
      [...(access as readonly string[])].sort(),
      [...COMMANDS[route.target.command].roles].sort(),
      `${routeName(route)} is open to those who may ${route.target.command}`,
    );
  }
  for (const [type, entry] of Object.entries(COMMANDS)) {
    for (const role of ROLES)
      t.equal(mayCommand(type as keyof typeof COMMANDS, role), (entry.roles as readonly string[]).includes(role));
  }
  for (const [family, entry] of Object.entries(CHANNELS)) {
    for (const role of ROLES)
      t.equal(mayListen(family as keyof typeof CHANNELS, role), (entry.roles as readonly string[]).includes(role));
  }
  const byHttp = new Set(ROUTES.flatMap((route) => (route.target.kind === "command" ? [route.target.command] : [])));
  t.same([...byHttp].sort(), Object.keys(COMMANDS).sort(), "every command has an HTTP route of its own");
});
