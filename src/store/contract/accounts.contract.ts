/** What every store of accounts promises its service. Run on each adapter. */
import type { Test } from "tap";
import {
  type AccountRecord,
  type AccountStore,
  type AuditDraft,
  type Ending,
  type KeyRecord,
  principalKey,
  type RoleRecord,
  type SessionRecord,
  sessionKey,
} from "../../services/accounts/ports.js";
import type { AuditLog } from "../../services/audit/ports.js";

export interface AccountsUnderTest {
  readonly accounts: AccountStore;
  readonly audit: AuditLog;
}

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
let made = 0;

function role(changes: Partial<RoleRecord> & Pick<RoleRecord, "principalId">): RoleRecord {
  return { role: "customer", state: "active", applicationId: null, since: NOW, reason: "", asks: null, ...changes };
}

function account(changes: Partial<AccountRecord> = {}): AccountRecord {
  const id = changes.id ?? `account-${++made}`;
  return {
    id,
    state: "active",
    reason: "",
    createdAt: NOW + 0.5,
    version: 1,
    emailHash: `hash-of-${id}`,
    password: "$argon2id$é",
    dataKey: bytes(`key-${id}`),
    masterId: "m1",
    person: bytes("\u0000sealed"),
    consents: [],
    roles: [role({ principalId: id })],
    ...changes,
  };
}

function session(of: AccountRecord, changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: `session-${++made}`,
    accountId: of.id,
    role: "customer",
    principalId: of.id,
    generation: 0,
    lastKey: "",
    createdAt: NOW,
    usedAt: NOW,
    expiresAt: NOW + HOUR,
    endedAt: null,
    endedWhy: null,
    ...changes,
  };
}

const draft = (subject: string, changes: Partial<AuditDraft> = {}): AuditDraft => ({
  at: NOW,
  role: "admin",
  principalId: "root",
  action: "account.ban",
  subject,
  reason: 'it\'s said: "why"',
  ...changes,
});

const endAll = (why: Ending["why"] = "banned"): Ending => ({
  which: { kind: "all" },
  why,
  now: NOW + 5,
  until: NOW + HOUR,
});

const key = (kid: string, changes: Partial<KeyRecord> = {}): KeyRecord => ({
  kid,
  purpose: "signing",
  sealed: bytes(kid),
  masterId: "m1",
  publicKey: "PEM",
  createdAt: NOW,
  activeFrom: NOW,
  until: NOW + 100 * HOUR,
  ...changes,
});

export async function accountsContract(t: Test, make: (t: Test) => Promise<AccountsUnderTest>): Promise<void> {
  const { accounts, audit } = await make(t);

  /** An account in the store with one session. */
  async function stored(changes: Partial<AccountRecord> = {}): Promise<{ of: AccountRecord; first: SessionRecord }> {
    const of = account(changes);
    const first = session(of);
    t.equal(await accounts.create(of, first), "created");
    return { of, first };
  }

  await t.test("R-ACC-1: an account comes back as it was written, by whatever names it", async (t) => {
    const asked = role({
      role: "driver",
      principalId: "d1",
      state: "applied",
      applicationId: "app-1",
      reason: "é",
      asks: bytes("sealed"),
    });
    const of = account({
      roles: [role({ principalId: "x" }), asked],
      consents: [{ what: "location", given: true, at: 5 }],
    });
    t.equal(await accounts.create(of, session(of)), "created");
    t.strictSame(plain(await accounts.byId(of.id)), plain(of));
    t.strictSame(plain(await accounts.byEmail(of.emailHash!)), plain(of));
    t.strictSame(plain(await accounts.byApplication("app-1")), plain(of));
    t.strictSame((await accounts.holders("customer", "x", 9)).map(plain), [plain(of)]);
    t.same(await accounts.holders("driver", "d1", 9), [], "who has asked for a role does not have it yet");
    for (const none of [
      await accounts.byId("nobody"),
      await accounts.byEmail("\u0000"),
      await accounts.byApplication("x"),
    ])
      t.equal(none, null);
  });

  await t.test("R-ACC-1: of two sign-ups with one address, or of one id, one is there", async (t) => {
    const of = account();
    const rivals = Array.from({ length: 6 }, () => account({ emailHash: of.emailHash }));
    const outcomes = await Promise.all([of, ...rivals].map((each) => accounts.create(each, session(each))));
    t.equal(outcomes.filter((outcome) => outcome === "created").length, 1);
    const winner = (await accounts.byEmail(of.emailHash!))!;
    t.equal(await accounts.create(account({ id: winner.id }), session(winner)), "exists");
    const lost = [of, ...rivals].filter(({ id }) => id !== winner.id);
    for (const { id } of lost) t.same([await accounts.byId(id), await accounts.sessionsOf(id)], [null, []]);
  });

  await t.test("R-ACC-1: a change is made of what it read, or not at all", async (t) => {
    const { of } = await stored();
    const attempts = await Promise.all(
      ["a", "b", "c", "d"].map((reason) =>
        accounts.change({ ...of, reason }, { audit: [draft(`account/${of.id}`, { reason })], end: null }),
      ),
    );
    t.equal(attempts.filter(({ kind }) => kind === "changed").length, 1);
    const now = (await accounts.byId(of.id))!;
    t.equal(now.version, 2);
    const entries = await audit.read({ subject: `account/${of.id}`, limit: 10 });
    t.strictSame(
      entries.map(({ reason }) => reason),
      [now.reason],
      "the audit has the change that was made and no other",
    );
    const next = await accounts.change(
      { ...now, roles: [...now.roles, role({ role: "driver", principalId: of.id })] },
      { audit: [], end: null },
    );
    t.same(next, { kind: "changed", revoked: [] });
    t.strictSame(
      (await accounts.byId(of.id))!.roles.map(({ role: each }) => each),
      ["customer", "driver"],
    );
    t.same(await accounts.change(account(), { audit: [], end: null }), { kind: "stale" }, "what is not there");
  });

  await t.test(
    "R-ACC-2: a refresh token is used once; its repetition gets the same answer; its reuse ends the session",
    async (t) => {
      const { first } = await stored();
      const times = { now: NOW + 10, expiresAt: NOW + 2 * HOUR, until: NOW + HOUR };
      const rotated = await accounts.rotateSession(first.id, 0, "k1", times);
      t.match(rotated, {
        kind: "rotated",
        session: { generation: 1, lastKey: "k1", expiresAt: NOW + 2 * HOUR, usedAt: NOW + 10 },
      });
      t.match(await accounts.rotateSession(first.id, 0, "k1", times), { kind: "repeated", session: { generation: 1 } });
      t.match(await accounts.rotateSession(first.id, 1, "k2", times), { kind: "rotated", session: { generation: 2 } });
      t.match(await accounts.rotateSession(first.id, 1, "k2", times), { kind: "repeated", session: { generation: 2 } });
      t.strictSame(await accounts.rotateSession(first.id, 0, "k1", times), {
        kind: "reused",
        revoked: [{ key: sessionKey(first.id), until: NOW + HOUR, why: "reused" }],
      });
      t.same(
        await accounts.rotateSession(first.id, 2, "k3", times),
        { kind: "ended" },
        "also for who holds the newest",
      );
      t.same(await accounts.rotateSession("nobody", 0, "k", times), { kind: "ended" });
      const { first: late } = await stored();
      t.same(
        await accounts.rotateSession(late.id, 0, "k", { ...times, now: NOW + HOUR }),
        { kind: "ended" },
        "too late",
      );
    },
  );

  await t.test("R-ACC-2: of several that refresh at once with keys of their own, one gets a successor", async (t) => {
    const { first } = await stored();
    const times = { now: NOW + 10, expiresAt: NOW + HOUR, until: NOW + HOUR };
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, (_, n) => accounts.rotateSession(first.id, 0, `key-${n}`, times)),
    );
    const kinds = outcomes.map(({ kind }) => kind);
    t.equal(kinds.filter((kind) => kind === "rotated").length, 1);
    t.equal(kinds.filter((kind) => kind === "reused").length, 1, "the others are thieves or their victims");
  });

  await t.test(
    "R-ACC-2: a session begins only for who may have it, and the same request finds the same one",
    async (t) => {
      const { of } = await stored();
      const one = session(of);
      t.strictSame(await accounts.openSession(one, 10, NOW), { ok: true, session: one, revoked: [] });
      t.strictSame(await accounts.openSession({ ...one, createdAt: NOW + 1 }, 10, NOW), {
        ok: true,
        session: one,
        revoked: [],
      });
      t.same(await accounts.openSession(session(of, { role: "driver" }), 10, NOW), { ok: false, why: "role_missing" });
      t.same(await accounts.openSession(session(account()), 10, NOW), { ok: false, why: "not_found" });
      await accounts.change({ ...of, state: "banned" }, { audit: [], end: endAll() });
      t.same(await accounts.openSession(session(of), 10, NOW), { ok: false, why: "banned" });
      const ended = await accounts.sessionsOf(of.id);
      t.same(new Set(ended.map(({ endedWhy, endedAt }) => `${endedWhy} ${endedAt}`)), new Set([`banned ${NOW + 5}`]));
    },
  );

  await t.test("rule 16: an account has so many sessions; the one longest unused ends", async (t) => {
    const { of, first } = await stored();
    const others = Array.from({ length: 4 }, (_, n) => session(of, { usedAt: NOW + n + 1 }));
    for (const each of others.slice(0, 3)) t.match(await accounts.openSession(each, 4, NOW), { ok: true, revoked: [] });
    t.strictSame(await accounts.openSession(others[3]!, 4, NOW + HOUR), {
      ok: true,
      session: others[3]!,
      revoked: [{ key: sessionKey(first.id), until: NOW + HOUR, why: "too_many" }],
    });
  });

  await t.test("R-ADM-2: a ban that comes while somebody signs in leaves no session behind", async (t) => {
    for (let round = 0; round < 5; round++) {
      const { of } = await stored();
      const opening = Array.from({ length: 4 }, () => accounts.openSession(session(of), 10, NOW));
      const banning = accounts.change({ ...of, state: "banned" }, { audit: [], end: endAll() });
      await Promise.all([...opening, banning]);
      const open = (await accounts.sessionsOf(of.id)).filter(({ endedAt }) => endedAt === null);
      t.same(open, []);
    }
  });

  await t.test("R-ACC-2: what ends is what was meant to end", async (t) => {
    const roles = (id: string): RoleRecord[] => [
      role({ principalId: id }),
      role({ role: "restaurant", principalId: `r1-${id}` }),
      role({ role: "restaurant", principalId: `r2-${id}` }),
    ];
    const id = `account-${++made}`;
    const { of, first } = await stored({ id, roles: roles(id) });
    const [r1, r2] = [1, 2].map((n) => session(of, { role: "restaurant", principalId: `r${n}-${id}` })) as [
      SessionRecord,
      SessionRecord,
    ];
    for (const each of [r1, r2]) t.match(await accounts.openSession(each, 10, NOW), { ok: true });
    const ended = async (): Promise<string[]> =>
      (await accounts.sessionsOf(id)).flatMap((each) => (each.endedAt === null ? [] : [each.id])).sort();
    const role1: Ending = {
      ...endAll("role_ended"),
      which: { kind: "role", role: "restaurant", principalId: `r1-${id}` },
    };
    t.strictSame(await accounts.change(of, { audit: [], end: role1 }), {
      kind: "changed",
      revoked: [{ key: sessionKey(r1.id), until: NOW + HOUR, why: "role_ended" }],
    });
    t.same(await ended(), [r1.id]);
    const others: Ending = { ...endAll("password_changed"), which: { kind: "others", than: r2.id } };
    await accounts.change({ ...of, version: 2 }, { audit: [], end: others });
    t.same(await ended(), [r1.id, first.id].sort());
    t.match(await accounts.endSession(r2.id, "signed_out", NOW, NOW + 9), [
      { key: sessionKey(r2.id), why: "signed_out" },
    ]);
    t.same(await accounts.endSession(r2.id, "signed_out", NOW, NOW + 9), [], "once");
    t.same(await accounts.endSession("nobody", "signed_out", NOW, NOW), []);
  });

  await t.test("R-ADM-2: whoever acts under a banned id is out, and comes in again when it is lifted", async (t) => {
    const id = `account-${++made}`;
    const principalId = `r-${id}`;
    const { of } = await stored({ id, roles: [role({ principalId: id }), role({ role: "restaurant", principalId })] });
    const staff = session(of, { role: "restaurant", principalId });
    await accounts.openSession(staff, 10, NOW);
    const subject = `restaurant/${principalId}`;
    const ban = { until: NOW + 1000 * HOUR, now: NOW, tokensUntil: NOW + HOUR };
    const whole = { key: principalKey("restaurant", principalId), until: ban.until, why: "banned" };
    t.strictSame(
      [...(await accounts.setPrincipalBan("restaurant", principalId, ban, draft(subject)))],
      [whole, { key: sessionKey(staff.id), until: NOW + HOUR, why: "banned" }],
    );
    t.same(await accounts.setPrincipalBan("restaurant", principalId, ban, draft(subject)), [], "said again");
    const again = session(of, { role: "restaurant", principalId });
    t.same(await accounts.openSession(again, 10, NOW), { ok: false, why: "banned" });
    t.match(await accounts.openSession(session(of), 10, NOW), { ok: true }, "as a customer all the same");
    t.match(await accounts.setPrincipalBan("restaurant", principalId, { ...ban, until: 0 }, draft(subject)), [
      { until: 0 },
    ]);
    t.match(await accounts.openSession(again, 10, NOW), { ok: true });
    t.equal((await audit.read({ subject, limit: 10 })).length, 2);
  });

  await t.test("R-ADM-2: every node reads what was revoked: all that counts, or what is new", async (t) => {
    const { first } = await stored();
    const before = await accounts.revocations(null, NOW);
    await accounts.endSession(first.id, "signed_out", NOW, NOW + HOUR);
    const wanted = { key: sessionKey(first.id), until: NOW + HOUR, why: "signed_out" } as const;
    const has = (all: readonly { readonly key: string }[]) => all.filter((each) => each.key === wanted.key);
    t.strictSame(has((await accounts.revocations(before.at, NOW)).revocations), [wanted]);
    t.strictSame(has((await accounts.revocations(null, NOW)).revocations), [wanted]);
    t.same(has((await accounts.revocations(null, NOW + HOUR)).revocations), [], "its tokens have ended by themselves");
    const after = await accounts.revocations(null, NOW);
    t.ok(after.at >= before.at);
    t.same((await accounts.revocations(after.at + 60_000, NOW)).revocations, []);
  });

  await t.test("R-ACC-1: applications wait in their order until they are decided", async (t) => {
    const ids = [1, 2, 3].map((n) => `applicant-${++made}-${n}`) as [string, string, string];
    const since = [30, 10, 20];
    for (const [n, id] of ids.entries()) {
      const asks = role({
        role: n === 2 ? "restaurant" : "driver",
        principalId: id,
        state: "applied",
        applicationId: `application-${id}`,
        since: since[n]!,
        asks: bytes("asks"),
      });
      await stored({ id, roles: [role({ principalId: id }), asks] });
    }
    const waiting = async (of: "driver" | "restaurant" | null, limit = 100): Promise<string[]> =>
      (await accounts.applications(of, limit)).map(({ id }) => id).filter((id) => ids.includes(id));
    t.same(await waiting(null), [ids[1], ids[2], ids[0]]);
    t.same(await waiting("driver"), [ids[1], ids[0]]);
    t.same(await waiting(null, 1), [ids[1]]);
    const decided = (await accounts.byId(ids[1]))!;
    const active = decided.roles.map((each) => ({ ...each, state: "active" as const }));
    await accounts.change({ ...decided, roles: active }, { audit: [], end: null });
    t.same(await waiting(null), [ids[2], ids[0]]);
  });

  await t.test("R-ACC-4: an erased account leaves its address free and nothing sealed behind", async (t) => {
    const { of } = await stored();
    const erased: AccountRecord = {
      ...of,
      state: "erased",
      emailHash: null,
      password: null,
      dataKey: null,
      masterId: null,
      person: null,
      roles: of.roles.map((each) => ({ ...each, state: "ended", asks: null })),
    };
    t.notOk((await accounts.erasures(100)).includes(of.id));
    t.match(await accounts.change(erased, { audit: [], end: endAll("erased") }), { kind: "changed" });
    t.ok((await accounts.erasures(100)).includes(of.id), "what stands elsewhere is to be erased, too");
    const { of: other } = await stored();
    const { roles, id, version } = other;
    await accounts.change({ ...erased, id, version, roles }, { audit: [], end: endAll("erased") });
    const all = await accounts.erasures(100);
    const turns = new Set<string>();
    for (const _one of all) for (const accountId of await accounts.erasures(1)) turns.add(accountId);
    t.same([...turns].sort(), [...all].sort(), "one that has to wait keeps nobody else waiting");
    await accounts.erasureDone(id, 0);
    await accounts.erasureDone(of.id, HOUR);
    t.notOk((await accounts.erasures(100)).includes(of.id), "not before everything late can have come");
    for (const _again of [1, 2]) await accounts.erasureDone(of.id, 0);
    t.notOk((await accounts.erasures(100)).includes(of.id));
    t.strictSame(plain(await accounts.byId(of.id)), plain({ ...erased, version: 2 }));
    t.equal(await accounts.byEmail(of.emailHash!), null);
    t.same(await accounts.openSession(session(of), 10, NOW), { ok: false, why: "not_found" });
    const again = account({ emailHash: of.emailHash });
    t.equal(await accounts.create(again, session(again)), "created");
  });

  await t.test(
    "R-ACC-2: keys are added once, the older ones of their purpose get an end, and all read the same",
    async (t) => {
      const mine = async (): Promise<KeyRecord[]> =>
        (await accounts.keys()).filter(({ kid }) => kid.startsWith("test-"));
      t.ok(await accounts.addKey(key("test-1"), []));
      t.ok(await accounts.addKey(key("test-l", { purpose: "lookup", publicKey: null }), []));
      t.notOk(await accounts.addKey(key("test-1", { sealed: bytes("another") }), [draft("keys/none")]));
      t.ok(await accounts.addKey(key("test-2", { createdAt: NOW + 1 }), [draft("keys/test")], NOW + HOUR));
      t.strictSame((await mine()).map(plainKey), [
        plainKey(key("test-1", { until: NOW + HOUR })),
        plainKey(key("test-l", { purpose: "lookup", publicKey: null })),
        plainKey(key("test-2", { createdAt: NOW + 1 })),
      ]);
      t.equal((await audit.read({ subject: "keys/none", limit: 9 })).length, 0);
      t.equal((await audit.read({ subject: "keys/test", limit: 9 })).length, 1);
      await accounts.resealKey("test-1", bytes("sealed anew"), "m2");
      t.match(plainKey((await mine())[0]!), { sealed: [...bytes("sealed anew")], masterId: "m2" });
    },
  );

  await t.test("R-ACC-4: data keys are sealed anew with another master key, one by one", async (t) => {
    const { of } = await stored({ masterId: "old" });
    const { of: lost } = await stored({ masterId: "nobody has it" });
    const all = await accounts.sealedWith(["older", "old"], 1000);
    t.notOk(all.some(({ id }) => id === lost.id));
    t.same(await accounts.sealedWith([], 1000), []);
    const found = all.filter(({ id }) => id === of.id);
    t.strictSame(
      found.map(({ id, dataKey }) => [id, [...dataKey]]),
      [[of.id, [...of.dataKey!]]],
    );
    await accounts.resealAccount(of.id, bytes("not this one"), bytes("x"), "m1");
    t.equal((await accounts.byId(of.id))!.masterId, "old", "another was faster");
    await accounts.resealAccount(of.id, of.dataKey!, bytes("new"), "m1");
    t.match(plain(await accounts.byId(of.id)), { masterId: "m1", dataKey: [...bytes("new")], version: 2 });
  });

  await t.test("rule 16: what has ended is forgotten in time", async (t) => {
    const old = account();
    await accounts.create(old, session(old, { expiresAt: 1_000 }));
    t.ok((await accounts.forget(2_000, 1)) >= 1);
    t.same(await accounts.sessionsOf(old.id), []);
    t.ok((await accounts.byId(old.id)) !== null);
  });

  await t.test("R-ADM-2: the audit gives its entries newest first, by whom and to what", async (t) => {
    const by = `auditor-${++made}`;
    const subject = `order/${by}`;
    await audit.append([draft(subject, { principalId: by, at: 1.5 }), draft("order/other", { principalId: by })]);
    await audit.append([draft(subject, { principalId: by, role: "support", accountId: "a1", action: "order.refund" })]);
    await audit.append([]);
    const again = draft("order/again", { principalId: `${by}-again` });
    for (let i = 0; i < 2; i++) await audit.append([{ ...again, once: `${by} 1` }]);
    await audit.append([{ ...again, once: `${by} 2` }]);
    t.equal((await audit.read({ principalId: `${by}-again`, limit: 10 })).length, 2, "written again is written once");
    const all = await audit.read({ principalId: by, limit: 10 });
    t.same(
      all.map((entry) => [entry.subject, entry.action]),
      [
        [subject, "order.refund"],
        ["order/other", "account.ban"],
        [subject, "account.ban"],
      ],
    );
    const { entryId, ...entry } = all[0]!;
    t.strictSame(entry, draft(subject, { principalId: by, role: "support", accountId: "a1", action: "order.refund" }));
    t.equal((await audit.read({ subject, limit: 10 })).length, 2);
    t.same(
      (await audit.read({ subject, principalId: by, before: entryId, limit: 10 })).map(({ at }) => at),
      [1.5],
    );
    t.equal((await audit.read({ principalId: by, limit: 1 })).length, 1);
  });

  await t.test(
    "R-ACC-2: attempts are counted for all who share the store, from every bucket or from none",
    async (t) => {
      const bucket = (key: string, burst: number) => ({ key: `${key}-${++made}`, perMinute: 0.001, burst });
      const [narrow, wide] = [bucket("narrow", 2), bucket("wide", 6)];
      const took = await Promise.all(Array.from({ length: 5 }, () => accounts.takeAttempts([wide, narrow])));
      t.equal(took.filter((waitMs) => waitMs === 0).length, 2, "side by side no more pass than one after the other");
      t.ok(
        took.every((waitMs) => waitMs === 0 || (waitMs > 50_000_000 && waitMs <= 60_000_000)),
        took.join(),
      );
      for (let n = 0; n < 4; n++) t.equal(await accounts.takeAttempts([wide]), 0, "what was refused took nothing");
      t.ok((await accounts.takeAttempts([wide])) > 0);
      await accounts.giveAttempts([narrow, wide]);
      t.equal(await accounts.takeAttempts([narrow, wide]), 0, "given back");
      t.ok((await accounts.takeAttempts([narrow])) > 0);
      const quick = { key: `quick-${++made}`, perMinute: 60_000_000, burst: 1 };
      t.equal(await accounts.takeAttempts([quick]), 0);
      while ((await accounts.takeAttempts([quick])) > 0);
      t.pass("and it comes back with time");
      await accounts.forget(0, 10);
      t.ok((await accounts.takeAttempts([narrow])) > 0, "a bucket that is not full again is not forgotten");
    },
  );
}

const plain = (record: AccountRecord | null): unknown =>
  record === null
    ? null
    : {
        ...record,
        dataKey: record.dataKey === null ? null : [...record.dataKey],
        person: record.person === null ? null : [...record.person],
        roles: record.roles.map((each) => ({ ...each, asks: each.asks === null ? null : [...each.asks] })),
      };
const plainKey = (record: KeyRecord): object => ({ ...record, sealed: [...record.sealed] });
