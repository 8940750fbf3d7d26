import t from "tap";
import { decode } from "../../../lib/msgpack.js";
import type { DriverEvent, Fix, GrantedPosition, OrderTracking } from "../../../protocol/mod.js";
import { at, type City, codeOf, createCity, customer, driver, must, restaurant } from "../fixtures/city.js";
import { Driver } from "../mod.js";

const gateway = { id: "g", role: "gateway" };
const here = (lat: number, lng: number, delta = 0): Fix => [delta, lat, lng, 5, 5, 90];

async function onShift(): Promise<City> {
  const city = createCity();
  await city.goOnline("d", at(0));
  await city.kit.advance(1_000);
  return city;
}

function send(city: City, seq0: number, fixes: Fix[], bootId = "b", baseTs = city.kit.now) {
  return city.drive("d", "gps", { bootId, seq0, baseTs, fixes });
}

async function shown(city: City): Promise<{ lat: number; lng: number; at: number } | null> {
  await city.kit.advance(300);
  const [entry] = await city.mirror.read(["fix:d"]);
  return (
    (entry?.value as unknown as { position: { lat: number; lng: number; at: number } } | undefined)?.position ?? null
  );
}

t.test("R-GPS-2: batches are acknowledged; duplicates are ignored; a new start of the app counts anew", async (t) => {
  const city = await onShift();
  const first = [here(4.65, -74.08, -900), here(4.6501, -74.08, -500)];
  t.same(await must(send(city, 1, first)), { bootId: "b", seq: 2, flagged: 0 });
  const before = await shown(city);
  t.same(await must(send(city, 1, [here(4.7, -74.08), here(4.7, -74.08)])), { bootId: "b", seq: 2, flagged: 0 });
  t.same(await shown(city), before, "seen before, whatever it says now");
  t.same(await must(send(city, 2, [here(4.7, -74), here(4.6502, -74.08)])), { bootId: "b", seq: 3, flagged: 0 });
  t.match(await shown(city), { lat: 4.6502 }, "only the new one of an overlapping batch");
  t.same(await must(send(city, 0, [here(4.6503, -74.08)], "b2")), { bootId: "b2", seq: 0, flagged: 0 });
  t.match(await shown(city), { lat: 4.6503 });
  const late = [here(4.6504, -74.08)];
  t.same(await must(send(city, 3, late)), { bootId: "b", seq: 3, flagged: 0 }, "what the start before sends again");
  t.match(await shown(city), { lat: 4.6503 }, "is known still");
  await city.kit.close();
});

t.test("R-GPS-2: late fixes never move the live map backwards", async (t) => {
  const city = await onShift();
  await must(send(city, 1, [here(4.651, -74.08)]));
  const newest = await shown(city);
  await must(send(city, 2, [here(4.65, -74.08, -20_000), here(4.6505, -74.08, -10_000)]));
  t.same(await shown(city), newest);
  await city.kit.close();
});

t.test("R-GPS-2, R-GPS-3: a phone's clock that goes fast holds no position back once it has been set", async (t) => {
  const city = await onShift();
  // Nothing is measured before it happens: the newest of a batch is of now at most, and those before it move with it.
  const fast = city.kit.now + 50_000;
  const two = [here(4.6511, -74.08, -2_000), here(4.6512, -74.08)];
  t.match(await must(send(city, 1, two, "b", fast)), { seq: 2, flagged: 0 });
  const receivedAt = city.kit.now;
  const position = await shown(city);
  t.match(position, { lat: 4.6512 }, "the newest");
  t.ok(position!.at <= receivedAt, "as of now");
  await city.kit.advance(5_000);
  t.match(await must(send(city, 3, [here(4.6513, -74.08)])), { flagged: 0 }, "the phone has found the right time");
  t.match(await shown(city), { lat: 4.6513 }, "and is not waited for");
  await city.kit.advance(5_000);
  const mixed = [here(4.6514, -74.08), here(4.6515, -74.08, 61_000)];
  t.match(await must(send(city, 4, mixed)), { seq: 5, flagged: 1 }, "too far ahead moves nothing");
  t.match(await shown(city), { lat: 4.6514 });
  await city.kit.close();
});

t.test("R-GPS-3: anomalies are counted, not shown", async (t) => {
  const city = await onShift();
  await must(send(city, 1, [here(4.651, -74.08)]));
  const good = await shown(city);
  const bad: Fix[] = [
    [0, 0, 0, 5, 5, 0],
    [0, 4.9, -74.08, 5, 5, 0],
    [0, 4.651, -74.08, 9_000, 5, 0],
  ];
  t.same(await must(send(city, 2, bad)), { bootId: "b", seq: 4, flagged: 3 });
  t.same(await shown(city), good);
  await city.kit.close();
});

t.test("R-GPS-3, R-DSP-1: one wrong place does not hide a driver whom every later fix places here", async (t) => {
  // A phone without a fix, the mast of another town, where the last shift ended.
  for (const wrong of [{ lat: 0, lng: 0 }, at(40_000), at(0, -9_000)]) {
    const city = createCity();
    await city.openRestaurant("r");
    await city.goOnline("d", wrong);
    await city.bring("o", "accepted");
    for (let s = 0; s < 30; s += 5) {
      await city.kit.advance(5_000);
      await city.fix("d", at(200));
    }
    t.match(await shown(city), { lat: at(200).lat }, "believed after some that agree");
    t.equal((await city.offerTo("d", 5_000)).orderId, "o");
    await city.kit.close();
  }
});

t.test(
  "R-GPS-3: places out of reach are not believed together, nor between good ones, nor when they disagree",
  async (t) => {
    const city = await onShift();
    await must(send(city, 1, [here(4.65, -74.08)]));
    const far = Array.from({ length: 20 }, (_, i) => here(4.9, -74.08, (i - 20) * 100));
    await city.kit.advance(5_000);
    t.match(await must(send(city, 2, far)), { flagged: 20 }, "one batch, whatever times it names");
    let seq = 22;
    for (const lat of [4.65, 4.9, 4.65, 4.9, 4.65, 4.9]) {
      await city.kit.advance(5_000);
      t.match(await must(send(city, seq++, [here(lat, -74.08)])), { flagged: lat === 4.9 ? 1 : 0 });
    }
    t.match(await shown(city), { lat: 4.65 });
    for (const lat of [4.9, 5.1, 5.3, 5.5, 5.7, 5.9]) {
      await city.kit.advance(5_000);
      t.match(await must(send(city, seq++, [here(lat, -74.08)])), { flagged: 1 });
    }
    await city.kit.close();
  },
);

t.test("R-GPS-4: one batch per 3 s with room for jitter; over it `rate_limited`", async (t) => {
  const city = await onShift();
  const answers: string[] = [];
  for (let i = 0; i < 7; i++) answers.push(await codeOf(send(city, i, [here(4.65, -74.08 + i * 1e-5)])));
  t.same(answers, ["ok", "ok", "ok", "ok", "ok", "rate_limited", "rate_limited"]);
  await city.kit.advance(3_000);
  t.equal(
    await codeOf(
      send(
        city,
        7,
        Array.from({ length: 60 }, (_, i) => here(4.65, -74.08, i - 60)),
      ),
    ),
    "ok",
    "a batch is one",
  );
  t.equal(await codeOf(send(city, 99, [here(4.65, -74.08)])), "rate_limited");
  await city.kit.close();
});

t.test("R-GPS-5: positions are nowhere in what is kept, nor in any event", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  for (let i = 0; i < 5; i++) {
    await city.kit.advance(5_000);
    await city.fix("d", { lat: 4.6543211, lng: -74.0765432 });
  }
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.kit.advance(1_000);
  const kept = city.kit.store.committed.flatMap((write) => [
    write.state,
    ...(write.cold === undefined ? [] : [write.cold]),
    ...write.tells.map(({ input }) => input),
    ...write.events.map(({ body }) => body),
    ...write.pushes.map(({ body }) => body),
  ]);
  t.ok(kept.length > 20);
  for (const bytes of kept) {
    if (/4\.65432|74\.07654/.test(JSON.stringify(decode(bytes)))) t.fail("a position was kept");
  }
  await city.kit.close();
});

t.test("R-GPS-6, rule 12: a position is shown from pickup to delivery, only under the order's grant", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  const listener = await city.kit.subscribe({ kind: "driver", key: "d", channel: "location" }, gateway);
  await city.kit.advance(5_000);
  await city.fix("d", at(250));
  t.same(listener.slots, [], "assigned is not picked up");
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  for (let i = 1; i <= 3; i++) {
    await city.kit.advance(5_000);
    await city.fix("d", at(250 + i * 30));
  }
  const granted = listener.slots.map(({ slot, body }) => ({ slot, body: body as unknown as GrantedPosition }));
  t.ok(granted.length >= 3);
  for (const { slot, body } of granted) {
    t.equal(slot, "o");
    t.match(body, { orderId: "o", grant: 1 });
  }
  await city.kit.advance(300);
  const [fix] = await city.mirror.read(["fix:d"]);
  t.match(fix?.value, { grants: { o: 1 } });
  const [view] = await city.mirror.read(["view:o"]);
  t.match((view?.value as unknown as OrderTracking | undefined)?.grant ?? { number: 1 }, { number: 1 });
  const pickedUpAt = (await city.state("o")).timeline.find(({ kind }) => kind === "picked_up")!.at;
  t.ok(
    granted.every(({ body }) => body.position.at >= pickedUpAt),
    "where the driver was before is nobody's business",
  );
  const before = listener.slots.length;
  await must(city.drive("d", "deliver", { orderId: "o" }));
  for (let i = 0; i < 3; i++) {
    await city.kit.advance(5_000);
    await city.fix("d", at(100));
  }
  t.equal(listener.slots.length, before, "nothing after the delivery was answered");
  const [after] = await city.mirror.read(["fix:d"]);
  t.match(after?.value, { grants: {} });
  t.notOk("o" in ((after?.value as { grants: object } | undefined)?.grants ?? { o: 1 }));
  await city.kit.close();
});

t.test(
  "rule 12: the gate is closed before the order hears of the delivery, also for a fix that races it",
  async (t) => {
    for (let lead = 0; lead < 6; lead++) {
      const city = createCity();
      await city.openRestaurant("r");
      await city.bring("o", "picked_up");
      await city.kit.advance(5_000);
      const listener = await city.kit.subscribe({ kind: "driver", key: "d", channel: "location" }, gateway);
      const view = await city.kit.subscribe({ kind: "order", key: "o", channel: "view" }, customer("c"));
      const { kit } = city;
      const caller = { caller: driver("d") };
      const fixes = (seq0: number) => {
        const batch = { bootId: "race", seq0, baseTs: kit.now, fixes: [here(4.652, -74.08 + seq0 * 1e-5)] };
        return kit.send(Driver, "d", "gps", batch, caller);
      };
      await kit.run(() =>
        Promise.all([fixes(1), kit.send(Driver, "d", "deliver", { orderId: "o" }, caller), fixes(2), fixes(3)]),
      );
      for (let i = 0; i < 40 && (view.latest().view as { status?: string } | undefined)?.status !== "delivered"; i++) {
        await kit.advance(1);
      }
      const atClose = listener.slots.length;
      await kit.advance(5_000 + lead);
      await city.fix("d", at(90));
      await kit.advance(100);
      t.equal(listener.slots.length, atClose, "no position follows the closing event");
      await kit.close();
    }
  },
);

t.test("R-GPS-6: a grant lost with its host is asked for again, and opens under the same number", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  await city.kit.crash();
  await city.kit.restart();
  const listener = await city.kit.subscribe({ kind: "driver", key: "d", channel: "location" }, gateway);
  for (let i = 0; i < 3; i++) {
    await city.kit.advance(6_000);
    await city.fix("d", at(100 + i * 30));
  }
  t.match(listener.slots.at(-1), { slot: "o", body: { orderId: "o", grant: 1 } });
  await city.kit.close();
});

t.test(
  "rule 12: what was measured before the pickup is shown to nobody, though the phone sends it later",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", "assigned");
    await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
    await city.kit.advance(5_000);
    const measuredAt = city.kit.now;
    await city.kit.advance(2_000);
    const listener = await city.kit.subscribe({ kind: "driver", key: "d", channel: "location" }, gateway);
    await must(city.drive("d", "pickUp", { orderId: "o" }));
    await city.reach("o", "picked_up");
    await must(send(city, 1, [here(4.65, -74.08)], "late", measuredAt));
    t.match(await shown(city), { lat: 4.65 }, "the newest that there is");
    const grantsShown = async () =>
      ((await city.mirror.read(["fix:d"]))[0]?.value as { grants?: object } | undefined)?.grants;
    t.same([listener.slots.length, await grantsShown()], [0, {}], "told neither at once nor when asked");
    await city.kit.advance(5_000);
    await city.fix("d", at(250));
    await city.kit.advance(300);
    t.same([listener.slots.length, await grantsShown()], [1, { o: 1 }]);
    await city.kit.advance(city.settings.driver.liveMs + 1_000);
    const late = await city.kit.subscribe({ kind: "driver", key: "d", channel: "location" }, gateway);
    t.same(late.latest(), {}, "nor where the driver was a while ago as where they are");
    await city.kit.close();
  },
);

t.test("rule 12: the grant is the driver's who picked up; clients may not listen at all", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await must(city.drive("d", "releaseTrip", { orderId: "o", reason: "flat tyre" }));
  await city.goOnline("d2");
  await must(city.drive("d2", "acceptOffer", { offerId: (await city.offerTo("d2")).offerId }));
  await city.kit.advance(100);
  await must(city.drive("d2", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  t.match((await city.state("o")).delivery, { status: "carrying", grant: 1, driver: { driverId: "d2" } });
  for (const caller of [customer("c"), driver("d2"), { id: "s", role: "support" }]) {
    const refused = await city.kit.subscribe({ kind: "driver", key: "d2", channel: "location" }, caller);
    t.equal(refused.ended?.code, "not_found", caller.role);
  }
  await city.kit.close();
});

t.test("R-GPS-9: the app is told when to start, how often, and when to stop", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
  t.match(phone.latest().snapshot, { onShift: false, gps: { send: false, reason: "off_shift" } });
  t.equal(await codeOf(send(city, 1, [here(4.65, -74)])), "driver_offline", "off shift nothing is taken");
  await city.bring("o", "delivered");
  await must(city.drive("d", "goOffline", {}));
  const policies = phone.events
    .map((event) => ({ type: event.type, body: event.body }) as unknown as DriverEvent)
    .flatMap((event) => (event.type === "gps.policy" ? [event.body] : []));
  t.same(
    policies.map(({ send, reason }) => [send, reason]),
    [
      [true, "available"],
      [true, "on_trip"],
      [true, "available"],
      [false, "off_shift"],
    ],
  );
  t.equal(policies[0]?.everyMs, city.settings.driver.gpsAvailableMs);
  await city.kit.close();
});

t.test("R-TRK-6: near and arrived are told once each", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  for (const north of [600, 1_400, 1_800, 1_900, 1_950, 1_990]) {
    await city.kit.advance(20_000);
    await city.fix("d", at(north));
  }
  await must(city.drive("d", "arrived", { orderId: "o", stop: "dropoff" }));
  await must(city.drive("d", "arrived", { orderId: "o", stop: "dropoff" }));
  await city.kit.advance(100);
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.kit.advance(1_000);
  const told = (await city.state("o")).timeline.map(({ kind }) => kind);
  for (const kind of [
    "confirmed",
    "driver_assigned",
    "picked_up",
    "driver_near",
    "driver_arrived",
    "delivered",
  ] as const) {
    t.equal(told.filter((one) => one === kind).length, 1, kind);
  }
  await city.kit.close();
});
