/**
 * A driver: shifts, offers, the phone's positions and signal. Driving itself is `trip.ts`.
 *
 * Owns: going on and off shift, answering offers as a person would, sending positions at the cadence the node asks for,
 * telling the recorder all that comes. Invariants: one trip is driven at a time; a driver leaves only without a trip; a
 * phone without signal sends nothing.
 */
import {
  type Client,
  courier,
  type DriverEvent,
  type DriverSnapshot,
  type OfferView,
  type TripView,
} from "../../../sdk/node.js";
import type { Cancel } from "../../../src/lib/clock.js";
import type { Random } from "../../../src/lib/random.js";
import type { DriverCommand, DriverEntry } from "../../checkers/mod.js";
import { answerOffer, measuredFix, round6 } from "../../city/mod.js";
import type { PlannedDriver, Shift } from "../plan.js";
import { type AgentContext, codeOf, connect, isTemporary, pause } from "./context.js";
import { createRadio, type Device } from "./radio.js";
import { type Talk, talk } from "./talk.js";
import { driveTrip, type TripDriver } from "./trip.js";
import { Wheel } from "./wheel.js";

const RETRY_PAUSE_MS = 500;
/** Phones that come back need a moment to find the network. */
const SHORTEST_LOSS_MS = 300;

export class DriverAgent {
  readonly #context: AgentContext;
  readonly #plan: PlannedDriver;
  readonly #random: Random;
  readonly #radio: Device;
  readonly #client: Client;
  readonly #wheel: Wheel;
  #trip: TripView | null = null;
  #driving = false;
  /** Offers being thought about or answered. */
  readonly #offers = new Map<string, OfferView>();
  readonly #talks = new Map<string, Talk>();
  #cancelTick: Cancel = () => {};
  #wake: () => void = () => {};
  #writeLastFix: () => void = () => {};
  #lives = 0;

  constructor(context: AgentContext, plan: PlannedDriver, random: Random) {
    this.#context = context;
    this.#plan = plan;
    this.#random = random;
    this.#radio = context.device?.(plan.id) ?? createRadio();
    this.#client = connect(context, plan.id, random, this.#radio);
    this.#wheel = new Wheel(context, plan.start, plan.speedMetersPerSecond);
  }

  /** Runs all shifts; resolves after the last one, or when the run ends. */
  async run(): Promise<void> {
    const { clock, time, ended } = this.#context;
    ended.addEventListener("abort", () => this.#stop(), { once: true });
    for (const shift of this.#plan.shifts) {
      if (time.nowCityMs() >= shift.toCityMs) continue;
      await pause(clock, time.untilWallMs(shift.fromCityMs), ended);
      if (ended.aborted) return;
      await this.#work(shift);
    }
  }

  async #work(shift: Shift): Promise<void> {
    const { clock, time, ended, meter, recorder } = this.#context;
    const { id } = this.#plan;
    const stream = `driver:${id}`;
    const stopCounting = this.#client.onState((state) => {
      if (state.name !== "live") return;
      this.#lives++;
      if (this.#lives > 1) meter.counts.reconnects++;
    });
    const subscription = this.#client.subscribe(stream, {
      subscribed: (start) => recorder.subscribed(stream, start, clock.now()),
      event: ({ type, body, at, offset }) => {
        recorder.event(stream, offset, clock.now());
        this.#event({ type, body } as unknown as DriverEvent, at);
      },
      state: ({ body, at }) => this.#snapshot(body as unknown as DriverSnapshot, at),
    });
    this.#client.connect();
    this.#client.gps.onPolicy(() => this.#rhythm());
    const online = await this.#until(() => {
      const { lat, lng } = this.#wheel.place().point;
      const profile = { name: this.#plan.name, vehicle: this.#plan.vehicle, lat: round6(lat), lng: round6(lng) };
      return courier(this.#client).goOnline(profile);
    });
    if (!online) return;
    meter.counts.driversOnline++;
    await pause(clock, time.untilWallMs(shift.toCityMs), ended);
    // A trip is finished first; an offer that is being answered may still become one.
    while (!ended.aborted) {
      while (!ended.aborted && (this.#trip !== null || this.#driving || this.#offers.size > 0)) await this.#changed();
      if (ended.aborted) break;
      if (await this.#until(() => courier(this.#client).goOffline(), new Set(["driver_busy"]))) break;
      await pause(clock, time.wallMs(30_000) + RETRY_PAUSE_MS, ended);
    }
    meter.counts.driversOnline--;
    this.#cancelTick();
    subscription.unsubscribe();
    recorder.left(stream);
    stopCounting();
    this.#client.close();
  }

  #stop(): void {
    this.#cancelTick();
    this.#wheel.stop();
    this.#client.close();
    this.#wake();
  }

  // What the node says

  #snapshot(snapshot: DriverSnapshot, at: number): void {
    this.#told({ kind: "trip", at, receivedAt: this.#now(), snapshot: true, ...tripFacts(snapshot.trip) });
    // What is not in the snapshot was closed while nobody listened.
    const open = new Set(snapshot.offers.map((offer) => offer.offerId));
    for (const offerId of [...this.#offers.keys()]) if (!open.has(offerId)) this.#offers.delete(offerId);
    for (const offer of snapshot.offers) this.#consider(offer, at);
    this.#follow(snapshot.trip);
  }

  #event(event: DriverEvent, at: number): void {
    const receivedAt = this.#now();
    switch (event.type) {
      case "offer.made":
        this.#consider(event.body, at);
        return;
      case "offer.changed":
        // One order of the trip fewer: the person has made up their mind, or is about to, about what is left.
        if (this.#offers.has(event.body.offerId)) this.#offers.set(event.body.offerId, event.body);
        return;
      case "offer.closed": {
        const { offerId, outcome } = event.body;
        this.#told({ kind: "closed", at, receivedAt, offerId, outcome });
        this.#offers.delete(offerId);
        this.#wake();
        return;
      }
      case "trip.changed":
        this.#told({ kind: "trip", at, receivedAt, snapshot: false, ...tripFacts(event.body.trip) });
        this.#follow(event.body.trip);
        return;
      case "gps.policy":
        return;
    }
  }

  #consider(offer: OfferView, at: number): void {
    if (this.#offers.has(offer.offerId)) return;
    const { offerId, orderId, expiresAt } = offer;
    this.#told({ kind: "offer", at, receivedAt: this.#now(), offerId, orderId, expiresAt });
    this.#offers.set(offerId, offer);
    void this.#answer(offer);
  }

  async #answer(offer: OfferView): Promise<void> {
    const { clock, time, ended } = this.#context;
    const { offerId } = offer;
    const pickup = offer.stops.find((stop) => stop.kind === "pickup") ?? offer.stops[0];
    const here = this.#wheel.place().point;
    const { answer, afterSeconds } = answerOffer(this.#random, this.#plan.habits, here, pickup ?? here);
    if (answer === "ignore") {
      await pause(clock, Math.max(0, offer.expiresAt - clock.now()) + 2_000, ended);
      if (this.#offers.delete(offerId)) this.#wake();
      return;
    }
    await pause(clock, time.wallMs(afterSeconds * 1000), ended);
    if (!this.#offers.has(offerId) || ended.aborted) return;
    if (answer === "decline") {
      await this.#did("decline", offerId, () => courier(this.#client).decline(offerId, "too far"));
      this.#offers.delete(offerId);
      this.#wake();
      return;
    }
    // Accepted offers leave the list when the node says how it ended.
    const accepted = await this.#did("accept", offerId, () => courier(this.#client).accept(offerId));
    if (!accepted && this.#offers.delete(offerId)) this.#wake();
  }

  #follow(trip: TripView | null): void {
    if (trip !== null && this.#trip === null) {
      this.#writeLastFix();
      this.#writeLastFix = () => {};
    }
    this.#trip = trip;
    this.#wheel.interrupt();
    if (trip === null) this.#wake();
    if (trip === null || this.#driving) return;
    this.#driving = true;
    void driveTrip(this.#tripDriver()).finally(() => {
      this.#driving = false;
      this.#wake();
    });
  }

  #tripDriver(): TripDriver {
    return {
      context: this.#context,
      wheel: this.#wheel,
      random: this.#random,
      habits: this.#plan.habits,
      trip: () => this.#trip,
      did: (command, orderId, attempt) => this.#did(command, orderId, attempt),
      courier: courier(this.#client),
      loseSignal: (wallMs) => this.#loseSignal(wallMs),
      pickedUp: (orderId) => this.#say(orderId),
      over: (orderId) => this.#hush(orderId),
    };
  }

  #say(orderId: string): void {
    const { id, words } = this.#plan;
    if (words === undefined || this.#talks.has(orderId)) return;
    this.#talks.set(orderId, talk(this.#context, this.#client, id, orderId, words));
  }

  #hush(orderId: string): void {
    this.#talks.get(orderId)?.stop();
    this.#talks.delete(orderId);
  }

  // What the driver does

  /** True: the node said yes. Refusals are final; trouble on the way is tried again. Either is told to the recorder. */
  async #did(command: DriverCommand, subject: string, attempt: () => Promise<unknown>): Promise<boolean> {
    const sentAt = this.#now();
    const tell = (answer: string): void =>
      this.#told({ kind: "did", command, subject, sentAt, receivedAt: this.#now(), answer });
    for (;;) {
      try {
        await attempt();
        tell("ok");
        return true;
      } catch (error) {
        const code = codeOf(error);
        if (this.#context.ended.aborted || code === "closed") return false;
        if (!isTemporary(error) || command === "accept" || command === "decline") {
          tell(code);
          return false;
        }
        await pause(this.#context.clock, RETRY_PAUSE_MS, this.#context.ended);
      }
    }
  }

  /** Tries until yes. False: the run ended, or the answer was one of `stopAt`. */
  async #until(attempt: () => Promise<unknown>, stopAt: ReadonlySet<string> = new Set()): Promise<boolean> {
    while (!this.#context.ended.aborted) {
      try {
        await attempt();
        return true;
      } catch (error) {
        const code = codeOf(error);
        if (code === "closed" || stopAt.has(code)) return false;
        await pause(this.#context.clock, RETRY_PAUSE_MS, this.#context.ended);
      }
    }
    return false;
  }

  // The phone

  /** Sends positions at the cadence the node asks for, beginning somewhere inside it so that a city does not tick as one. */
  #rhythm(): void {
    this.#cancelTick();
    const { send, everyMs } = this.#client.gps.policy;
    if (!send || this.#context.ended.aborted) return;
    const tick = (): void => {
      this.#cancelTick = this.#context.clock.after(everyMs, tick);
      this.#measure();
    };
    this.#cancelTick = this.#context.clock.after(this.#random.next() * everyMs, tick);
  }

  #measure(): void {
    const place = this.#wheel.place();
    if (place.inTunnel) return;
    const { point, accuracyMeters } = measuredFix(this.#random, place.point);
    const at = this.#now();
    const sentAtOnce = this.#client.state.name === "live";
    const taken = this.#client.gps.offer({
      lat: point.lat,
      lng: point.lng,
      accuracyMeters,
      ...(place.moving ? { bearingDegrees: place.bearing } : {}),
      at,
    });
    if (taken !== "taken") return;
    this.#context.meter.counts.fixes++;
    // Written down while on a trip; the one before it too, which may still be the newest when the trip begins.
    const write = (): void => this.#context.recorder.fix(this.#plan.id, at, point.lat, point.lng, sentAtOnce);
    if (this.#trip !== null) write();
    else this.#writeLastFix = write;
  }

  #loseSignal(wallMs: number): void {
    if (this.#radio.lost) return;
    this.#radio.lose();
    void pause(this.#context.clock, Math.max(SHORTEST_LOSS_MS, wallMs), this.#context.ended).then(() => {
      this.#radio.find();
      this.#client.wake();
    });
  }

  #told(entry: DriverEntry): void {
    this.#context.recorder.driver(this.#plan.id, entry);
  }

  #now(): number {
    return this.#context.clock.now();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function tripFacts(trip: TripView | null): { readonly tripId: string | null; readonly orderIds: readonly string[] } {
  if (trip === null) return { tripId: null, orderIds: [] };
  const open = trip.stops.filter((stop) => !stop.done).map((stop) => stop.orderId);
  return { tripId: trip.tripId, orderIds: [...new Set(open)] };
}
