/** Polls under every kind of loss: R-TRK-1, R-CLU-5, rule 12. */
import t from "tap";
import type { IndexQuery, IndexRow, MirrorEntry } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import type { Json } from "../../lib/json.js";
import type { OrderStatus, OrderTracking, OrderView } from "../../protocol/mod.js";
import { createTrackingService, type TrackingSettings, type TrackResult } from "./mod.js";

const customer = { id: "c1", role: "customer" };

function tracking(
  orderId: string,
  version: number,
  status: OrderStatus,
  grant: OrderTracking["grant"] = null,
): OrderTracking {
  const view = { orderId, version, status } as unknown as OrderView;
  return { customerId: "c1", restaurantId: "r1", driverId: grant?.driverId ?? null, version, grant, view };
}

function world(settings: Partial<TrackingSettings> = {}, withCopy = true) {
  let now = 1_000_000;
  const due: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(delayMs, run) {
      due.push({ at: now + delayMs, run });
      return () => {};
    },
    every: () => () => {},
  };
  const copy = new Map<string, MirrorEntry>();
  const shared = new Map<string, MirrorEntry>();
  const rows = new Map<string, OrderTracking>();
  const state = { mirrorDown: false, indexDown: false };
  const queries: IndexQuery[] = [];
  const live = (map: Map<string, MirrorEntry>, key: string) => {
    const entry = map.get(key);
    return entry !== undefined && entry.expiresAt > now ? entry : null;
  };
  const service = createTrackingService({
    clock,
    copy: withCopy ? { get: (key) => live(copy, key), told: (key) => copy.get(key) ?? null } : null,
    mirror: {
      read: (keys) =>
        state.mirrorDown ? Promise.reject(new Error("away")) : Promise.resolve(keys.map((key) => live(shared, key))),
    },
    index: {
      queryIndex(query) {
        queries.push(query);
        if (state.indexDown) return Promise.reject(new Error("away"));
        return Promise.resolve(
          (query.keys ?? []).flatMap((key) => {
            const row = rows.get(key);
            return row === undefined ? [] : [{ key, view: row as unknown as Json } as IndexRow];
          }),
        );
      },
    },
    settings,
  });
  const put = (map: Map<string, MirrorEntry>, key: string, value: unknown, ttlMs: number) =>
    map.set(key, { key, version: [1, now], value: value as Json, expiresAt: now + ttlMs });
  return {
    service,
    copy,
    shared,
    rows,
    state,
    queries,
    put,
    pass(ms: number) {
      now += ms;
    },
    async track(orderId: string, viewer = customer): Promise<TrackResult> {
      const result = service.track(orderId, viewer);
      const gathered = due.splice(0);
      for (const { run } of gathered) run();
      return result;
    },
    runDue() {
      for (const { run } of due.splice(0)) run();
    },
  };
}

t.test("R-TRK-1: this process's copy first, then the mirror, then the index", async (t) => {
  const w = world();
  w.rows.set("o1", tracking("o1", 1, "placed"));
  t.match(await w.track("o1"), { ok: true, tracking: { version: 1 }, fresh: true });
  t.equal(w.queries.length, 1);
  t.match(await w.track("o1"), { ok: true });
  t.equal(w.queries.length, 1, "remembered for a while");
  w.put(w.copy, "view:o1", tracking("o1", 2, "confirmed"), 10_000);
  t.notOk(w.service.track("o1", customer) instanceof Promise, "the copy answers at once");
  t.match(await w.track("o1"), { tracking: { version: 2 } });
  w.pass(10_001);
  w.put(w.shared, "view:o1", tracking("o1", 3, "accepted"), 10_000);
  t.match(await w.track("o1"), { tracking: { version: 3 } });
  t.equal(w.queries.length, 1, "the mirror spared the index");
  w.pass(10_001);
  t.match(await w.track("o1"), { tracking: { version: 3 } }, "rule 15: the index is behind, the view does not go back");
});

t.test("R-TRK-1: the stamp is another one whenever the view or the position is, and else the same", async (t) => {
  const w = world();
  const grant = { driverId: "d1", number: 1 };
  const stamp = async (): Promise<string> => {
    const result = await w.track("o1");
    if (!result.ok) throw new Error(result.code);
    return result.stamp;
  };
  const fix = (at: number, ttlMs: number) =>
    w.put(w.copy, "fix:d1", { position: { lat: 41, lng: 29, at }, grants: { o1: 1 } }, ttlMs);
  const view = (version: number) => {
    w.rows.set("o1", tracking("o1", version, "picked_up", grant));
    w.put(w.copy, "view:o1", tracking("o1", version, "picked_up", grant), 60_000);
  };
  const seen: string[] = [];
  const changes: readonly (() => void)[] = [
    () => view(1),
    () => fix(1, 5_000),
    () => fix(2, 5_000),
    () => view(2),
    // Too old to be shown.
    () => w.pass(5_001),
  ];
  for (const change of changes) {
    w.pass(1);
    change();
    seen.push(await stamp());
    t.equal(await stamp(), seen.at(-1), "nothing has changed");
  }
  t.equal(new Set(seen).size, changes.length, seen.join(" "));
});

t.test("R-TRK-1: what the copy was told last is asked about every ten seconds, and counts for no longer", async (t) => {
  const w = world();
  const grant = { driverId: "d1", number: 1 };
  const moving = tracking("o1", 2, "picked_up", grant);
  w.rows.set("o1", moving);
  w.put(w.copy, "view:o1", moving, 10_000);
  w.put(w.copy, "fix:d1", { position: { lat: 1, lng: 1, at: 1 }, grants: { o1: 1 } }, 600_000);
  const track = async (maxAgeMs?: number): Promise<TrackResult> => {
    const result = w.service.track("o1", customer, maxAgeMs);
    w.runDue();
    return result;
  };
  t.match(await track(), { tracking: { version: 2 }, position: { lat: 1 } });
  w.pass(10_001);
  t.match(await track(), { tracking: { version: 2 }, position: { lat: 1 }, fresh: true });
  t.equal(w.queries.length, 1, "no longer told: asked");
  for (let i = 0; i < 4; i++) {
    w.pass(2_400);
    t.match(await track(), { tracking: { version: 2 }, position: { lat: 1 }, fresh: true });
  }
  t.equal(w.queries.length, 1, "it is the newest");
  t.match(await track(1_000), { tracking: { version: 2 } });
  t.equal(w.queries.length, 2, "whoever wants it younger asks");

  w.rows.set("o1", tracking("o1", 3, "delivered"));
  w.pass(9_999);
  t.match(await track(), { tracking: { version: 2 } }, "what it was told was lost");
  w.pass(2);
  t.match(await track(), { tracking: { version: 3 }, position: null }, "rule 12: within ten seconds");
  const reads = w.queries.length;
  w.pass(5_001);
  t.match(await track(), { tracking: { version: 3 } });
  t.equal(w.queries.length, reads + 1, "what the copy holds is not what the index says: asked as if there were none");
  w.put(w.copy, "view:o1", tracking("o1", 4, "delivered"), 10_000);
  t.match(await track(), { tracking: { version: 4 } }, "what is told counts at once");
  w.rows.set("o1", tracking("o1", 4, "delivered"));
  w.pass(10_001);
  t.match(await track(), { tracking: { version: 4 } });
  w.pass(6_000);
  w.copy.delete("view:o1");
  w.rows.set("o1", tracking("o1", 5, "delivered"));
  t.match(await track(), { tracking: { version: 5 } }, "rule 15: its shard has left; it tells others");
});

t.test("R-TRK-1: a thousand simultaneous polls of one order are one read, of many orders one query", async (t) => {
  const w = world();
  for (let i = 0; i < 150; i++) w.rows.set(`o${i}`, tracking(`o${i}`, 1, "placed"));
  const polls = Array.from({ length: 1500 }, (_, i) => w.service.track(`o${i % 150}`, customer));
  w.runDue();
  const results = await Promise.all(polls);
  t.ok(results.every((result) => result.ok));
  t.equal(w.queries.length, 1);
  t.equal(w.queries[0]!.keys!.length, 150);
});

t.test("R-ACC-3: whoever may not see it learns nothing, from every source", async (t) => {
  const w = world();
  w.rows.set("o1", tracking("o1", 1, "placed"));
  const not = { ok: false, code: "not_found" };
  for (const viewer of [
    { id: "c2", role: "customer" },
    { id: "r2", role: "restaurant" },
    { id: "c1", role: "driver" },
    { id: "c1", role: "made-up" },
  ]) {
    t.same(await w.track("o1", viewer), not, `${viewer.role} ${viewer.id}`);
    t.same(await w.track("never", viewer), not);
  }
  for (const viewer of [
    customer,
    { id: "r1", role: "restaurant" },
    { id: "s", role: "support" },
    { id: "a", role: "admin" },
  ]) {
    t.match(await w.track("o1", viewer), { ok: true });
  }
  w.put(w.copy, "view:o2", tracking("o2", 1, "placed"), 10_000);
  t.same(await w.track("o2", { id: "c2", role: "customer" }), not);
});

t.test("rule 12: a position only with exactly the open grant, and gone within ten seconds of its end", async (t) => {
  for (const withCopy of [true, false]) {
    const w = world({}, withCopy);
    const grant = { driverId: "d1", number: 4 };
    w.rows.set("o1", tracking("o1", 5, "picked_up", grant));
    const put = (value: unknown, ttlMs = 30_000) => w.put(withCopy ? w.copy : w.shared, "fix:d1", value, ttlMs);
    const position = async () => {
      const result = await w.track("o1");
      return result.ok ? result.position : null;
    };
    put({ position: { lat: 1, lng: 1, at: 1 }, grants: { o1: 3 } });
    t.equal(await position(), null, "an older grant");
    w.pass(2_001);
    put({ position: { lat: 2, lng: 1, at: 2 }, grants: { o2: 4 } });
    t.equal(await position(), null, "another order's grant");
    w.pass(2_001);
    put({ position: { lat: 3, lng: 1, at: 3 }, grants: { o1: 4 } });
    t.match(await position(), { lat: 3 });
    w.pass(2_001);
    put({ position: { lat: 4, lng: 1, at: 4 }, grants: {} });
    t.equal(await position(), null, "the driver has closed it");
    w.pass(2_001);
    put({ position: { lat: 5, lng: 1, at: 5 }, grants: { o1: 4 } }, 3_000);
    t.match(await position(), { lat: 5 });
    w.pass(3_001);
    t.equal(await position(), null, "no longer live");
    put({ position: { lat: 6, lng: 1, at: 6 }, grants: { o1: 4 } });
    w.pass(2_001);
    t.match(await position(), { lat: 6 });
    // Another driver, whose shard has a lower epoch: what is newer is judged per driver.
    w.rows.set("o1", tracking("o1", 6, "picked_up", { driverId: "d2", number: 7 }));
    const low = {
      key: "fix:d2",
      version: [0, 1] as const,
      value: { position: { lat: 7, lng: 1, at: 1 }, grants: { o1: 7 } },
    };
    (withCopy ? w.copy : w.shared).set("fix:d2", { ...low, expiresAt: Number.MAX_SAFE_INTEGER });
    w.pass(2_001);
    t.match(await position(), { lat: 7 });
    // The order closed it, but the driver's last word is still mirrored: only the view can tell.
    w.rows.set("o1", tracking("o1", 8, "delivered", null));
    w.pass(9_000);
    t.equal(await position(), null);
  }
});

t.test("R-CLU-5: what is lost blurs, and says so", async (t) => {
  const w = world({ maxWaiting: 10 }, false);
  w.rows.set("o1", tracking("o1", 5, "picked_up", { driverId: "d1", number: 1 }));
  w.put(w.shared, "fix:d1", { position: { lat: 1, lng: 1, at: 1 }, grants: { o1: 1 } }, 60_000);
  t.match(await w.track("o1"), { fresh: true, position: { lat: 1 } });
  w.state.mirrorDown = true;
  w.pass(6_000);
  t.match(await w.track("o1"), { fresh: true, tracking: { version: 5 } }, "without the mirror: from the index");
  w.state.indexDown = true;
  w.pass(6_000);
  t.match(
    await w.track("o1"),
    { ok: true, fresh: false, position: null, tracking: { version: 5 } },
    "without both: the last known",
  );
  t.same(await w.track("o2"), { ok: false, code: "unavailable" }, "and nothing is known of others");
  w.state.mirrorDown = false;
  w.put(w.shared, "view:o1", tracking("o1", 6, "delivered"), 10_000);
  t.match(await w.track("o1"), { fresh: true, tracking: { version: 6 } }, "the mirror alone is enough");
  const many = Array.from({ length: 30 }, (_, i) => w.service.track(`x${i}`, customer));
  w.state.indexDown = false;
  w.runDue();
  const codes = (await Promise.all(many)).map((result) => (result.ok ? "ok" : result.code));
  t.equal(codes.filter((code) => code === "unavailable").length, 20, "rule 16: what waits is bounded");
});

t.test("R-PRO-5 rule 16: the cache is bounded", async (t) => {
  const w = world({ maxCached: 5 });
  for (let i = 0; i < 20; i++) {
    w.rows.set(`o${i}`, tracking(`o${i}`, 1, "placed"));
    t.match(await w.track(`o${i}`), { ok: true });
  }
  const before = w.queries.length;
  await w.track("o19");
  t.equal(w.queries.length, before);
  await w.track("o0");
  t.equal(w.queries.length, before + 1, "the oldest was forgotten");
});
