/**
 * What a driver works on: shift, offers, trip, as the node tells it, with what was done here and is not sent yet on top.
 *
 * Owns: the client, the picture of the work, steps that wait. Invariants: a step that was touched shows as done at once
 * and is never lost: it lies in the device's storage until the node has answered; a page that is opened without a
 * network shows the work as it was last told.
 */
import { computed, effect, signal } from "@preact/signals";
import {
  type Client,
  type DriverEvent,
  type DriverSnapshot,
  type GpsPolicy,
  type OfferView,
  openIndexedDbStorage,
  type PendingCommand,
  type RestoredOutcome,
  type RoomView,
  type StopView,
  SwiftEatsError,
  type TripView,
  watchWork,
} from "../../../../sdk/mod.js";
import { account, token } from "../../../shared/account/session.js";
import { clock } from "../../../shared/clock.js";
import { sayFailure } from "../../../shared/kit/toasts.js";
import { deviceId, openClient, slow } from "../../../shared/line/node.js";
import { call } from "../../../shared/sound.js";
import { keepWork, keptWork } from "./kept-work.js";
import { endedHere, followTrip, setTaken } from "./taken.js";

export const ready = signal(false);
export const onShift = signal(false);
export const offers = signal<readonly OfferView[]>([]);
export const trip = signal<TripView | null>(null);
/** Rooms that are open, by order. */
export const rooms = signal<Readonly<Record<string, string>>>({});
export const policy = signal<GpsPolicy>({ send: false, everyMs: 5_000, reason: "off_shift" });
const waiting = signal<readonly PendingCommand[]>([]);
/** Steps that are kept on the device because the node has not answered. */
export const unsent = computed(() => waiting.value.filter(({ type }) => type !== "driver.online").length);

let client: Client | null = null;
let starting = false;
export const server = (): Client | null => client;

const ARRIVED_KEY = "swift-eats.driver.arrived";
const arrivedStops = signal<readonly string[]>(restoreArrived());
const stopKey = (stop: Pick<StopView, "orderId" | "kind">): string => `${stop.orderId}/${stop.kind}`;

/** Done, or touched as done and on its way to the node. */
export function isDone(stop: StopView): boolean {
  if (stop.done) return true;
  const type = stop.kind === "pickup" ? "driver.pickup" : "driver.deliver";
  return waiting.value.some(
    (command) =>
      (command.type === type || (stop.kind === "dropoff" && command.type === "driver.fail")) &&
      command.body.orderId === stop.orderId,
  );
}

export const currentStop = computed<StopView | null>(() => trip.value?.stops.find((stop) => !isDone(stop)) ?? null);
export const hasArrived = (stop: StopView): boolean => arrivedStops.value.includes(stopKey(stop));

export async function startWork(): Promise<void> {
  const me = account.peek();
  if (starting || me === null) return;
  // While the device opens its storage, a renewed token calls once more.
  starting = true;
  const storage = await openIndexedDbStorage().catch(() => localStorage);
  const made = openClient({
    tokenProvider: token,
    deviceId: deviceId("driver", "installation"),
    storage,
    storageKey: `swift-eats.driver.${me.id}`,
    // A tunnel is longer than two minutes sometimes, and a delivery is worth telling hours later.
    commandTtlMs: 4 * 3_600_000,
    commandsByHttpAfterMs: 10_000,
    onRestored: settled,
  });
  client = made;
  made.gps.onPolicy((next) => {
    policy.value = next;
  });
  const kept = keptWork(me.id);
  if (kept !== null) {
    onShift.value = kept.onShift;
    trip.value = kept.trip;
    made.gps.apply(kept.policy);
    ready.value = true;
  }
  effect(() => {
    if (!ready.value) return;
    keepWork({ driverId: me.id, onShift: onShift.value, trip: trip.value, policy: policy.value });
  });
  watchWork(
    made,
    me.id,
    {
      snapshot,
      event,
      source: (source) => {
        slow.value = source === "poll";
      },
      ended: sayFailure,
    },
    { clock },
  );
  readWaiting();
}

function snapshot(work: DriverSnapshot): void {
  onShift.value = work.onShift;
  if (work.offers.some(({ offerId }) => offers.peek().every((known) => known.offerId !== offerId))) call("offer");
  offers.value = work.offers;
  setTrip(work.trip, null);
  ready.value = true;
  if (work.trip !== null) void findRooms();
}

/** A page that is opened during a trip finds what its customers wrote. */
async function findRooms(): Promise<void> {
  const found = await client?.http
    .get<{ readonly rooms: readonly RoomView[] }>("/v1/me/rooms")
    .catch(() => ({ rooms: [] as readonly RoomView[] }));
  for (const { orderId, roomId } of found?.rooms ?? []) {
    if (orderId !== undefined) rooms.value = { ...rooms.peek(), [orderId]: roomId };
  }
}

function event(news: DriverEvent): void {
  switch (news.type) {
    case "offer.made":
      if (!offers.value.some(({ offerId }) => offerId === news.body.offerId)) call("offer");
      offers.value = [...offers.value.filter(({ offerId }) => offerId !== news.body.offerId), news.body];
      return;
    case "offer.changed":
      offers.value = offers.value.map((offer) => (offer.offerId === news.body.offerId ? news.body : offer));
      return;
    case "offer.closed":
      offers.value = offers.value.filter(({ offerId }) => offerId !== news.body.offerId);
      closedOffer.value = news.body.outcome;
      return;
    case "trip.changed":
      setTrip(news.body.trip, news.body.reason);
      return;
    case "chat.opened":
      rooms.value = { ...rooms.peek(), [news.body.orderId]: news.body.roomId };
      return;
    case "gps.policy":
      // Also when the answer to coming or going was lost, or another device has done it.
      onShift.value = news.body.reason !== "off_shift";
      return;
  }
}

/** How the last offer ended, for a word about it. */
export const closedOffer = signal<"won" | "lost" | "expired" | "withdrawn" | "declined" | null>(null);

/** `reason`: why it changed; null: it is told whole, after who knows what. */
function setTrip(next: TripView | null, reason: string | null | undefined): void {
  const saysPickedUp = (orderId: string): boolean =>
    waiting.peek().some(({ type, body }) => type === "driver.pickup" && body.orderId === orderId);
  if (followTrip(trip.peek(), next, reason, saysPickedUp)) call("lost");
  trip.value = next;
  const keys = new Set(next?.stops.map(stopKey) ?? []);
  rememberArrived(arrivedStops.peek().filter((key) => keys.has(key)));
}

function readWaiting(): void {
  waiting.value = client?.pending() ?? [];
}

function settled(outcome: RestoredOutcome): void {
  readWaiting();
  const orderId = String(outcome.body.orderId);
  if (!outcome.ok) refused(outcome.error, outcome.type, orderId);
  else if (ENDS.has(outcome.type)) endedHere(trip.peek(), orderId, true);
}

/** After these an order is on the trip no more, by the driver's own word. */
const ENDS: ReadonlySet<string> = new Set(["driver.deliver", "driver.fail", "driver.release"]);

type Step = "driver.arrived" | "driver.pickup" | "driver.deliver" | "driver.fail" | "driver.release";

/** A step of the trip: shown at once, sent when there is a line, refused with a word. */
function step(type: Step, body: { orderId: string; stop?: "pickup" | "dropoff"; reason?: string }): void {
  const made = client;
  if (made === null) return;
  // One step of one order on one trip has one key: touching twice, or again after a reload, does it once. An order that
  // was taken away and comes back is on another trip: what the node refused meanwhile is remembered for the first.
  const key = `${type}/${trip.peek()?.tripId ?? ""}/${body.orderId}/${body.stop ?? ""}`;
  const sent = made.command(type, body as never, type === "driver.release" ? {} : { idempotencyKey: key });
  if (ENDS.has(type)) endedHere(trip.peek(), body.orderId, true);
  follow(sent, type, body.orderId);
}

function follow(sent: Promise<unknown>, type: Step, orderId: string): void {
  readWaiting();
  sent.then(readWaiting, (error: unknown) => {
    readWaiting();
    refused(error, type, orderId);
  });
}

function refused(error: unknown, type: string, orderId: string): void {
  if (ENDS.has(type)) endedHere(trip.peek(), orderId, false);
  const isDecided = error instanceof SwiftEatsError && !error.temporary;
  if (type === "driver.pickup") setTaken(orderId, isDecided ? "gone" : "told");
  sayFailure(error);
}

/** The food of an order that was taken from the trip is here: whoever has it has the order, unless it has moved on. */
export function claimFood(orderId: string): void {
  const made = client;
  if (made === null) return;
  setTaken(orderId, "asked");
  // Another try than the one of the trip, which the node may have refused.
  follow(made.command("driver.pickup", { orderId }), "driver.pickup", orderId);
}

export function arrive(stop: StopView): void {
  rememberArrived([...arrivedStops.peek(), stopKey(stop)]);
  step("driver.arrived", { orderId: stop.orderId, stop: stop.kind });
}
export const pickUp = (orderId: string): void => step("driver.pickup", { orderId });
export const deliver = (orderId: string): void => step("driver.deliver", { orderId });
export const failDelivery = (orderId: string, reason: string): void => step("driver.fail", { orderId, reason });
export const giveBack = (orderId: string, reason: string): void => step("driver.release", { orderId, reason });

export async function goOnline(profile: { name: string; vehicle: string; lat: number; lng: number }): Promise<void> {
  await client!.command("driver.online", profile, { ttlMs: 20_000 });
  onShift.value = true;
}

export async function goOffline(): Promise<void> {
  await client!.command("driver.offline", {}, { ttlMs: 20_000 });
  onShift.value = false;
}

export async function acceptOffer(offerId: string): Promise<void> {
  // An offer lives seconds: an answer that leaves later than it means nothing.
  await client!.command("driver.accept", { offerId }, { ttlMs: 30_000 });
}

export async function declineOffer(offerId: string): Promise<void> {
  offers.value = offers.value.filter((offer) => offer.offerId !== offerId);
  await client!.command("driver.decline", { offerId }, { ttlMs: 30_000 });
}

function restoreArrived(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(ARRIVED_KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((key): key is string => typeof key === "string") : [];
  } catch {
    return [];
  }
}

function rememberArrived(keys: readonly string[]): void {
  arrivedStops.value = keys;
  try {
    localStorage.setItem(ARRIVED_KEY, JSON.stringify(keys));
  } catch {
    // Touched again after a reload then; the node takes it once.
  }
}
