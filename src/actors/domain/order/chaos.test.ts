import fc from "fast-check";
import t from "tap";
import { decode } from "../../../lib/msgpack.js";
import { pick, type Random, randomInteger, seededRandom } from "../../../lib/random.js";
import { isTerminal } from "../../../protocol/mod.js";
import { inProcessProvider, paymentEffect } from "../../../services/payments/mod.js";
import type { EffectRunner } from "../../runtime/ports.js";
import type { StoreCall, StoreFault } from "../../runtime/testkit/mod.js";
import { historyProblems, problemsAtRest } from "../fixtures/checks.js";
import { at, type City, createCity, customer, driver, restaurant, support } from "../fixtures/city.js";
import { type DomainSettings, Driver, defaultDomainSettings, Order } from "../mod.js";

const STOCK = 40;
const DRIVERS = ["d0", "d1", "d2"] as const;
const settings = {
  ...defaultDomainSettings,
  order: { ...defaultDomainSettings.order, offerMode: "broadcast", broadcastSize: 2 },
  zone: { ...defaultDomainSettings.zone, dispatch: "simple" },
} as const;

/** Everybody does something, sensible or not. */
class Crowd {
  readonly city: City;
  readonly random: Random;
  readonly acknowledged = new Set<string>();
  #placed = 0;

  constructor(city: City, random: Random) {
    this.city = city;
    this.random = random;
  }

  get orderIds(): readonly string[] {
    return Array.from({ length: this.#placed }, (_, index) => `o${index}`);
  }

  /** One tap of one person. Nobody waits for an answer. */
  async tap(): Promise<void> {
    const { random } = this;
    const orderId = this.#placed === 0 ? "o0" : pick(random, this.orderIds);
    const driverId = pick(random, DRIVERS);
    const shop = restaurant("r");
    switch (randomInteger(random, 14)) {
      case 0:
      case 1:
        if (this.#placed < 12) this.#place(`o${this.#placed++}`, 1 + randomInteger(random, 5));
        return;
      case 2:
      case 3:
        return this.#order(orderId, "accept", { orderId, prepMinutes: randomInteger(random, 3) }, shop);
      case 4:
        return this.#order(orderId, "markReady", { orderId }, shop);
      case 5:
        return this.#order(orderId, "startPreparing", { orderId }, shop);
      case 6: {
        if (random.next() < 0.6) return;
        const who = pick(random, [customer("c"), shop, support]);
        return this.#order(orderId, "cancel", { orderId, reason: "why not" }, who);
      }
      case 7:
        return this.#drive(driverId, "goOnline", { name: driverId, vehicle: "car", ...at(randomInteger(random, 500)) });
      case 8:
      case 9:
        return this.#answer(driverId, random.next() < 0.8);
      case 10:
        return this.#drive(driverId, "pickUp", { orderId });
      case 11:
        return this.#drive(driverId, "deliver", { orderId });
      case 12:
        return random.next() < 0.5
          ? this.#drive(driverId, "releaseTrip", { orderId, reason: "tired" })
          : this.#drive(driverId, "failDelivery", { orderId, reason: "lost it" });
      default: {
        const input = { orderId, driverId, reason: "because" };
        return this.#order(orderId, "assignManually", input, support);
      }
    }
  }

  #place(orderId: string, quantity: number): void {
    const { kit } = this.city;
    const lines = [{ itemId: "arepa", quantity, unitPriceMinor: 900 }];
    const input = this.city.placement({ lines });
    const caller = customer("c");
    // A customer's phone goes on asking until it has an answer.
    const ask = (): void => {
      kit.send(Order, orderId, "place", input, { caller, commandId: `place-${orderId}` }).then((answer) => {
        if (answer.ok) this.acknowledged.add(orderId);
        else if (answer.error.temporary) ask();
      });
    };
    ask();
  }

  #order(orderId: string, name: string, input: object, caller: { id: string; role: string }): void {
    void this.city.kit.send(Order, orderId, name as "cancel", input as { orderId: string; reason: string }, { caller });
  }

  #drive(driverId: string, name: string, input: object): void {
    void this.city.kit.send(Driver, driverId, name as "deliver", input as { orderId: string }, {
      caller: driver(driverId),
    });
  }

  async #answer(driverId: string, accept: boolean): Promise<void> {
    const known = await this.city.driverState(driverId).catch(() => null);
    const offerId = known?.offers[0]?.cardId;
    if (offerId !== undefined) this.#drive(driverId, accept ? "acceptOffer" : "declineOffer", { offerId });
  }
}

/** The kitchens and drivers do their duty until everything is over. */
async function bringHome(city: City, orderIds: readonly string[]): Promise<void> {
  for (let round = 0; round < 40; round++) {
    let open = 0;
    for (const orderId of orderIds) {
      const status = await city.status(orderId);
      if (isTerminal(status)) continue;
      open++;
      if (status === "confirmed") await city.order(orderId, "accept", { orderId, prepMinutes: 0 }, restaurant("r"));
      if (status === "accepted" || status === "preparing") {
        await city.order(orderId, "markReady", { orderId }, restaurant("r"));
      }
    }
    for (const driverId of DRIVERS) {
      await city.goOnline(driverId);
      const { offers, work } = await city.driverState(driverId);
      const offerId = offers[0]?.cardId;
      if (offerId !== undefined) await city.drive(driverId, "acceptOffer", { offerId });
      if (work.status !== "on_trip") continue;
      for (const { orderId } of work.trip.legs) {
        await city.drive(driverId, "pickUp", { orderId });
        await city.drive(driverId, "deliver", { orderId });
      }
    }
    if (open === 0) return;
    await city.kit.advance(20_000);
  }
  // What nobody brought home ends at its deadline.
  await city.kit.advance(12 * 3_600_000);
}

/** A bank that is late, loses answers and now and then declines. */
function badBank(random: Random, city: () => City): EffectRunner {
  const provider = inProcessProvider(
    () => 0,
    () => random.next() < 0.05,
  );
  const effect = paymentEffect(provider);
  banks.set(random, provider);
  return async (request) => {
    const { kit } = city();
    if (random.next() < 0.1) throw new Error("the bank is out");
    const answer = await effect(request);
    await new Promise<void>((resolve) => kit.clock.after(random.next() * 400, resolve));
    if (random.next() < 0.1) throw new Error("the answer was lost");
    return answer;
  };
}
const banks = new WeakMap<Random, ReturnType<typeof inProcessProvider>>();

/** Zones that plan, with trips of several orders. */
const planning: DomainSettings = {
  ...defaultDomainSettings,
  zone: { ...defaultDomainSettings.zone, dispatch: "horizon", horizonMs: 5_000 },
};

async function run(
  seed: number,
  faults: (random: Random, call: StoreCall) => StoreFault | null,
  decidedBy: DomainSettings = settings,
): Promise<readonly string[]> {
  const random = seededRandom(seed);
  const bankRandom = seededRandom(seed + 1);
  const city: City = createCity({ seed, settings: decidedBy, payment: badBank(bankRandom, () => city) });
  const { kit } = city;
  await city.openRestaurant("r", { items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, stock: STOCK }] });
  for (const driverId of DRIVERS) await city.goOnline(driverId);
  const crowd = new Crowd(city, random);
  kit.store.decide = (call) => faults(random, call);
  let crashes = 0;
  for (let step = 0; step < 250; step++) {
    await crowd.tap();
    await kit.advance(randomInteger(random, 400));
    if (!kit.cluster.isAlive(0)) {
      crashes++;
      await kit.advance(randomInteger(random, 3_000));
      await kit.restart();
    }
  }
  kit.store.decide = () => null;
  if (!kit.cluster.isAlive(0)) await kit.restart();
  await kit.advance(60_000);
  const bank = banks.get(bankRandom);
  if (bank === undefined) throw new Error("no bank");
  const judged = { ...city, bank };
  const asked = [...crowd.acknowledged];
  await bringHome(city, asked);
  await kit.advance(2 * 3_600_000);
  const problems = [...(await problemsAtRest(judged, asked, DRIVERS, STOCK))];
  if (crowd.acknowledged.size < 3) problems.push("hardly anything happened");
  for (const { message } of kit.logs) if (/handler|threw|quarantin/i.test(message)) problems.push(message);
  if (kit.deadLetters.some((letter) => !letter.id.startsWith("effect:"))) problems.push("dead letters");
  const ends: Record<string, number> = {};
  for (const orderId of asked) {
    const status = await city.status(orderId);
    ends[status] = (ends[status] ?? 0) + 1;
  }
  const shared = kit.store.committed.filter(({ kind, state }) => kind === "driver" && sharesTrip(state)).length;
  if (decidedBy === planning) sharing += shared;
  t.comment(
    `seed ${seed}: ${JSON.stringify(ends)}, ${crashes} crashes, ${kit.store.committed.length} commits, ${shared} of drivers with two orders`,
  );
  await kit.close();
  return problems;
}

let sharing = 0;
function sharesTrip(state: Uint8Array): boolean {
  const { work } = decode<{ work: { trip?: { legs: readonly unknown[] } } }>(state);
  return (work.trip?.legs.length ?? 0) > 1;
}

t.test("rules 1–8, 13, 14, 17: random taps by everybody, with a bad bank", async (t) => {
  for (let seed = 1; seed <= 6; seed++) t.same(await run(seed, () => null), [], `seed ${seed}`);
});

const deadly = (random: Random, call: StoreCall): StoreFault | null => {
  if (call.operation !== "flush") return null;
  const draw = random.next();
  if (draw < 0.02) return "crash-before";
  if (draw < 0.04) return "crash-after";
  if (draw < 0.06) return "answer-lost";
  return draw < 0.08 ? "unavailable" : null;
};

t.test("rules 1–8, 13, 14, 17: random taps while the host dies at random points of its commits", async (t) => {
  for (let seed = 101; seed <= 108; seed++) t.same(await run(seed, deadly), [], `seed ${seed}`);
});

t.test("rules 1–8, 13, 14, 17: the same with zones that plan trips of several orders", async (t) => {
  for (let seed = 201; seed <= 202; seed++) t.same(await run(seed, () => null, planning), [], `seed ${seed}`);
  for (let seed = 301; seed <= 303; seed++) t.same(await run(seed, deadly, planning), [], `seed ${seed}`);
  t.ok(sharing > 0, "some of them had several orders");
});

t.test("R-ORD-3, rule 3: any sequence of commands moves an order only as `NEXT_STATUS` allows", async (t) => {
  const commands = [
    "accept",
    "reject",
    "preparing",
    "ready",
    "cancel",
    "offer",
    "claim",
    "pickUp",
    "deliver",
    "fail",
    "wait",
    "long",
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...commands), { minLength: 4, maxLength: 24 }), async (sequence) => {
      const city = createCity({ settings });
      await city.openRestaurant("r", { items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, stock: STOCK }] });
      await city.goOnline("d0");
      await city.place("o");
      for (const command of sequence) await obey(city, command);
      const problems = [...historyProblems(city.kit.store.committed)];
      await bringHome(city, ["o"]);
      await city.kit.advance(3_600_000);
      problems.push(...(await problemsAtRest(city, ["o"], ["d0"], STOCK)));
      problems.push(...city.kit.logs.map(({ message }) => message));
      await city.kit.close();
      if (problems.length > 0) throw new Error(problems.join("; "));
    }),
    { numRuns: 40, seed: 4 },
  );
  t.pass("40 sequences");
});

async function obey(city: City, command: string): Promise<void> {
  const orderId = "o";
  const reason = { orderId, reason: "so" };
  switch (command) {
    case "accept":
      await city.order(orderId, "accept", { orderId, prepMinutes: 1 }, restaurant("r"));
      return;
    case "reject":
      await city.order(orderId, "rejectByRestaurant", reason, restaurant("r"));
      return;
    case "preparing":
      await city.order(orderId, "startPreparing", { orderId }, restaurant("r"));
      return;
    case "ready":
      await city.order(orderId, "markReady", { orderId }, restaurant("r"));
      return;
    case "cancel":
      await city.order(orderId, "cancel", reason, customer("c"));
      return;
    case "offer":
      await city.order(orderId, "assignManually", { ...reason, driverId: "d0" }, support);
      return;
    case "claim": {
      const offerId = (await city.driverState("d0")).offers[0]?.cardId;
      if (offerId !== undefined) await city.drive("d0", "acceptOffer", { offerId });
      return;
    }
    case "pickUp":
      await city.drive("d0", "pickUp", { orderId });
      return;
    case "deliver":
      await city.drive("d0", "deliver", { orderId });
      return;
    case "fail":
      await city.drive("d0", "failDelivery", reason);
      return;
    case "wait":
      return city.kit.advance(300);
    default:
      return city.kit.advance(60_000);
  }
}
