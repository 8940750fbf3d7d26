/**
 * Orders from the tap to the door in our protocol: customers, tablets and drivers on sockets of their own, the placing
 * over HTTP. Everything that a line says is a server's; what is refused for now is said again, what is refused for good
 * fails its order.
 */
import { Agent } from "node:http";
import { systemClock } from "../../src/lib/clock.js";
import { OP, SOCKET_PATH, SUBPROTOCOL_MSGPACK } from "../../src/protocol/mod.js";
import type { Address } from "../harness/program-messages.js";
import { ORDER_MINOR, type OrdersAdapter, type OrdersFlow, type OrdersPlan, type OrderTimes } from "../peers/ports.js";
import { post } from "./http-post.js";
import { openRawSocket, type RawSocket } from "./raw-socket.js";
import { type Frame, frames, openAll, send } from "./wire.js";

/** What our generator is told beyond what every generator is. */
export interface OurOrdersPlan extends OrdersPlan {
  readonly customerTokens: readonly string[];
  readonly restaurantIds: readonly string[];
  readonly restaurantTokens: readonly string[];
  readonly driverIds: readonly string[];
  readonly driverTokens: readonly string[];
  /** Restaurant i and driver i are in city i % n. */
  readonly cities: readonly { readonly lat: number; readonly lng: number }[];
}

interface Stop {
  readonly kind: "pickup" | "dropoff";
  readonly orderId: string;
  readonly done: boolean;
}
interface Waiting {
  readonly resolve: () => void;
  readonly reject: (cause: Error) => void;
}

const clock = systemClock();
const OPEN_PER_SECOND = 1_000;
const FIX_EVERY_MS = 20_000;
const ORDER_WITHIN_MS = 60_000;
const HTTP_SOCKETS = 128;
const DOOR_DEGREES = 0.01;
/** A command whose refusal fails no order. */
const NO_ORDER = "";

/** A line of ours: commands are repeated while they are refused for now. */
class Person {
  readonly #key: string;
  readonly #fail: (orderId: string, reason: string) => void;
  #socket: RawSocket | null = null;
  #lastId = 10;
  readonly #asked = new Map<number, { readonly frame: Frame; readonly orderId: string }>();
  /** Keys of commands, so that a step is asked for once. */
  readonly #begun = new Set<string>();

  constructor(key: string, fail: (orderId: string, reason: string) => void) {
    this.#key = key;
    this.#fail = fail;
  }

  opened(socket: RawSocket): void {
    this.#socket = socket;
  }

  send(frame: Frame): void {
    if (this.#socket !== null) send(this.#socket, frame);
  }

  command(type: string, step: string, orderId: string, body: unknown): void {
    if (this.#begun.has(step)) return;
    this.#begun.add(step);
    const id = ++this.#lastId;
    const frame = [OP.cmd, id, `${this.#key}-${step}`, type, body];
    this.#asked.set(id, { frame, orderId });
    this.send(frame);
  }

  /** True when the frame was an answer to a command. */
  answered(frame: Frame): boolean {
    if (frame[0] !== OP.reply && frame[0] !== OP.err) return false;
    const id = Number(frame[1]);
    const asked = this.#asked.get(id);
    if (asked === undefined) return true;
    if (frame[0] === OP.err && frame[3] === true) {
      clock.after(Number(frame[4]) || 200, () => this.send(asked.frame));
      return true;
    }
    this.#asked.delete(id);
    if (frame[0] === OP.err) this.#fail(asked.orderId, `${String(asked.frame[3])} was answered ${String(frame[2])}`);
    return true;
  }
}

export const orders: OrdersAdapter = {
  async open(address: Address, given: OrdersPlan): Promise<OrdersFlow> {
    const plan = given as OurOrdersPlan;
    const waiting = new Map<string, Waiting>();
    const sockets: RawSocket[] = [];
    const fail = (orderId: string, reason: string): void => waiting.get(orderId)?.reject(new Error(reason));
    let ready = 0;
    let closed = 0;
    const line = (token: string, device: string, person: Person, hear: (frame: Frame) => void): void => {
      openRawSocket({
        ...address,
        path: SOCKET_PATH,
        subprotocol: SUBPROTOCOL_MSGPACK,
        onOpen: (socket) => {
          sockets.push(socket);
          person.opened(socket);
          send(socket, [OP.hello, token, device, "bench"]);
        },
        onMessage: (payload, socket) => {
          for (const frame of frames(payload)) {
            if (frame[0] === OP.ping) send(socket, [OP.pong, frame[1]]);
            else if (!person.answered(frame)) hear(frame);
          }
        },
        onClose: () => {
          closed++;
        },
      });
    };

    function openCustomer(i: number): Person {
      const person = new Person(`customer-${i}`, fail);
      line(plan.customerTokens[i]!, `phone-${i}`, person, (frame) => {
        if (frame[0] === OP.welcome) ready++;
        else if (frame[0] === OP.state && frame[2] === "view") {
          const { orderId, status } = frame[6] as { orderId: string; status: string };
          if (status === "delivered") waiting.get(orderId)?.resolve();
          else if (status === "cancelled" || status === "rejected") fail(orderId, `the order was ${status}`);
        }
      });
      return person;
    }
    function openTablet(i: number): void {
      const person = new Person(`tablet-${i}`, fail);
      const channel = `restaurant:${plan.restaurantIds[i]}`;
      let epoch = 0;
      line(plan.restaurantTokens[i]!, `tablet-${i}`, person, (frame) => {
        if (frame[0] === OP.welcome) person.send([OP.sub, 1, channel]);
        else if (frame[0] === OP.subbed) {
          epoch = Number(frame[2]);
          ready++;
        } else if (frame[0] === OP.event) {
          person.send([OP.ack, channel, epoch, frame[2]]);
          if (frame[3] !== "order.new") return;
          const { orderId } = frame[5] as { orderId: string };
          person.command("order.accept", `accept-${orderId}`, orderId, { orderId, prepMinutes: 0 });
          person.command("order.ready", `ready-${orderId}`, orderId, { orderId });
        }
      });
    }
    const drivers: Person[] = [];
    const homeOf = (i: number): { lat: number; lng: number } => {
      const city = plan.cities[i % plan.cities.length]!;
      const angle = i * 2.399963;
      const radius = 0.02 * Math.sqrt((i + 0.5) / plan.drivers);
      return { lat: city.lat + radius * Math.sin(angle), lng: city.lng + radius * Math.cos(angle) };
    };
    function openDriver(i: number): void {
      const person = new Person(`driver-${i}`, fail);
      drivers[i] = person;
      const channel = `driver:${plan.driverIds[i]}`;
      let epoch = 0;
      line(plan.driverTokens[i]!, `device-${i}`, person, (frame) => {
        if (frame[0] === OP.welcome) person.send([OP.sub, 1, channel]);
        else if (frame[0] === OP.subbed) {
          epoch = Number(frame[2]);
          person.command("driver.online", "online", NO_ORDER, {
            name: `Driver ${i}`,
            vehicle: "motorcycle",
            ...homeOf(i),
          });
          ready++;
        } else if (frame[0] === OP.event) {
          person.send([OP.ack, channel, epoch, frame[2]]);
          if (frame[3] === "offer.made") {
            const { offerId } = frame[5] as { offerId: string };
            // Of several offers a driver gets one. The others' orders ask somebody else: no order hangs on an answer.
            person.command("driver.accept", `accept-${offerId}`, NO_ORDER, { offerId });
          } else if (frame[3] === "trip.changed") drive(person, (frame[5] as { trip: { stops: Stop[] } | null }).trip);
        }
      });
    }
    /** Stop by stop, as the server lists them. */
    function drive(person: Person, trip: { readonly stops: readonly Stop[] } | null): void {
      const next = trip?.stops.find(({ done }) => !done);
      if (next === undefined) return;
      const { orderId } = next;
      if (next.kind === "pickup") person.command("driver.pickup", `pickup-${orderId}`, orderId, { orderId });
      else person.command("driver.deliver", `deliver-${orderId}`, orderId, { orderId });
    }

    const customers: Person[] = [];
    const count = plan.customers + plan.restaurants + plan.drivers;
    openAll(
      count,
      OPEN_PER_SECOND,
      () => ready + closed,
      (i) => {
        if (i < plan.restaurants) openTablet(i);
        else if (i < plan.restaurants + plan.drivers) openDriver(i - plan.restaurants);
        else customers.push(openCustomer(i - plan.restaurants - plan.drivers));
      },
    );
    while (ready < count) {
      if (closed > 0) throw new Error(`${closed} lines were refused.`);
      await new Promise<void>((resolve) => void clock.after(50, resolve));
    }
    const agent = new Agent({ keepAlive: true, maxSockets: HTTP_SOCKETS });
    let sequence = 0;
    const stopFixes = clock.every(FIX_EVERY_MS, () => {
      sequence++;
      for (const [i, person] of drivers.entries()) {
        const { lat, lng } = homeOf(i);
        person.send([OP.gps, "boot", sequence, clock.now(), [[0, lat, lng, 8, -1, -1]]]);
      }
    });

    async function place(number: number, customer: number): Promise<{ orderId: string; totalMinor: number }> {
      const restaurant = number % plan.restaurants;
      const city = plan.cities[restaurant % plan.cities.length]!;
      const body = JSON.stringify({
        restaurantId: plan.restaurantIds[restaurant],
        lines: [{ itemId: "dish", quantity: 1, unitPriceMinor: ORDER_MINOR }],
        destination: { lat: city.lat + DOOR_DEGREES, lng: city.lng + DOOR_DEGREES },
        currency: "EUR",
      });
      for (;;) {
        const who = { token: plan.customerTokens[customer]!, key: `order-${number}` };
        const { isOk, text } = await post(agent, address, "/v1/orders", who, body);
        const answer = JSON.parse(text) as {
          orderId: string;
          totals: { totalMinor: number };
          error?: { temporary: boolean; retryAfterMs: number };
        };
        if (isOk) return { orderId: answer.orderId, totalMinor: answer.totals.totalMinor };
        if (answer.error?.temporary !== true) throw new Error(`placing was answered ${text}`);
        await new Promise<void>((resolve) => void clock.after(answer.error?.retryAfterMs || 200, resolve));
      }
    }

    return {
      async order(number, customer, dueAt): Promise<OrderTimes> {
        const { orderId, totalMinor } = await place(number, customer);
        const placedMs = clock.monotonic() - dueAt;
        if (totalMinor !== ORDER_MINOR) throw new Error(`an order cost ${totalMinor}, not ${ORDER_MINOR}`);
        const person = customers[customer]!;
        const cancels: (() => void)[] = [];
        try {
          await new Promise<void>((resolve, reject) => {
            waiting.set(orderId, { resolve, reject });
            cancels.push(
              clock.after(ORDER_WITHIN_MS, () => reject(new Error(`not delivered after ${ORDER_WITHIN_MS} ms`))),
            );
            person.send([OP.sub, number + 100, `order:${orderId}`]);
          });
        } finally {
          for (const cancel of cancels) cancel();
          waiting.delete(orderId);
          person.send([OP.unsub, number + 100, `order:${orderId}`]);
        }
        return { placedMs, deliveredMs: clock.monotonic() - dueAt };
      },
      async close() {
        stopFixes();
        agent.destroy();
        for (const socket of sockets) socket.close();
      },
    };
  },
};
