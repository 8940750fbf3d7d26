import t from "tap";
import type { Session } from "../../protocol/mod.js";
import { ADMIN, callerOf, city, DAY, HOME, MINUTE, PASSWORD, until } from "./fixtures/city.js";
import { DEFAULT_THROTTLE } from "./throttle.js";

t.test("R-ACC-1: signing up again with the same key finds the same account and the same session", async (t) => {
  const { node, passwords } = city();
  const { call, signUp } = await node();
  const first = await signUp("Ana.Gómez@Example.com", { name: "Ana", phone: "+573001234567" }, "k1");
  t.match(JSON.parse(first.accessToken), {
    id: first.accountId,
    role: "customer",
    accountId: first.accountId,
    sessionId: first.sessionId,
    ttlSeconds: 900,
  });
  t.match(await signUp("ana.gómez@example.COM", { name: "Ana" }, "k1"), {
    accountId: first.accountId,
    sessionId: first.sessionId,
    refreshToken: first.refreshToken,
  });
  const again = await signUp("ana.gómez@example.com", {}, "k2");
  t.equal(again.accountId, first.accountId);
  t.not(again.sessionId, first.sessionId, "another key, another session");
  t.match(
    await call("accounts.signUp", { body: { email: "ana.gómez@example.com", password: "some other password" } }),
    {
      ok: false,
      code: "email_taken",
    },
  );
  t.match(await call("accounts.me", { caller: callerOf(first) }), {
    value: { email: "ana.gómez@example.com", name: "Ana", phone: "+573001234567", role: "customer" },
  });
  const rivals = await Promise.all(Array.from({ length: 5 }, () => signUp("two@example.com", {}, "same")));
  t.equal(new Set(rivals.map(({ sessionId }) => sessionId)).size, 1, "side by side, too");
  passwords.busy = true;
  t.match(await call("accounts.signUp", { body: { email: "busy@example.com", password: PASSWORD } }), {
    code: "overloaded",
    retryAfterMs: 2_000,
  });
});

t.test("R-ACC-2: a password is long and none of those that are tried first", async (t) => {
  const { call } = await city().node();
  for (const password of [
    "password123",
    "QwertyUiop",
    "1234567890",
    "aaaaaaaaaaaa",
    "ababababab",
    "customer-ana",
    "customer-ana@example.com",
  ]) {
    t.match(
      await call("accounts.signUp", { body: { email: "customer-ana@example.com", password } }),
      { ok: false, code: "invalid", detail: { path: "/password" } },
      password,
    );
  }
  t.match(await call("accounts.signUp", { body: { email: "a@example.com", password: "ÄÖÜ 🍕 ñandú" } }), { ok: true });
});

t.test("R-ACC-2: an unknown address costs as much as a wrong password and says no more", async (t) => {
  const { node, passwords } = city();
  const { call, signUp } = await node();
  await signUp("ana@example.com");
  const work = async (email: string): Promise<{ answer: unknown; checks: number; hashes: number }> => {
    const [checks, hashes] = [passwords.checks, passwords.hashes];
    const answer = await call("accounts.signIn", { body: { email, password: "not this one" }, key: "k" });
    return { answer, checks: passwords.checks - checks, hashes: passwords.hashes - hashes };
  };
  // The comparison's other side is hashed once in a node's life.
  await work("first@example.com");
  const [wrong, unknown] = [await work("ana@example.com"), await work("nobody@example.com")];
  t.strictSame(wrong, { answer: { ok: false, code: "wrong_credentials" }, checks: 1, hashes: 0 });
  t.strictSame(unknown, wrong);
});

t.test("R-ACC-2: guessing is slowed down for the account and for the address, and for nobody else", async (t) => {
  const { node, clock } = city();
  const nodes = [await node(), await node()] as const;
  const { call, signUp } = nodes[0];
  await signUp("ana@example.com");
  await signUp("bea@example.com");
  let turn = 0;
  // Whichever thread of whichever node is asked: they count together.
  const attempt = (email: string, password: string, address: string) =>
    nodes[turn++ % 2]!.call("accounts.signIn", { body: { email, password }, address });
  const { failuresPerPair, failuresPerAccount, failuresPerAddress } = DEFAULT_THROTTLE;
  for (let n = 0; n < failuresPerPair.burst; n++) {
    t.match(await attempt("ana@example.com", `guess number ${n}`, "203.0.113.1"), { code: "wrong_credentials" });
  }
  const held = await attempt("ana@example.com", PASSWORD, "203.0.113.1");
  t.match(held, { ok: false, code: "rate_limited" }, "the right one, too: a guesser must not learn it");
  t.match(
    await call("accounts.signUp", { body: { email: "ana@example.com", password: PASSWORD }, address: "203.0.113.1" }),
    { code: "rate_limited" },
    "signing up is no way around",
  );
  t.match(await attempt("bea@example.com", PASSWORD, "203.0.113.1"), { ok: true });
  t.match(await attempt("ana@example.com", PASSWORD, "192.0.2.99"), { ok: true }, "who guesses locks nobody out");
  t.match(await attempt("ana@example.com", PASSWORD, "192.0.2.99"), { ok: true }, "who is right is not counted");
  clock.turn(held.retryAfterMs);
  t.match(await attempt("ana@example.com", PASSWORD, "203.0.113.1"), { ok: true });
  // From many addresses at once.
  for (let n = failuresPerPair.burst; n < failuresPerAccount.burst + 10; n++)
    await attempt("ana@example.com", `guess number ${n}`, `198.51.100.${n}`);
  t.match(await attempt("ana@example.com", PASSWORD, "192.0.2.99"), { code: "rate_limited" });
  for (let n = 0; n < failuresPerAddress.burst; n++)
    await attempt(`nobody-${n}@example.com`, "a guess of some length", "198.51.100.7");
  t.match(await attempt("bea@example.com", PASSWORD, "198.51.100.7"), { code: "rate_limited" });
});

t.test("R-ACC-2: whoever is signed in changes the password also while strangers guess at it", async (t) => {
  const { node } = city();
  const { call, signUp } = await node();
  const caller = callerOf(await signUp("ana@example.com"));
  const { failuresPerAccount, failuresPerPair } = DEFAULT_THROTTLE;
  for (let n = 0; n < failuresPerAccount.burst + 1; n++) {
    const body = { email: "ana@example.com", password: `guess number ${n}` };
    await call("accounts.signIn", { body, address: `198.51.100.${n}` });
  }
  const change = (password: string, newPassword: string) =>
    call("accounts.changePassword", { caller, body: { password, newPassword }, address: "192.0.2.9" });
  t.match(await change(PASSWORD, "another long sentence"), { ok: true });
  for (let n = 0; n < failuresPerPair.burst; n++) await change(`guess number ${n}`, "yet another sentence");
  t.match(
    await change("another long sentence", PASSWORD),
    { code: "rate_limited" },
    "a stolen token is no way to guess",
  );
});

t.test("R-PRO-5: whoever signs in again and again keeps nobody else from it", async (t) => {
  const { node, clock, passwords } = city();
  const { call, signUp } = await node();
  await signUp("ana@example.com");
  await signUp("bea@example.com");
  const enter = (email: string, password = PASSWORD, address = "203.0.113.1") =>
    call("accounts.signIn", { body: { email, password }, address });
  const { entriesPerAccount, failuresPerPair } = DEFAULT_THROTTLE;
  for (let n = 0; n < entriesPerAccount.burst; n++) t.match(await enter("ana@example.com"), { ok: true });
  const { checks } = passwords;
  const held = await enter("ana@example.com");
  t.match(held, { ok: false, code: "rate_limited" });
  t.match(await enter("ana@example.com", PASSWORD, "198.51.100.1"), { code: "rate_limited" }, "from anywhere");
  t.equal(passwords.checks, checks, "nothing is hashed for it");
  t.match(await enter("bea@example.com"), { ok: true }, "others come in");
  clock.turn(held.retryAfterMs);
  t.match(await enter("ana@example.com"), { ok: true });
  // Whoever guesses takes nothing of the owner's own coming in.
  for (let from = 0; from * failuresPerPair.burst < 2 * entriesPerAccount.burst; from++) {
    for (let n = 0; n < failuresPerPair.burst; n++) await enter("bea@example.com", `guess ${n}`, `198.51.100.${from}`);
  }
  t.match(await enter("bea@example.com"), { ok: true });
});

t.test("R-PRO-5: whoever signs up again and again keeps nobody from signing in", async (t) => {
  const { node, clock, passwords } = city();
  const { call, signUp } = await node();
  await signUp("ana@example.com");
  const { signUpsPerAddress } = DEFAULT_THROTTLE;
  const join = (n: number, address = "203.0.113.1") =>
    call("accounts.signUp", { body: { email: `new-${n}@example.com`, password: PASSWORD }, address, key: `k${n}` });
  for (let n = 0; n < signUpsPerAddress.burst; n++) t.match(await join(n), { ok: true });
  const { hashes } = passwords;
  const held = await join(signUpsPerAddress.burst);
  t.match(held, { ok: false, code: "rate_limited" });
  t.equal(passwords.hashes, hashes, "nothing is hashed for it");
  t.match(await join(0), { ok: true }, "an answer that was lost is had again");
  t.match(await join(500, "192.0.2.9"), { ok: true });
  clock.turn(held.retryAfterMs);
  passwords.busy = true;
  for (let n = 0; n < 3; n++) t.match(await join(600), { code: "overloaded" }, "what was not done is not counted");
  passwords.busy = false;
  t.match(await join(600), { ok: true });
});

t.test("R-ENG-6, R-ACC-1: a storm of sign-ins is turned away before it asks the store", async (t) => {
  const { node, passwords, store } = city();
  const { call, signUp } = await node();
  const people = Array.from({ length: 8 }, (_, n) => `person-${n}@example.com`);
  const sessions = await Promise.all(people.map((email) => signUp(email)));
  const { refreshToken } = sessions[0]!;
  let asked = 0;
  const { byEmail, takeAttempts } = store.accounts;
  Object.assign(store.accounts, {
    byEmail(hash: string) {
      asked++;
      return byEmail(hash);
    },
    takeAttempts(...buckets: Parameters<typeof takeAttempts>) {
      asked++;
      return takeAttempts(...buckets);
    },
  });
  let release = (): void => undefined;
  passwords.hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  const signIn = (n: number) =>
    call("accounts.signIn", { body: { email: people[n % people.length], password: PASSWORD }, address: `at ${n}` });
  const storm = Array.from({ length: 2_000 }, (_, n) => signIn(n));
  const late = await storm.at(-1);
  t.match(late, { ok: false, code: "overloaded", retryAfterMs: 2_000 });
  t.match(await call("accounts.signUp", { body: { email: "new@example.com", password: PASSWORD } }), {
    code: "overloaded",
  });
  t.match(await call("accounts.refresh", { body: { refreshToken } }), { ok: true }, "who is signed in goes on");
  release();
  const codes = (await Promise.all(storm)).map((each) => (each.ok ? "in" : each.code));
  const isIn = codes.filter((code) => code === "in").length;
  t.ok(isIn >= 50 && isIn <= 100, `${isIn} were let in`);
  t.equal(codes.filter((code) => code === "overloaded").length, codes.length - isIn);
  t.equal(asked, 2 * isIn, "the store was asked for nobody else");
  t.match(await signIn(0), { ok: true }, "and afterwards all is as before");
});

t.test(
  "R-ACC-2: refreshing survives a lost answer; a token that comes back later ends its family everywhere",
  async (t) => {
    const { node, clock } = city();
    const [one, two] = [await node(), await node()];
    const { refreshToken, sessionId, accountId } = await one.signUp("ana@example.com");
    const refresh = (at: typeof one, token: string, key: string) =>
      at.call("accounts.refresh", { body: { refreshToken: token }, key });
    clock.turn(MINUTE);
    const next = await refresh(one, refreshToken, "r1");
    t.match(next, { ok: true, value: { sessionId, accountId, refreshTtlMs: 30 * DAY } });
    t.equal((await refresh(two, refreshToken, "r1")).value.refreshToken, next.value.refreshToken, "by another node");
    const third = await refresh(two, next.value.refreshToken, "r2");
    t.match(third, { ok: true });
    t.match(await refresh(one, refreshToken, "r1"), { code: "session_ended", detail: { reason: "reused" } });
    t.match(await refresh(one, third.value.refreshToken, "r3"), { code: "session_ended" });
    for (const each of [one, two]) t.match(each.revoked, [{ key: `s:${sessionId}`, why: "reused" }]);
    t.ok(one.revoked[0]!.until > clock.now() + 15 * MINUTE, "as long as any token of it could live");
    for (const forged of ["", "x", "a.b.c", `${sessionId}.2.${"0".repeat(64)}`, `${third.value.refreshToken}.x`]) {
      t.match(await refresh(one, forged, "r"), { code: "session_ended" }, forged);
    }
  },
);

t.test("R-ACC-1: signing in again with a key of the past opens nothing that was closed", async (t) => {
  const { call, signUp } = await city().node();
  await signUp("ana@example.com");
  const body = { email: "ana@example.com", password: PASSWORD };
  const session = (await call("accounts.signIn", { body, key: "k" })).value as Session;
  t.equal((await call("accounts.signIn", { body, key: "k" })).value.refreshToken, session.refreshToken);
  t.match(await call("accounts.signOut", { body: { refreshToken: session.refreshToken } }), { ok: true });
  t.match(await call("accounts.signOut", { body: { refreshToken: session.refreshToken } }), { ok: true }, "again");
  t.match(await call("accounts.signOut", { body: { refreshToken: "nonsense" } }), { ok: true });
  t.match(await call("accounts.signIn", { body, key: "k" }), { code: "key_reused" });
  t.match(await call("accounts.refresh", { body: { refreshToken: session.refreshToken } }), { code: "session_ended" });
});

t.test(
  "R-ACC-4: nothing personal is readable in the store, and a new master key opens what the old one sealed",
  async (t) => {
    const { node, store } = city(["old secret"]);
    const one = await node();
    const application = { role: "driver", vehicle: "car", plate: "XYZ 987", documents: [] };
    const session = await one.signUp("ana@example.com", { name: "Anastasia", phone: "+573001234567", application });
    await one.call("accounts.saveAddress", { caller: callerOf(session), params: { addressId: "home" }, body: HOME });
    const everything = async (): Promise<string> => {
      const account = (await store.accounts.byId(session.accountId))!;
      const rows = [account, await store.accounts.keys(), await store.accounts.sessionsOf(account.id)];
      return JSON.stringify(rows, (_, value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
      );
    };
    const stored = await everything();
    for (const secret of [
      "ana@",
      "Anastasia",
      "3001234567",
      "Calle",
      "4.65",
      "XYZ 987",
      PASSWORD,
      session.refreshToken,
      "PRIVATE KEY",
    ]) {
      t.notMatch(stored, secret, `${secret} stands nowhere`);
    }
    const sealedBefore = (await store.accounts.byId(session.accountId))!.dataKey!;
    await t.rejects(node(["another secret"]), /previousMasterKey/, "a node without the right key does not start");
    const two = await node(["new secret", "old secret"]);
    t.match(await two.call("accounts.me", { caller: callerOf(session) }), { value: { phone: "+573001234567" } });
    await two.accounts.tidy();
    const { dataKey, person } = (await store.accounts.byId(session.accountId))!;
    t.notSame(dataKey, sealedBefore);
    const three = await node(["new secret"]);
    t.match(await three.call("accounts.me", { caller: callerOf(session) }), { value: { addresses: [HOME] } });
    const tampered = {
      ...(await store.accounts.byId(session.accountId))!,
      person: Uint8Array.from(person!).fill(7, 20, 21),
    };
    await store.accounts.change(tampered, { audit: [], end: null });
    await t.rejects(three.call("accounts.me", { caller: callerOf(session) }), { name: "CannotOpen" });
  },
);

t.test("R-ACC-2: a new password ends the other sessions, and signing out everywhere all of them", async (t) => {
  const { call, signUp, revoked } = await city().node();
  const first = await signUp("ana@example.com");
  const body = { email: "ana@example.com", password: PASSWORD };
  const other = (await call("accounts.signIn", { body })).value as Session;
  const change = (password: string, newPassword: string) =>
    call("accounts.changePassword", { caller: callerOf(first), body: { password, newPassword } });
  t.match(await change("a wrong password", "another long sentence"), { code: "wrong_credentials" });
  t.match(await change(PASSWORD, "password123"), { code: "invalid", detail: { path: "/newPassword" } });
  t.match(await change(PASSWORD, "another long sentence"), { ok: true });
  t.match(await change(PASSWORD, "another long sentence"), { ok: true }, "R-ACC-1: the answer was lost");
  t.match(await change(PASSWORD, "a third long sentence"), { code: "wrong_credentials" });
  t.match(revoked, [{ key: `s:${other.sessionId}`, why: "password_changed" }]);
  t.match(await call("accounts.signIn", { body }), { code: "wrong_credentials" });
  t.match(await call("accounts.signIn", { body: { ...body, password: "another long sentence" } }), { ok: true });
  await call("accounts.signOutEverywhere", { caller: callerOf(first) });
  t.equal(revoked.length, 3);
  t.match(await call("accounts.refresh", { body: { refreshToken: first.refreshToken } }), { code: "session_ended" });
});

t.test(
  "R-ACC-2: two keys overlap: a new one signs when all have had time to hear of it, the old one verifies on",
  async (t) => {
    const { node, clock } = city();
    const [one, two] = [await node(), await node()];
    const kids = (at: typeof one) => at.keys().map(({ kid }) => kid);
    t.same([kids(one), kids(two)], [["node"], ["node"]]);
    const wish = { caller: ADMIN, key: "the new year", body: { reason: "the year is over" } };
    const { kid, signsFrom } = (await one.call("accounts.rotateKeys", wish)).value;
    clock.turn(1_000);
    t.match(await two.call("accounts.rotateKeys", wish), { value: { kid, signsFrom } }, "asked again, it is the same");
    await until(() => two.keys().length === 2);
    t.same(kids(two), ["node", kid], "known, and not yet used");
    t.same(
      two.keys().find((key) => key.kid === kid),
      one.keys().find((key) => key.kid === kid),
      "every node has both parts",
    );
    clock.turn(signsFrom - clock.now());
    clock.beat();
    await until(() => kids(two)[0] === kid);
    t.same(kids(two), [kid, "node"]);
    t.same(
      (await two.call("accounts.keys")).value.keys.map((each: { kid: string; x: string }) => [each.kid, each.x.length]),
      [
        [kid, 43],
        ["node", 43],
      ],
    );
  },
);

t.test("R-ACC-1: as many old sessions are forgotten as a busy market ends, not a few hundred a minute", async (t) => {
  const { node, clock, store } = city();
  const { signUp, accounts } = await node();
  for (let i = 0; i < 1_201; i++) await signUp(`guest-${i}@example.com`);
  clock.turn(61 * DAY);
  const here = await signUp("here@example.com");
  await accounts.tidy();
  t.equal(await store.accounts.forget(clock.now() - 30 * DAY, 9_999), 0, "nothing old is left");
  t.equal((await store.accounts.sessionsOf(here.accountId)).length, 1);
});
