/**
 * Drives one trip, stop by stop, as the node's list of stops says now: it may change under way.
 *
 * Invariants: the next stop is always the first open one of the newest list; a stop that the node refused for good is not
 * tried again; driving ends when no stop is open.
 */
import type { Courier, TripView } from "../../../sdk/node.js";
import type { Random } from "../../../src/lib/random.js";
import type { StopView } from "../../../src/protocol/mod.js";
import type { DriverCommand } from "../../checkers/mod.js";
import { between, chance, type DriverHabits } from "../../city/mod.js";
import type { AgentContext } from "./context.js";
import type { Wheel } from "./wheel.js";

export interface TripDriver {
  readonly context: AgentContext;
  readonly wheel: Wheel;
  readonly random: Random;
  readonly habits: DriverHabits;
  readonly trip: () => TripView | null;
  readonly did: (command: DriverCommand, orderId: string, attempt: () => Promise<unknown>) => Promise<boolean>;
  readonly courier: Courier;
  readonly loseSignal: (wallMs: number) => void;
  /** The food is in the bag: its customer may hear a word. */
  readonly pickedUp: (orderId: string) => void;
  /** Nobody waits for this one any more. */
  readonly over: (orderId: string) => void;
}

/** How often a driver at the counter asks whether it is ready, in seconds of the city; never more than once a wall second. */
const ASK_AGAIN_SECONDS = 20;
const ASK_AGAIN_LEAST_MS = 1_000;

/** The trip's list says when to leave the counter; this only bounds one timer. */
const LONGEST_WAIT_MS = 3_600_000;
/** How often a driver looks for food that others than this run's kitchens cook, in seconds of the city, and at the most. */
const LOOK_AGAIN_SECONDS = 60;
const LOOK_AGAIN_LEAST_MS = 2_000;

/** `again`: the node says not yet. `look`: something changed, see what the next stop is. */
type Outcome = "settled" | "again" | "look";

export async function driveTrip(driver: TripDriver): Promise<void> {
  const { context, wheel, random, habits } = driver;
  const settled = new Set<string>();
  const arrivedAt = new Set<string>();
  const breaksDown = chance(random, habits.breakdownChance);
  for (;;) {
    if (context.ended.aborted) return;
    const trip = driver.trip();
    const stop = trip?.stops.find((stop) => !stop.done && !settled.has(keyOf(trip, stop)));
    if (trip === null || stop === undefined) {
      wheel.halt();
      return;
    }
    const key = keyOf(trip, stop);
    if (!arrivedAt.has(key)) {
      if (!(await drive(driver, stop))) continue;
      arrivedAt.add(key);
      wheel.halt();
      // Whether the node wants to know is its business; the pickup or the delivery says it again.
      void driver.courier.arrived(stop.orderId, stop.kind).catch(() => {});
      if (stop.kind === "dropoff" && !(await wheel.wait(context.time.wallMs(habits.handoverSeconds * 1000)))) continue;
      if (breaksDown && stop.kind === "pickup") {
        const { orderId } = stop;
        await driver.did("release", orderId, () => driver.courier.release(orderId, "flat tyre"));
        settled.add(key);
        settled.add(keyOf(trip, { ...stop, kind: "dropoff" }));
        continue;
      }
    }
    const done = stop.kind === "pickup" ? await pickUp(driver, stop.orderId) : await handOver(driver, stop.orderId);
    if (done === "settled" && stop.kind === "dropoff") driver.over(stop.orderId);
    if (done === "settled") settled.add(key);
    else if (done === "again")
      await wheel.wait(Math.max(ASK_AGAIN_LEAST_MS, context.time.wallMs(ASK_AGAIN_SECONDS * 1000)));
  }
}

function keyOf(trip: TripView, stop: Pick<StopView, "kind" | "orderId">): string {
  return `${trip.tripId} ${stop.kind} ${stop.orderId}`;
}

/** True when there; false when the list of stops changed under way. */
async function drive(driver: TripDriver, stop: StopView): Promise<boolean> {
  const { context, wheel, random, habits } = driver;
  const { route, wallMs } = wheel.setOff(stop);
  const plans: (() => void)[] = [];
  for (const tunnel of route.tunnels) {
    const lostMs = wheel.wallMsFor(tunnel.to - tunnel.from);
    plans.push(context.clock.after(wheel.wallMsFor(tunnel.from), () => driver.loseSignal(lostMs)));
  }
  if (chance(random, habits.lostSignalChance)) {
    const lostMs = context.time.wallMs(habits.lostSignalSeconds * 1000);
    plans.push(context.clock.after(between(random, 0.1, 0.9) * wallMs, () => driver.loseSignal(lostMs)));
  }
  const there = await wheel.wait(wallMs);
  for (const cancel of plans) cancel();
  return there;
}

/** Waits at the counter until the food stands there; should the node think otherwise, the driver asks again later. */
async function pickUp(driver: TripDriver, orderId: string): Promise<Outcome> {
  const { context, wheel } = driver;
  const { counters, standsReady } = context;
  if (!counters.isOut(orderId)) {
    const stopWatching = counters.watch(orderId, () => wheel.interrupt());
    const lookMs = Math.max(LOOK_AGAIN_LEAST_MS, context.time.wallMs(LOOK_AGAIN_SECONDS * 1000));
    const waited = await wheel.wait(standsReady === undefined ? LONGEST_WAIT_MS : lookMs);
    stopWatching();
    // Asking for it would take it as well: the node believes a driver that food is ready. So somebody has to look.
    if (waited && (await standsReady?.(orderId)) === true) {
      counters.seen(orderId);
      // Meanwhile the trip may have become another.
      return "look";
    }
    // Either the food is out now or the trip has changed: look again at what to do.
    if (!counters.isOut(orderId)) return "look";
  }
  let refusal = "";
  const attempt = (): Promise<unknown> =>
    driver.courier.pickUp(orderId).catch((error: { code?: string }) => {
      refusal = error.code ?? "";
      throw error;
    });
  const ok = await driver.did("pickup", orderId, attempt);
  if (ok) {
    context.counters.taken(orderId);
    driver.pickedUp(orderId);
  }
  return ok || refusal !== "illegal_transition" ? "settled" : "again";
}

async function handOver(driver: TripDriver, orderId: string): Promise<Outcome> {
  if (chance(driver.random, driver.habits.nobodyHomeChance)) {
    const failed = await driver.did("fail", orderId, () => driver.courier.fail(orderId, "nobody home"));
    return failed ? "settled" : "again";
  }
  await driver.did("deliver", orderId, () => driver.courier.deliver(orderId));
  return "settled";
}
