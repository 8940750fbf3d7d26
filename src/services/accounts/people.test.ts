import t from "tap";
import type { OperationCaller } from "../../protocol/mod.js";
import { ADMIN, callerOf, city, DAY, HOME, MINUTE, PASSWORD, until } from "./fixtures/city.js";

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

t.test(
  "R-RST-1: a restaurant is found on the map when it is asked for, and is there once it is approved",
  async (t) => {
    const { node, founded } = city();
    const { call, signUp } = await node();
    const opens = { name: "Luz", currency: "COP", address: "Calle 12 # 3-45" };
    const owner = await signUp("luz@example.com", { application: { role: "restaurant", opens } });
    const caller = callerOf(owner);
    const lost = { role: "restaurant", opens: { ...opens, address: "nowhere" } };
    t.match(await call("accounts.apply", { caller, body: lost }), { code: "address_unknown" });
    t.match(
      await call("accounts.signUp", { body: { email: "x@example.com", password: PASSWORD, application: lost } }),
      { code: "address_unknown" },
      "before there is an account",
    );
    t.match(await call("accounts.apply", { caller, body: { role: "restaurant", restaurantId: "r-7", opens } }), {
      code: "invalid",
    });
    const { applications } = (await call("accounts.applications", { caller: ADMIN, query: {} })).value;
    t.match(applications, [{ asks: { opens: { ...opens, lat: 4.65, lng: -74.08 } } }], "an admin sees where");
    t.equal(founded.size, 0);
    const [{ principalId }] = applications;
    const approve = () => call("accounts.approve", { caller: ADMIN, params: applications[0], body: {} });
    // A crash came between the house and the approval.
    founded.set(principalId, "made by the first try");
    t.match(await approve(), { ok: true });
    founded.clear();
    t.match(await approve(), { ok: true }, "approved once");
    t.equal(founded.size, 0);
    const second = await signUp("sol@example.com", { application: { role: "restaurant", opens } });
    const [waiting] = (await call("accounts.applications", { caller: ADMIN, query: {} })).value.applications;
    const byNobody = { id: "s", role: "support" } as const;
    t.match(await call("accounts.approve", { caller: byNobody, params: waiting, body: {} }), { code: "forbidden" });
    t.match((await call("accounts.me", { caller: callerOf(second) })).value.roles, [{}, { state: "applied" }]);
    await call("accounts.approve", { caller: ADMIN, params: waiting, body: {} });
    t.match([...founded], [[waiting.principalId, opens]]);
  },
);

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
  const keysOf = () => two.revoked.map(({ key }) => key).sort();
  t.same(keysOf(), [`p:customer/${accountId}`, `s:${sessionId}`]);
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

t.test("R-ADM-2: a node that starts lets nobody in before it knows who was banned", async (t) => {
  const { node, store } = city();
  const one = await node();
  const { accountId } = await one.signUp("dan@example.com");
  await one.call("accounts.ban", { caller: ADMIN, params: { accountId }, body: { reason: "fraud" } });
  const { revocations } = store.accounts;
  let answer = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    answer = resolve;
  });
  Object.assign(store.accounts, {
    async revocations(...asked: Parameters<typeof revocations>) {
      await slow;
      return revocations(...asked);
    },
  });
  let isUp = false;
  const starting = node().then((two) => {
    isUp = true;
    return two;
  });
  let turns = 0;
  await until(() => ++turns > 1_000);
  t.notOk(isUp, "the database is slow");
  answer();
  const keys = (await starting).revoked.map(({ key }) => key);
  t.ok(keys.includes(`p:customer/${accountId}`));
  Object.assign(store.accounts, {
    async revocations() {
      throw new Error("the database is away");
    },
  });
  await t.rejects(node(), /away/, "and does not start without knowing it");
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
  "R-GPS-8, R-ADM-2: whoever drives for us no more is not located any more, whatever they agreed to",
  async (t) => {
    const { node, clock } = city();
    const { call, signUp, revoked } = await node();
    const driver = await signUp("dan@example.com");
    const key = `g:${driver.accountId}`;
    const mayBeLocated = () => (revoked.findLast((each) => each.key === key)?.until ?? 0) <= clock.now();
    const role = (how: "accounts.grantRole" | "accounts.endRole") =>
      call(how, {
        caller: ADMIN,
        params: { accountId: driver.accountId, role: "driver" },
        body: { reason: "it was decided" },
      });
    const consent = (given: boolean) => call("accounts.consent", { caller: callerOf(driver), body: { given } });
    // Before they are taken on, which is when an app may ask.
    await consent(true);
    t.match(await role("accounts.grantRole"), { ok: true });
    t.ok(mayBeLocated());
    t.match(await role("accounts.endRole"), { ok: true });
    t.notOk(mayBeLocated(), "a phone that reports by itself has no session that could end");
    await consent(false);
    await consent(true);
    t.notOk(mayBeLocated(), "nor by agreeing to it once more");
    t.match(await role("accounts.grantRole"), { ok: true });
    t.ok(mayBeLocated(), "taken on again, under the consent that stands");
    await consent(false);
    await role("accounts.endRole");
    await role("accounts.grantRole");
    t.notOk(mayBeLocated());
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

t.test("R-PRO-5, R-ACC-4: copies are made one at a time for each person, and a few in all", async (t) => {
  let begun = 0;
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const kept = async () => {
    begun++;
    await held;
    return { conversation: [] };
  };
  const { node } = city(undefined, [{ name: "conversation", kept, forget: async () => true }]);
  const { call, signUp } = await node();
  const callers: OperationCaller[] = [];
  for (let n = 0; n < 5; n++) callers.push(callerOf(await signUp(`p${n}@example.com`)));
  const busy = { ok: false, code: "overloaded", retryAfterMs: Number };
  const copies = callers.slice(0, 2).map((caller) => call("accounts.export", { caller }));
  await until(() => begun === 2);
  t.match(await call("accounts.export", { caller: callers[0]! }), busy, "one's own is under way");
  for (const caller of callers.slice(2, 4)) copies.push(call("accounts.export", { caller }));
  await until(() => begun === 4);
  t.match(await call("accounts.export", { caller: callers[4]! }), busy, "so are as many as there may be");
  t.equal(begun, 4, "nothing was read for those");
  goOn();
  for (const copy of copies) t.match(await copy, { ok: true, value: { conversation: [] } });
  t.match(await call("accounts.export", { caller: callers[0]! }), { ok: true });
  t.match(await call("accounts.export", { caller: callers[4]! }), { ok: true });
});

t.test("R-ACC-4: erasing goes on until nothing is left anywhere, whoever began and whatever broke", async (t) => {
  const asked: string[] = [];
  const answers: (boolean | "broken")[] = [false, "broken", true];
  const records = [
    {
      name: "orders",
      async forget({ id }: { readonly id: string }) {
        asked.push(id);
        const answer = answers.shift();
        if (answer === "broken") throw new Error("the store is away");
        return answer ?? true;
      },
    },
    { name: "reviews", forget: async () => true },
  ];
  const { node, store, clock } = city(undefined, records);
  const [one, two] = [await node(), await node()];
  const session = await one.signUp("ana@example.com");
  await one.call("accounts.erase", { caller: callerOf(session), body: { password: PASSWORD } });
  await until(() => asked.length === 1);
  t.same(await store.accounts.erasures(10), [session.accountId], "an order was still open");
  await two.accounts.tidy();
  t.same(await store.accounts.erasures(10), [session.accountId]);
  await two.accounts.tidy();
  t.same(await store.accounts.erasures(10), []);
  await two.accounts.tidy();
  t.same(asked, Array(3).fill(session.accountId), "what is done is not asked for again");
  clock.turn(DAY);
  await two.accounts.tidy();
  await two.accounts.tidy();
  t.same(asked, Array(4).fill(session.accountId), "but for the last look");
});

t.test("R-ACC-4: what another phone had under way when its owner was erased is erased, too", async (t) => {
  const orders = new Set(["an old one"]);
  const records = [
    {
      name: "orders",
      async forget() {
        orders.clear();
        return true;
      },
    },
  ];
  const { node, store, clock } = city(undefined, records);
  const [one, two] = [await node(), await node()];
  const session = await one.signUp("ana@example.com");
  await one.call("accounts.erase", { caller: callerOf(session), body: { password: PASSWORD } });
  await until(() => orders.size === 0);
  // Let in before the erasure, and stored after it: its address was looked up meanwhile.
  orders.add("to her door");
  clock.turn(MINUTE);
  await two.accounts.tidy();
  clock.turn(16 * MINUTE);
  await two.accounts.tidy();
  t.same([...orders], []);
  t.same(await store.accounts.erasures(10), []);
  orders.add("of somebody else");
  clock.turn(DAY);
  await two.accounts.tidy();
  t.equal(orders.size, 1, "and that was the end of it");
});
