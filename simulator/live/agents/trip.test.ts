/** A driver of the simulated city at a counter behind which a person cooks. */
import t from "tap";
import type { Courier, TripView } from "../../../sdk/node.js";
import { type Clock, systemClock } from "../../../src/lib/clock.js";
import { seededRandom } from "../../../src/lib/random.js";
import { Recorder } from "../../checkers/mod.js";
import { straightRoads } from "../../city/mod.js";
import { CityTime } from "../city-time.js";
import { Meter } from "../measure/meter.js";
import { Counters } from "./counter.js";
import { driveTrip } from "./trip.js";
import { Wheel } from "./wheel.js";

const real = systemClock();
/** Pauses are a thousandth of what they are for people. */
const quick: Clock = { ...real, after: (delayMs, run) => real.after(delayMs / 1000, run) };
const HERE = { lat: 1, lng: 1 };
const stop = (kind: "pickup" | "dropoff") => ({ ...HERE, kind, orderId: "o-1", name: kind, done: false });
const habits = {
  ...{ declineChance: 0, ignoreChance: 0, thinkSeconds: 1, likesWithinMeters: 1000 },
  ...{ lostSignalChance: 0, lostSignalSeconds: 0, breakdownChance: 0, nobodyHomeChance: 0, handoverSeconds: 1 },
};

t.test("R-SIM-1: food that a person has cooked is taken once it is ready, and not before", async (t) => {
  const time = new CityTime({ timeScale: 20, startWallMs: quick.now(), startCityMs: 0 }, quick);
  const steps: string[] = [];
  let looks = 0;
  const context = {
    url: "",
    clock: quick,
    time,
    recorder: new Recorder(),
    meter: new Meter(),
    roads: straightRoads(1),
    counters: new Counters(),
    token: () => "token",
    standsReady: async () => {
      steps.push("look");
      return ++looks === 3;
    },
    ended: new AbortController().signal,
  };
  const trip: TripView = { tripId: "t-1", stops: [stop("pickup"), stop("dropoff")] };
  await driveTrip({
    context,
    wheel: new Wheel(context, HERE, 10),
    random: seededRandom(1),
    habits,
    trip: () => trip,
    did: async (command, orderId) => {
      steps.push(`${command} ${orderId}`);
      return true;
    },
    courier: { arrived: async () => ({}) } as unknown as Courier,
    loseSignal: () => {},
    pickedUp: () => {},
    over: () => {},
  });
  t.strictSame(steps, ["look", "look", "look", "pickup o-1", "deliver o-1"]);
});
