import { cellToBoundary, cellToLatLng, gridDisk } from "h3-js";
import t from "tap";
import { distanceMeters, interpolate, type Point } from "../../../lib/geo.js";
import { seededRandom } from "../../../lib/random.js";
import { brandId, type ZoneLive } from "../../../protocol/mod.js";
import { at, CENTRE, createCity, customer, must, restaurant, support } from "../fixtures/city.js";
import { Driver, defaultDomainSettings, Order, zoneOf, zonesInReach } from "../mod.js";
import { PART_RESOLUTION, partOf, wholeOf } from "./cells.js";
import type { ZoneState } from "./state.js";

t.test("R-DSP-1: near a border a driver is present beyond it, and only there", async (t) => {
  const zone = zoneOf(CENTRE);
  const [lat, lng] = cellToLatLng(zone);
  const inner = zonesInReach({ lat, lng }, 500);
  t.same(inner, [zone], "in the middle of a zone there is no border");
  let borders = 0;
  for (let north = -6_000; north <= 6_000; north += 250) {
    const point = { lat: lat + north / 111_195, lng };
    const zones = zonesInReach(point, 2_500);
    t.equal(zones[0], zoneOf(point));
    if (zones.length > 1) borders++;
    const across = zoneOf({ lat: point.lat + 2_400 / 111_195, lng });
    t.ok(zones.includes(across), `${north}: the zone 2.4 km to the north is in reach`);
  }
  t.ok(borders > 10);
});

t.test("R-DSP-1: a driver is present in the zones within reach and in no other, anywhere on the globe", async (t) => {
  const random = seededRandom(11);
  let zones = 0;
  for (let i = 0; i < 400; i++) {
    const point = { lat: (random.next() - 0.5) * 140, lng: (random.next() - 0.5) * 360 };
    // The nearest of many points on each neighbour's edge, by the great circle.
    const [home, ...others] = gridDisk(zoneOf(point), 1);
    const near = others.filter((cell) => nearestMeters(point, cell) <= 2_500);
    const far = others.filter((cell) => nearestMeters(point, cell) > 2_530);
    const inReach = zonesInReach(point, 2_500);
    zones += inReach.length;
    t.equal(inReach[0], home);
    t.ok(
      near.every((cell) => inReach.includes(brandId(cell))),
      `${point.lat},${point.lng}: none too few`,
    );
    t.notOk(
      far.some((cell) => inReach.includes(brandId(cell))),
      `${point.lat},${point.lng}: none too many`,
    );
  }
  t.ok(zones > 600, "often there is a neighbour in reach");
});

t.test(
  "R-DSP-1: a point's part belongs to the point's zone, also where the cells of the two sizes do not fit",
  async (t) => {
    const random = seededRandom(12);
    let crooked = 0;
    for (let i = 0; i < 2_000; i++) {
      const point = { lat: (random.next() - 0.5) * 140, lng: (random.next() - 0.5) * 360 };
      const part = partOf(point);
      if (wholeOf(part) !== zoneOf(point)) t.fail(`${point.lat},${point.lng}: ${part}`);
      if (part !== zoneOf(point, PART_RESOLUTION)) crooked++;
    }
    t.ok(crooked > 20, `${crooked} points lie in a neighbour's part`);
  },
);

function nearestMeters(point: Point, cell: string): number {
  const corners = cellToBoundary(cell).map(([lat, lng]) => ({ lat, lng }));
  let nearest = Number.POSITIVE_INFINITY;
  for (const [i, corner] of corners.entries()) {
    const next = corners[(i + 1) % corners.length]!;
    const lng = next.lng + Math.round((corner.lng - next.lng) / 360) * 360;
    for (let step = 0; step <= 200; step++) {
      const on = interpolate(corner, { lat: next.lat, lng }, step / 200);
      nearest = Math.min(nearest, distanceMeters(point, on));
    }
  }
  return nearest;
}

t.test("R-DSP-1: an order near a border is offered to the driver beyond it", async (t) => {
  const city = createCity();
  // Walk north until the zone changes: the restaurant stands on this side, the driver on the other.
  let north = 0;
  while (zoneOf(at(north)) === zoneOf(at(north + 50))) north += 50;
  await city.openRestaurant("r", at(north));
  await city.goOnline("d", at(north + 100));
  t.not(zoneOf(at(north)), zoneOf(at(north + 100)));
  await must(city.place("o", { destination: at(north + 1_000) }));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 0 }, restaurant("r")));
  t.equal((await city.offerTo("d", 5_000)).orderId, "o");
  await city.kit.close();
});

t.test(
  "R-DSP-1: an order for which its zone has nobody finds the driver in the middle of the next one, or of one beyond",
  async (t) => {
    const cases = [
      ["horizon", 3_300],
      ["simple", 3_300],
      ["horizon", 12_000],
      ["simple", 12_000],
    ] as const;
    for (const [dispatch, meters] of cases) {
      const settings = { ...defaultDomainSettings, zone: { ...defaultDomainSettings.zone, dispatch } };
      const city = createCity({ settings });
      let north = 0;
      while (zoneOf(at(north)) === zoneOf(at(north + 50))) north += 50;
      await city.openRestaurant("r", at(north));
      const middle = at(north + meters);
      t.notOk(zonesInReach(middle, settings.zone.borderMeters).includes(zoneOf(at(north))), "present over there only");
      const drive = { name: "D", vehicle: "car", ...middle };
      await must(city.drive("d", "goOnline", drive));
      await must(city.place("o", { destination: at(north + 1_000) }));
      await city.reach("o", "confirmed");
      await must(city.order("o", "accept", { orderId: "o", prepMinutes: 5 }, restaurant("r")));
      let seconds = 0;
      for (; seconds < 300 && (await city.driverState("d")).offers.length === 0; seconds += 5) {
        await city.kit.advance(5_000);
        await city.fix("d", middle);
      }
      t.ok(seconds < 120, `${dispatch}, ${meters} m: asked after ${seconds} seconds`);
      const offer = await city.offerTo("d", 1_000);
      await must(city.drive("d", "acceptOffer", { offerId: offer.offerId }));
      await city.kit.advance(100);
      t.equal((await city.state("o")).delivery.status, "assigned");
      await city.kit.close();
    }
  },
);

t.test("R-DSP-1: drivers whom their own zone's orders may want are not named to another", async (t) => {
  const city = createCity();
  let north = 0;
  while (zoneOf(at(north)) === zoneOf(at(north + 50))) north += 50;
  await city.openRestaurant("r", at(north));
  await city.openRestaurant("own", at(north + 3_400));
  const middle = at(north + 3_300);
  await city.goOnline("d", middle);
  await must(city.place("mine", { restaurantId: "own", destination: at(north + 3_900) }));
  await must(city.place("theirs", { destination: at(north + 1_000) }));
  for (const orderId of ["mine", "theirs"]) {
    await city.reach(orderId, "confirmed");
    const restaurantId = orderId === "mine" ? "own" : "r";
    const prepMinutes = orderId === "mine" ? 8 : 0;
    await must(city.order(orderId, "accept", { orderId, prepMinutes }, restaurant(restaurantId)));
  }
  for (let seconds = 0; seconds < 600 && (await city.driverState("d")).offers.length === 0; seconds += 5) {
    await city.kit.advance(5_000);
    await city.fix("d", middle);
  }
  t.equal((await city.offerTo("d", 1_000)).orderId, "mine");
  await city.kit.close();
});

t.test("R-DSP-1: after a crash the zone knows the open orders again and finds a driver", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "accepted");
  await city.kit.crash();
  await city.kit.restart();
  await city.goOnline("d");
  t.equal((await city.offerTo("d", 5_000)).orderId, "o");
  await city.kit.close();
});

t.test("R-ADM-1: after a crash the zone shows no order whose end it would not hear of", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("cooks", "accepted");
  await must(city.place("waits"));
  await city.reach("waits", "confirmed");
  await city.kit.crash();
  await city.kit.restart();
  const live = { kind: "dispatch-zone", key: zoneOf(at(0)), channel: "live" };
  const shown = (await city.kit.subscribe(live, { id: "olga", role: "admin" })).latest().live as unknown as ZoneLive;
  t.same(
    shown.orders.map(({ id }) => id),
    ["cooks"],
  );
  await city.kit.close();
});

t.test("R-ADM-1: who has gone is seen to be gone, and who is silent, though nothing else happens there", async (t) => {
  const city = createCity();
  const live = { kind: "dispatch-zone", key: zoneOf(at(0)), channel: "live" };
  const looks = await city.kit.subscribe(live, { id: "olga", role: "admin" });
  const shown = () => (looks.latest().live as unknown as ZoneLive).drivers.map(({ id }) => id);
  const { liveMs, presenceTtlMs } = defaultDomainSettings.zone;
  await city.kit.advance(liveMs);
  await city.goOnline("goes", at(0));
  t.same(shown(), ["goes"]);
  await must(city.drive("goes", "goOffline", {}));
  await city.kit.advance(liveMs);
  t.same(shown(), []);
  await city.goOnline("falls silent", at(0));
  await city.kit.advance(presenceTtlMs / 2);
  t.same(shown(), ["falls silent"]);
  await city.kit.advance(presenceTtlMs);
  t.same(shown(), []);
  t.same(
    city.kit.store.committed.filter(({ kind }) => kind.startsWith("dispatch")),
    [],
    "a picture costs no commit",
  );
  t.same(city.kit.logs, []);
  await city.kit.close();
});

t.test("R-DSP-2: the simple way asks a driver once the slack is spent, not before", async (t) => {
  const simple = { ...defaultDomainSettings.zone, dispatch: "simple" } as const;
  const city = createCity({ settings: { ...defaultDomainSettings, zone: simple } });
  await city.openRestaurant("r");
  await city.goOnline("d", at(300));
  await must(city.place("o"));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 20 }, restaurant("r")));
  const asked = async (minutes: number) => {
    for (let i = 0; i < minutes * 12; i++) {
      await city.kit.advance(5_000);
      await city.fix("d", at(300));
    }
    return city.kit.published({ kind: "order", key: "o" }).filter(({ type }) => type === "order.offer_made").length;
  };
  t.equal(await asked(12), 0, "20 minutes of cooking, one minute of way");
  t.equal(await asked(3), 1);
  await city.kit.close();
});

t.test("R-DSP-1: a hot zone splits into its parts, which go on matching; quiet again, it joins them", async (t) => {
  const settings = {
    ...defaultDomainSettings,
    zone: { ...defaultDomainSettings.zone, splitAbove: 3, mergeBelow: 2 },
  };
  const city = createCity({ settings });
  await city.openRestaurant("r");
  const zone = zoneOf(CENTRE);
  const accept = async (orderId: string) => {
    await must(city.place(orderId));
    await city.reach(orderId, "confirmed");
    await must(city.order(orderId, "accept", { orderId, prepMinutes: 0 }, restaurant("r")));
    await city.kit.advance(1_100);
  };
  for (let i = 0; i < 6; i++) await accept(`o${i}`);
  const isSplit = async () =>
    (await city.kit.run(() => city.kit.stored<ZoneState>("dispatch-zone", zone)))?.state.split ?? false;
  t.equal(await isSplit(), true);
  await city.goOnline("d", at(100));
  const offer = await city.offerTo("d", 10_000);
  await must(city.drive("d", "acceptOffer", { offerId: offer.offerId }));
  await city.kit.advance(100);
  t.equal((await city.state(offer.orderId)).delivery.status, "assigned", "a part found the driver");
  for (let i = 0; i < 6; i++) {
    await city.order(`o${i}`, "cancel", { orderId: `o${i}`, reason: "enough" }, support);
    await city.kit.advance(1_100);
  }
  await city.goOnline("d2", at(100));
  await city.kit.advance(1_100);
  await city.goOnline("d2", at(100));
  await city.kit.advance(100);
  t.equal(await isSplit(), false);
  await accept("last");
  t.equal((await city.state("last")).delivery.status, "offered", "and matches by itself again");
  await city.kit.close();
});

t.test("R-DSP-1: a part remembers nothing of an earlier time, and is quiet while its zone is whole", async (t) => {
  const zone = { ...defaultDomainSettings.zone, splitAbove: 3, mergeBelow: 2, maxTripOrders: 1 };
  const city = createCity({ settings: { ...defaultDomainSettings, zone } });
  await city.openRestaurant("r");
  const accept = async (orderId: string) => {
    await must(city.place(orderId));
    await city.reach(orderId, "confirmed");
    await must(city.order(orderId, "accept", { orderId, prepMinutes: 0 }, restaurant("r")));
    await city.kit.advance(1_100);
  };
  const cancel = (orderId: string) => city.order(orderId, "cancel", { orderId, reason: "enough" }, support);
  const isSplit = async () =>
    (await city.kit.run(() => city.kit.stored<ZoneState>("dispatch-zone", zoneOf(CENTRE))))?.state.split ?? false;
  for (let i = 0; i < 5; i++) await accept(`o${i}`);
  t.equal(await isSplit(), true);
  await city.goOnline("d", at(100));
  const { orderId: offered } = await city.offerTo("d", 10_000);
  for (let i = 0; i < 5; i++) {
    if (`o${i}` !== offered) await cancel(`o${i}`);
    await city.kit.advance(1_100);
  }
  t.equal(await isSplit(), false, "joined while a part has offered an order");
  await cancel(offered);
  await city.kit.advance(5_000);

  const before = city.kit.store.committed.length;
  await city.kit.advance(3_600_000);
  const zones = city.kit.store.committed.slice(before).filter(({ kind }) => kind === "dispatch-zone");
  t.ok(zones.length <= 2, `${zones.length} commits of zones in an hour without orders`);

  for (let i = 5; i < 10; i++) await accept(`o${i}`);
  t.equal(await isSplit(), true);
  await city.fix("d", at(100));
  t.ok(await city.offerTo("d", 10_000), "the order that was offered to this driver then is long over");
  await city.kit.close();
});

t.test("R-ADM-1: operations see drivers and orders of a zone about once a second; others do not", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const channel = { kind: "dispatch-zone", key: zoneOf(CENTRE), channel: "live" };
  const stranger = await city.kit.subscribe(channel, customer("c"));
  t.equal(stranger.ended?.code, "not_found");
  const screen = await city.kit.subscribe(channel, support);
  await city.bring("o", "assigned");
  for (let i = 0; i < 10; i++) {
    await city.kit.advance(1_000);
    await city.fix("d", at(280));
  }
  const live = screen.latest().live as ZoneLive;
  t.match(live.drivers, [{ id: "d", state: "on_trip" }]);
  t.match(live.orders, [{ id: "o", driverId: "d" }]);
  t.ok(screen.slots.length <= 14, `${screen.slots.length} pictures in about ten seconds`);
  await city.kit.close();
});

t.test("R-DSP-4: proposals for orders that are gone, taken or offered change nothing", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  const before = await city.state("o");
  const proposal = { zone: "z", candidates: [{ driverId: "x", why: "late" }], by: "simple", dueAt: 0 } as const;
  await city.kit.cast(Order, "o", "proposeDrivers", proposal);
  await city.kit.cast(Order, "nothing", "proposeDrivers", proposal);
  await city.kit.advance(100);
  t.same(await city.state("o"), before);
  t.equal(await city.kit.run(() => city.kit.stored("order", "nothing")), null);
  await city.kit.cast(Driver, "x", "checkSignal", null);
  t.equal(await city.kit.run(() => city.kit.stored("driver", "x")), null, "looking leaves no trace");
  await city.kit.close();
});
