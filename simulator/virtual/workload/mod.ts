/**
 * The people of a seed: the same agents as in runs against real nodes, over lines of the virtual network, and what real
 * runs lack: second apps on one account, programs that send twice, tokens that end, a support desk.
 *
 * Owns: the plan, devices and their weather, tokens, when everything has come to rest as people see it. Does not own the
 * judging; the recorder only writes down. Invariant: everything follows from the seed.
 */
import { type Client, createClient, type FetchLike, type SocketConstructor } from "../../../sdk/mod.js";
import { type Clock, sleep } from "../../../src/lib/clock.js";
import { randomInteger } from "../../../src/lib/random.js";
import type { Role } from "../../../src/protocol/mod.js";
import { type PlacementAnswer, Recorder } from "../../checkers/mod.js";
import { chance, straightRoads } from "../../city/mod.js";
import { Crew, type Device as HandDevice, type PlannedOrder, recorded, stockOf } from "../../live/mod.js";
import type { City, Workload } from "../ports.js";
import type { Device, VirtualTransport } from "../transport/mod.js";
import { planOf } from "./plan.js";
import { type SecondApp, secondCustomerPhone, secondDriverPhone, secondTablet } from "./second-apps.js";
import { Support } from "./support.js";
import { TokenDesk } from "./tokens.js";
import { Weather } from "./weather.js";

export interface WorkloadCity extends City<SocketConstructor, FetchLike> {
  readonly transport: VirtualTransport;
  /** Puts another in the place of a device's clock. */
  readonly deviceClock?: (real: Clock, device: string) => Clock;
}

const ADMIN = "admin-1";
const SUPPORT = "support-1";
const STREET_FACTOR = 1.3;
const CONFIGURE_PAUSE_MS = 500;
const KEEPS_ADDRESS = 0.5;
/** At full intensity every other account has a second app. */
const SECOND_APPS = 0.5;
const SUPPORT_WITHIN_MS = 60_000;
/** Whoever has been connected for so long has heard what was missed. */
const HEARD_ALL_MS = 5_000;
const WRONG_CLOCK_CHANCE = 0.3;
const MAX_WRONG_MS = 120_000;

/** What the run needs besides the recorder's own work: to hear of orders as they are acknowledged. */
class HearingRecorder extends Recorder {
  readonly #customerOf = new Map<string, string>();
  readonly #heard = new Set<string>();
  readonly #acknowledged: (orderId: string, customerId: string) => void;

  constructor(acknowledged: (orderId: string, customerId: string) => void) {
    super();
    this.#acknowledged = acknowledged;
  }

  override placed(...[key, customerId, order, sentAt]: Parameters<Recorder["placed"]>): void {
    this.#customerOf.set(key, customerId);
    super.placed(key, customerId, order, sentAt);
  }

  override answered(key: string, answer: PlacementAnswer): void {
    super.answered(key, answer);
    if (!answer.ok || this.#heard.has(answer.orderId)) return;
    this.#heard.add(answer.orderId);
    this.#acknowledged(answer.orderId, this.#customerOf.get(key) ?? "");
  }
}

export function createWorkload(city: WorkloadCity): Workload {
  const { scheduler, streams, faults, sizes, transport, urls, operatorSecret } = city;
  const random = streams.of("workload");
  const clock = scheduler.process("people");
  const plan = planOf(sizes, streams.of("plan"), streams.of("words"));
  const weather = new Weather({ clock: scheduler.clock, streams, faults });
  const desk = new TokenDesk({
    urls,
    operatorSecret,
    ttlSeconds: chance(random, 0.5) ? 65 + randomInteger(random, 180) : 3_600,
    roleOf,
  });
  const failures: string[] = [];
  const devices = new Map<string, Device>();
  const wallets = new Map<string, (reason: string) => Promise<string>>();
  const seconds: Client[] = [];
  const secondNames: string[] = [];
  let secondShare = 0;
  let support: Support | null = null;
  let crew: Crew | null = null;
  let begun = 0;
  let opened = false;
  let placing = true;

  const recorder = new HearingRecorder((orderId, customerId) => {
    support?.placed(orderId);
    if (!chance(random, secondShare)) return;
    secondCustomerPhone(customerId, orderId, secondApp(customerId));
  });

  function fail(error: unknown): void {
    failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  /** `name`: the principal, with `#2` behind it for a second app. */
  function deviceOf(name: string): Device {
    const known = devices.get(name);
    if (known !== undefined) return known;
    const own = scheduler.process(`device ${name}`);
    const hand = streams.of(`device ${name}`);
    if (chance(hand, WRONG_CLOCK_CHANCE)) own.skew(randomInteger(hand, 2 * MAX_WRONG_MS) - MAX_WRONG_MS);
    // Where readers get stuck, second apps are on phones with next to no room for what is not read.
    const habits = name.includes("#") && faults.intensity("client_stuck_reader") > 0 ? { windowBytes: 512 } : {};
    const device = transport.device(name, city.deviceClock?.(own, name) ?? own, habits);
    devices.set(name, device);
    weather.add(device);
    const principalId = name.replace(/#.*$/, "");
    wallets.set(name, desk.wallet(principalId, device.fetch, device.options.clock, streams.of(`wallet ${name}`)));
    return device;
  }

  function tokenOf(name: string, reason: string): Promise<string> {
    deviceOf(name);
    return wallets.get(name)!(reason);
  }

  function inHand(name: string): HandDevice {
    const device = deviceOf(name);
    const hand = streams.of(`hand ${name}`);
    return {
      Socket: device.WebSocket,
      fetch: device.fetch,
      clock: device.options.clock,
      get lost() {
        return device.lost;
      },
      lose() {
        device.lose();
        faults.happened("client_signal_lost", name);
      },
      find: () => device.find(chance(hand, KEEPS_ADDRESS)),
    };
  }

  function clientOf(name: string): Client {
    const device = deviceOf(name);
    const client = createClient({
      url: urls,
      tokenProvider: (reason) => tokenOf(name, reason),
      deviceId: `sim-${name.replace("#", ".")}`,
      clock: device.options.clock,
      random: streams.of(`client ${name}`),
      backoffBaseMs: 400,
      backoffMaxMs: 4_000,
      WebSocket: device.WebSocket,
      fetch: device.fetch,
    });
    return recorded(client, { principal: name, recorder, clock, radio: true });
  }

  function secondApp(principalId: string): SecondApp {
    const name = `${principalId}#2`;
    const client = clientOf(name);
    seconds.push(client);
    secondNames.push(name);
    faults.happened("client_two_apps", name);
    const touched = (what: string): void => city.trace.note("touch", name, [], () => what);
    return {
      client,
      recorder,
      clock: scheduler.process(`second ${name}`),
      random: streams.of(`second ${name}`),
      touched,
      putAway: (withinMs) => weather.putAway(deviceOf(name), withinMs),
    };
  }

  async function configure(admin: Client): Promise<void> {
    for (const { id, profile } of plan.restaurants) {
      for (;;) {
        try {
          await admin.http.configureRestaurant(id, profile);
          break;
        } catch (error) {
          if ((error as { temporary?: unknown }).temporary !== true) throw error;
          await sleep(clock, CONFIGURE_PAUSE_MS);
        }
      }
    }
  }

  function* due(): Generator<PlannedOrder> {
    for (const order of plan.orders) {
      if (!placing) return;
      begun++;
      yield order;
    }
    placing = false;
  }

  async function open(): Promise<void> {
    const admin = clientOf(ADMIN);
    await configure(admin);
    admin.close();
    // An app that nobody reads for a while is a second one: the first has work to do.
    const kinds = ["client_two_apps", "client_stuck_reader"] as const;
    secondShare = Math.max(...kinds.map((kind) => faults.intensity(kind))) * SECOND_APPS;
    weather.begin();
    const people = new Crew({
      url: urls,
      seed: city.seed,
      time: { timeScale: plan.timeScale, startWallMs: clock.now(), startCityMs: plan.startCityMs },
      roads: straightRoads(STREET_FACTOR),
      tokens: (principalId, reason) => tokenOf(principalId, reason),
      onFailure: fail,
      clock,
      random: (agent) => streams.of(`agent ${agent}`),
      device: inHand,
      recorder,
    });
    crew = people;
    const desktop = clientOf(SUPPORT);
    desktop.connect();
    const drivers = plan.drivers.map(({ id }) => id);
    support = new Support({
      client: desktop,
      clock,
      random: streams.of("support"),
      drivers,
      withinMs: SUPPORT_WITHIN_MS,
    });
    people.openRestaurants(plan.restaurants, () => null);
    people.sendDrivers(plan.drivers);
    for (const { id, profile } of plan.restaurants) {
      if (!chance(random, secondShare)) continue;
      const items = profile.items.map(({ itemId }) => itemId);
      secondTablet(id, items, secondApp(id));
    }
    for (const id of drivers) if (chance(random, secondShare)) secondDriverPhone(id, secondApp(id));
    opened = true;
    await people.serveCustomers(due());
  }

  /** Whoever has to be there until the end. */
  const stays: readonly string[] = [
    ...plan.restaurants.map(({ id }) => id),
    ...plan.drivers
      .filter(({ shifts }) => shifts.every((shift) => shift.toCityMs === Number.POSITIVE_INFINITY))
      .map(({ id }) => id),
  ];

  function waitsFor(): string[] {
    if (!opened) return ["the restaurants have not opened"];
    const waits: string[] = [];
    if (placing) waits.push("orders are still to be placed");
    const finished = crew?.counts.finished ?? 0;
    if (finished < begun) waits.push(`${begun - finished} customers wait for the end of their order`);
    const refunding = support?.refunding ?? 0;
    if (refunding > 0) waits.push(`the support desk has ${refunding} refunds to give`);
    for (const name of [...stays, ...secondNames])
      if ((devices.get(name)?.connectedForMs ?? 0) < HEARD_ALL_MS)
        waits.push(`${name} has not been connected for long`);
    return waits;
  }

  return {
    start: () => void open().catch(fail),
    heal() {
      placing = false;
      weather.clear();
    },
    settled: () => waitsFor().length === 0,
    waitsFor,
    stop() {
      crew?.stop();
      support?.stop();
      for (const client of seconds) client.close();
    },
    history: () => recorder.history(),
    stockConfigured: stockOf(plan.restaurants),
    failures,
  };
}

function roleOf(principalId: string): Role {
  if (principalId === ADMIN) return "admin";
  if (principalId === SUPPORT) return "support";
  switch (principalId[0]) {
    case "r":
      return "restaurant";
    case "d":
      return "driver";
    default:
      return "customer";
  }
}
