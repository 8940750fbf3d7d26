import { generateKeyPairSync, scryptSync } from "node:crypto";
import t from "tap";
import type { Clock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { systemRandom } from "../../lib/random.js";
import type { ACCOUNT_OPERATIONS, OperationCaller, Session } from "../../protocol/mod.js";
import { createMemoryAccounts, createMemoryNotices } from "../../store/memory/mod.js";
import {
  type Accounts,
  createAccounts,
  type Passwords,
  PasswordsBusy,
  type Revocation,
  type SigningKey,
} from "./mod.js";
import { DEFAULT_THROTTLE } from "./throttle.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const PASSWORD = "a long enough sentence";
const ADMIN: OperationCaller = { id: "root", role: "admin" };
const HOME = { label: "Home", text: "Calle 12 # 3-45", note: "ring twice", lat: 4.65, lng: -74.08 };
const random = systemRandom();

/** A clock that stands until it is turned; what beats is called by `beat`. */
function handClock(): Clock & { turn(ms: number): void; beat(): void } {
  let now = 1_790_000_000_000;
  const beats = new Set<() => void>();
  return {
    now: () => now,
    monotonic: () => now,
    after: () => () => undefined,
    every: (_periodMs, run) => {
      beats.add(run);
      return () => beats.delete(run);
    },
    turn: (ms) => {
      now += ms;
    },
    beat: () => {
      for (const run of beats) run();
    },
  };
}

interface CountingPasswords extends Passwords {
  hashes: number;
  checks: number;
  busy: boolean;
}

/** Slow hashes are proven where their threads are; here a quick one stands for them. */
function quickPasswords(): CountingPasswords {
  const digest = (password: string): string => scryptSync(password, "salt", 16, { N: 2 }).toString("hex");
  const counted: CountingPasswords = {
    hashes: 0,
    checks: 0,
    busy: false,
    async hash(password) {
      if (counted.busy) throw new PasswordsBusy("busy");
      counted.hashes++;
      return digest(password);
    },
    async verify(encoded, password) {
      if (counted.busy) throw new PasswordsBusy("busy");
      counted.checks++;
      return encoded === digest(password);
    },
  };
  return counted;
}

/** Several nodes on one store. */
function city(masterSecrets: readonly string[] = ["the master secret of tests"]) {
  const clock = handClock();
  const store = createMemoryAccounts(clock);
  const lines = createMemoryNotices();
  const passwords = quickPasswords();
  const privateKey = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  async function node(secrets = masterSecrets) {
    const revoked: Revocation[] = [];
    let keys: readonly SigningKey[] = [];
    const accounts = createAccounts({
      store: store.accounts,
      passwords,
      // Tokens are the gateway's; here they say what they would be signed over.
      tokens: { issue: (principal, ttlSeconds) => JSON.stringify({ ...principal, ttlSeconds }) },
      notices: lines.open(),
      orders: {
        orders: async (customerId, { before }) =>
          before === undefined
            ? { orders: [{ orderId: "o2", customerId }], nextBefore: 5 }
            : { orders: [{ orderId: "o1" }] },
      },
      clock,
      random,
      log: silentLog,
      masterSecrets: secrets,
      firstSigningKey: { kid: "node", privateKey },
      settings: { accessTokenMs: 15 * MINUTE, refreshTokenMs: 30 * DAY, maxSessions: 5, maxAddresses: 3, maxRoles: 4 },
      onSigningKeys: (next) => {
        keys = next;
      },
      onRevoked: (each) => void revoked.push(...each),
    });
    await accounts.start();
    return { accounts, revoked, keys: () => keys, ...knock(accounts) };
  }
  return { clock, store, lines, passwords, node };
}

let keysMade = 0;

/** Calls operations as the gateway does. */
function knock(accounts: Accounts) {
  async function call<N extends keyof typeof ACCOUNT_OPERATIONS>(
    name: N,
    given: {
      caller?: OperationCaller;
      body?: unknown;
      params?: unknown;
      query?: unknown;
      key?: string;
      address?: string;
    } = {},
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  ): Promise<any> {
    const handler = accounts.operations[name] as unknown as (call: object) => Promise<unknown>;
    return handler({
      caller: null,
      params: {},
      query: {},
      body: {},
      key: `key-${++keysMade}`,
      address: "192.0.2.1",
      bytes: new Uint8Array(0),
      headers: { signature: "", userAgent: "" },
      ...given,
    });
  }
  const signUp = async (email: string, more: object = {}, key?: string): Promise<Session> => {
    const answer = await call("accounts.signUp", {
      body: { email, password: PASSWORD, ...more },
      ...(key === undefined ? {} : { key }),
    });
    if (answer.ok !== true) throw new Error(`no sign-up: ${JSON.stringify(answer)}`);
    return answer.value;
  };
  return { call, signUp };
}

const callerOf = ({ principalId, role, accountId, sessionId }: Session): OperationCaller => ({
  id: principalId,
  role,
  accountId,
  sessionId,
});

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
  const { call, signUp } = await node();
  await signUp("ana@example.com");
  await signUp("bea@example.com");
  const attempt = (email: string, password: string, address: string) =>
    call("accounts.signIn", { body: { email, password }, address });
  const { failuresPerAccount, failuresPerAddress } = DEFAULT_THROTTLE;
  for (let n = 0; n < failuresPerAccount.burst; n++) {
    t.match(await attempt("ana@example.com", `guess number ${n}`, `192.0.2.${n}`), { code: "wrong_credentials" });
  }
  const held = await attempt("ana@example.com", PASSWORD, "192.0.2.99");
  t.match(held, { ok: false, code: "rate_limited" }, "the right one, too: a guesser must not learn it");
  t.match(await attempt("bea@example.com", PASSWORD, "192.0.2.99"), { ok: true });
  t.match(
    await call("accounts.signUp", { body: { email: "ana@example.com", password: PASSWORD }, address: "192.0.2.98" }),
    { code: "rate_limited" },
    "signing up is no way around",
  );
  clock.turn(held.retryAfterMs);
  t.match(await attempt("ana@example.com", PASSWORD, "192.0.2.99"), { ok: true });
  t.match(await attempt("ana@example.com", PASSWORD, "192.0.2.99"), { ok: true }, "who is right is not counted");
  for (let n = 0; n < failuresPerAddress.burst; n++)
    await attempt(`nobody-${n}@example.com`, "a guess of some length", "198.51.100.7");
  t.match(await attempt("bea@example.com", PASSWORD, "198.51.100.7"), { code: "rate_limited" });
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

t.test("R-ACC-1: drivers and staff apply, an admin decides, and staff act under their restaurant's id", async (t) => {
  const { node, store } = city();
  const { call, signUp } = await node();
  const application = {
    role: "driver",
    vehicle: "scooter",
    plate: "ABC 12D",
    documents: [{ kind: "licence", reference: "upload/77" }],
  };
  const driver = await signUp("dan@example.com", { name: "Dan", application });
  const signIn = (email: string, more: object) =>
    call("accounts.signIn", { body: { email, password: PASSWORD, ...more } });
  t.match(await signIn("dan@example.com", { role: "driver" }), { code: "role_missing", detail: { state: "applied" } });
  t.match(await signIn("dan@example.com", { role: "admin" }), { code: "role_missing", detail: { state: "none" } });
  const [waiting] = (await call("accounts.applications", { caller: ADMIN, query: { role: "driver" } })).value
    .applications;
  t.match(waiting, { accountId: driver.accountId, name: "Dan", asks: application });
  const approve = () => call("accounts.approve", { caller: ADMIN, params: waiting, body: { reason: "papers seen" } });
  t.match(await approve(), { value: { roles: [{ role: "customer" }, { role: "driver", state: "active" }] } });
  t.match(await approve(), { ok: true }, "said again");
  t.match(await call("accounts.reject", { caller: ADMIN, params: waiting, body: { reason: "no" } }), {
    code: "illegal_transition",
  });
  t.match(await signIn("dan@example.com", { role: "driver" }), {
    value: { role: "driver", principalId: driver.accountId },
  });

  const cook = await signUp("eva@example.com");
  const asked = { caller: callerOf(cook), body: { role: "restaurant", restaurantId: "r-7" } };
  await call("accounts.apply", asked);
  const before = (await call("accounts.apply", asked)).value.roles;
  t.equal(before.length, 2, "asked twice, asked once");
  const { applicationId } = before[1];
  t.match(
    await call("accounts.reject", { caller: ADMIN, params: { applicationId }, body: { reason: "who are you?" } }),
    {
      value: { roles: [{}, { state: "rejected", reason: "who are you?" }] },
    },
  );
  t.match(await signIn("eva@example.com", { role: "restaurant" }), {
    detail: { state: "rejected", reason: "who are you?" },
  });
  await call("accounts.apply", asked);
  const [, asks] = (await call("accounts.me", { caller: callerOf(cook) })).value.roles;
  t.not(asks.applicationId, applicationId, "a new application");
  await call("accounts.approve", { caller: ADMIN, params: asks, body: {} });
  t.match(await signIn("eva@example.com", { role: "restaurant" }), {
    value: { principalId: "r-7", accountId: cook.accountId },
  });
  await call("accounts.grantRole", {
    caller: ADMIN,
    params: { accountId: cook.accountId, role: "restaurant" },
    body: { restaurantId: "r-8", reason: "a second house" },
  });
  t.match(await signIn("eva@example.com", { role: "restaurant" }), {
    code: "role_missing",
    detail: { restaurantIds: ["r-7", "r-8"] },
  });
  t.match(await signIn("eva@example.com", { role: "restaurant", restaurantId: "r-8" }), {
    value: { principalId: "r-8" },
  });
  t.match(await signIn("eva@example.com", { role: "restaurant", restaurantId: "r-9" }), { code: "role_missing" });
  t.same(
    (await store.audit.read({ limit: 9 })).map(({ action }) => action),
    ["role.give", "application.approve", "application.reject", "application.approve"],
  );
});

t.test("R-ADM-2: a ban ends sessions on every node, also on one that heard nothing of it", async (t) => {
  const { node, clock, lines, store } = city();
  const [one, two] = [await node(), await node()];
  const { accountId, sessionId, refreshToken } = await one.signUp("ana@example.com");
  const ban = (how: "accounts.ban" | "accounts.unban", reason: string) =>
    one.call(how, { caller: ADMIN, params: { accountId }, body: { reason } });
  lines.cut();
  t.match(await ban("accounts.ban", "fraud"), { value: { state: "banned", reason: "fraud" } });
  t.same(two.revoked, [], "the notice is lost");
  clock.beat();
  await until(() => two.revoked.length > 0);
  t.match(two.revoked[0], { key: `s:${sessionId}`, why: "banned" });
  t.match(await one.call("accounts.refresh", { body: { refreshToken } }), { code: "session_ended" });
  const body = { email: "ana@example.com", password: PASSWORD };
  t.match(await one.call("accounts.signIn", { body }), { code: "account_banned", detail: { reason: "fraud" } });
  t.match(await one.call("accounts.signIn", { body: { ...body, password: "a wrong password" } }), {
    code: "wrong_credentials",
  });
  await ban("accounts.ban", "fraud, again");
  lines.join();
  t.match(await ban("accounts.unban", "it was somebody else"), { value: { state: "active" } });
  t.match(await one.call("accounts.signIn", { body }), { ok: true });
  t.match(await store.audit.read({ subject: `account/${accountId}`, limit: 9 }), [
    { action: "account.unban", reason: "it was somebody else", principalId: "root" },
    { action: "account.ban", reason: "fraud" },
  ]);
  const whole = { caller: ADMIN, params: { role: "restaurant", principalId: "r-1" }, body: { reason: "rats" } };
  two.revoked.length = 0;
  await one.call("accounts.banPrincipal", whole);
  await until(() => two.revoked.length > 0);
  t.match(two.revoked[0], { key: "p:restaurant/r-1", why: "banned" });
  t.match((await (await node()).revoked.length) > 0, true, "a node that starts later reads the bans that stand");
});

t.test("R-GPS-8: a driver is located only while they consent, and every word of it is kept", async (t) => {
  const { node, clock } = city();
  const [one, two] = [await node(), await node()];
  const driver = await one.signUp("dan@example.com");
  const key = `g:${driver.accountId}`;
  const last = () => two.revoked.filter((each) => each.key === key).at(-1);
  await one.call("accounts.grantRole", {
    caller: ADMIN,
    params: { accountId: driver.accountId, role: "driver" },
    body: { reason: "known" },
  });
  await until(() => last() !== undefined);
  t.ok(last()!.until > clock.now(), "nobody is asked for what they have not said");
  const consent = (given: boolean) => one.call("accounts.consent", { caller: callerOf(driver), body: { given } });
  await consent(true);
  await consent(true);
  await until(() => last()!.until < clock.now());
  clock.turn(MINUTE);
  const me = (await consent(false)).value;
  await until(() => last()!.until > clock.now());
  t.same(
    me.consents.map(({ given }: { given: boolean }) => given),
    [true, false],
  );
  t.equal(me.consents[1].at - me.consents[0].at, MINUTE);
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

t.test("R-ACC-1: addresses and contact are kept under bounds and changed whole", async (t) => {
  const { call, signUp } = await city().node();
  const session = await signUp("ana@example.com", { name: "Ana", phone: "+573001234567" });
  const caller = callerOf(session);
  const save = (addressId: string, body: object = HOME) =>
    call("accounts.saveAddress", { caller, params: { addressId }, body });
  for (const id of ["home", "__proto__", "work"]) t.match(await save(id), { ok: true });
  t.match(await save("fourth"), { code: "too_many", detail: { most: 3 } });
  t.match(await save("home", { ...HOME, label: "Casa" }), {
    value: { addresses: [{ addressId: "home", label: "Casa" }, {}, {}] },
  });
  t.match(await call("accounts.removeAddress", { caller, params: { addressId: "work" } }), { ok: true });
  t.match(await call("accounts.removeAddress", { caller, params: { addressId: "work" } }), { ok: true }, "again");
  const me = (await call("accounts.update", { caller, body: { name: "Ana María" } })).value;
  t.strictSame([me.name, me.phone, me.addresses.length], ["Ana María", undefined, 2]);
  const stranger: OperationCaller = { id: "c1", role: "customer" };
  t.match(await call("accounts.me", { caller: stranger }), { code: "not_found" }, "a token that is no account's");
});

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
  t.match(revoked, [{ key: `s:${other.sessionId}`, why: "password_changed" }]);
  t.match(await call("accounts.signIn", { body }), { code: "wrong_credentials" });
  t.match(await call("accounts.signIn", { body: { ...body, password: "another long sentence" } }), { ok: true });
  await call("accounts.signOutEverywhere", { caller: callerOf(first) });
  t.equal(revoked.length, 3);
  t.match(await call("accounts.refresh", { body: { refreshToken: first.refreshToken } }), { code: "session_ended" });
});

t.test("R-ACC-4: a person gets everything that is kept about them, and is forgotten when they say so", async (t) => {
  const { node, store } = city();
  const { call, signUp } = await node();
  const application = { role: "driver", vehicle: "car", documents: [{ kind: "licence", reference: "x/1" }] };
  const session = await signUp("ana@example.com", { name: "Ana", phone: "+573001234567", application });
  const caller = callerOf(session);
  await call("accounts.saveAddress", { caller, params: { addressId: "home" }, body: HOME });
  const { value } = await call("accounts.export", { caller });
  t.match(value, {
    account: { email: "ana@example.com", phone: "+573001234567", addresses: [HOME], roles: [{}, { role: "driver" }] },
    applications: [{ state: "applied", asks: application }],
    sessions: [{ sessionId: session.sessionId }],
    orders: [{ orderId: "o2", customerId: session.accountId }, { orderId: "o1" }],
  });
  t.match(await call("accounts.erase", { caller, body: { password: "a wrong password" } }), {
    code: "wrong_credentials",
  });
  t.match(await call("accounts.erase", { caller, body: { password: PASSWORD } }), { ok: true });
  t.match(await store.accounts.byId(session.accountId), {
    state: "erased",
    dataKey: null,
    person: null,
    emailHash: null,
    password: null,
    consents: [],
    roles: [
      { state: "ended", asks: null },
      { state: "ended", asks: null },
    ],
  });
  const body = { email: "ana@example.com", password: PASSWORD };
  t.match(await call("accounts.signIn", { body }), { code: "wrong_credentials" });
  t.match(await call("accounts.me", { caller }), { code: "not_found" });
  t.match(await call("accounts.read", { caller: ADMIN, params: session }), { value: { state: "erased" } });
  t.not((await signUp("ana@example.com")).accountId, session.accountId, "the address is free");
  t.match(await store.audit.read({ limit: 1 }), [{ action: "account.erase", subject: `account/${session.accountId}` }]);
});

t.test(
  "R-ACC-2: two keys overlap: a new one signs when all have had time to hear of it, the old one verifies on",
  async (t) => {
    const { node, clock } = city();
    const [one, two] = [await node(), await node()];
    const kids = (at: typeof one) => at.keys().map(({ kid }) => kid);
    t.same([kids(one), kids(two)], [["node"], ["node"]]);
    const { kid, signsFrom } = (
      await one.call("accounts.rotateKeys", { caller: ADMIN, body: { reason: "the year is over" } })
    ).value;
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

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => queueMicrotask(resolve));
}
