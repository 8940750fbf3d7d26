/** What zones and orders only say may be lost, as when NATS is away for a moment. Nobody waits for it for ever. */
import t from "tap";
import type { Point } from "../../../lib/geo.js";
import { shardOf } from "../../runtime/shard.js";
import { at, type City, createCity, must, restaurant, support } from "../fixtures/city.js";
import { type DomainSettings, defaultDomainSettings as day, zoneOf } from "../mod.js";
import { partOf } from "./cells.js";

/** Which of the two hosts an actor lives at. */
const hostOf = (city: City, kind: string, key: string): string | null =>
  city.kit.cluster.shardMap.ownerOf(shardOf({ kind, key }));

/** From now on, until the returned function is called, nothing that is only said reaches the other host. */
function silence({ kit }: City): () => number {
  let lost = 0;
  const isHost = (endpoint: string): boolean => endpoint.includes("shards");
  kit.linkFault = (from, to, { t: kind }) => {
    if (kind !== "cast" || !isHost(from) || !isHost(to)) return null;
    lost++;
    return "drop";
  };
  return () => {
    kit.linkFault = () => null;
    return lost;
  };
}

async function wait(city: City, orderId: string): Promise<void> {
  await must(city.place(orderId));
  await city.reach(orderId, "confirmed");
  await must(city.order(orderId, "accept", { orderId, prepMinutes: 0 }, restaurant("r")));
}

/** Seconds until the driver, who stays there, has an offer. */
async function secondsToOffer(city: City, where: Point, most: number): Promise<number> {
  for (let seconds = 0; seconds < most; seconds += 5) {
    if ((await city.driverState("d")).offers.length > 0) return seconds;
    await city.kit.advance(5_000);
    await city.fix("d", where);
  }
  return Number.POSITIVE_INFINITY;
}

t.test("R-DSP-1: a part of a split zone hears of an order, though its zone's word of it was lost", async (t) => {
  const settings: DomainSettings = { ...day, zone: { ...day.zone, dispatch: "simple", splitAbove: 1, mergeBelow: 0 } };
  const city = createCity({ settings, hosts: 2 });
  await city.kit.advance(0);
  const places = Array.from({ length: 100 }, (_, i) => at(1_000 * i, 500 * i));
  const here = places.find(
    (one) => hostOf(city, "dispatch-zone", zoneOf(one)) !== hostOf(city, "dispatch-zone", partOf(one)),
  )!;
  await city.openRestaurant("r", here);
  for (const orderId of ["a", "b"]) {
    await wait(city, orderId);
    await city.kit.advance(2_000);
  }
  t.equal(city.kit.published({ kind: "dispatch-zone", key: zoneOf(here) }).at(-1)?.type, "zone.split");
  for (const orderId of ["a", "b"]) await must(city.order(orderId, "cancel", { orderId, reason: "no" }, support));
  const speak = silence(city);
  await wait(city, "o");
  // Also of what comes next: the kitchen begins.
  await city.kit.advance(settings.order.preparingDelayMs + 5_000);
  t.ok(speak() > 0);
  await city.goOnline("d", here);
  const seconds = await secondsToOffer(city, here, 180);
  t.ok(seconds <= 30, `offered after ${seconds} seconds`);
  await city.kit.close();
});

t.test("R-DSP-6: whoever may be asked again is, though the order's word of it was lost", async (t) => {
  const settings: DomainSettings = { ...day, zone: { ...day.zone, dispatch: "simple" } };
  const city = createCity({ settings, hosts: 2 });
  await city.kit.advance(0);
  await city.openRestaurant("r");
  const here = at(100);
  const orderIds = Array.from({ length: 20 }, (_, i) => `o${i}`);
  const orderId = orderIds.find((one) => hostOf(city, "order", one) !== hostOf(city, "dispatch-zone", zoneOf(here)))!;
  await city.goOnline("d", here);
  await wait(city, orderId);
  await must(city.drive("d", "declineOffer", { offerId: (await city.offerTo("d")).offerId }));
  for (let waited = 0; waited < settings.order.askAgainMs - 10_000; waited += 5_000) {
    await city.kit.advance(5_000);
    await city.fix("d", here);
  }
  const speak = silence(city);
  await city.kit.advance(12_000);
  t.ok(speak() > 0);
  t.same((await city.state(orderId)).excluded, [], "nobody else was found");
  const seconds = await secondsToOffer(city, here, 240);
  t.ok(seconds <= 60, `offered after ${seconds} seconds`);
  await city.kit.close();
});
