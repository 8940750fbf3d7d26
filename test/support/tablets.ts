/**
 * Orders pushed to tablets whose sockets drop at random and whose pages reload, against a real node with its database.
 * Owns the run and its figures; what they must be is for whoever runs it to say.
 *
 * A tablet is the client with a file as its storage, as a page has IndexedDB: a reload throws the client away and makes it
 * anew from that file. The recorder writes down, for each tablet, which orders were told as new and when, and since when
 * its line was live. Lateness is counted from the later of the node's own stamp of the push and the line's coming up.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, NodeSocket, openFileStorage, type SocketConstructor, Tablet } from "../../sdk/node.js";
import { OwnNode } from "../../simulator/live/mod.js";
import { type Clock, sleep, systemClock } from "../../src/lib/clock.js";
import { type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import type { InboxView, PlacedReply } from "../../src/protocol/mod.js";
import { withEmptyData } from "../../src/store/postgres/fixtures/empty-data.js";

export interface TabletRun {
  readonly orders: number;
  readonly tablets: number;
  readonly seed: number;
  /** Mean time between two drops of one tablet's socket, and between two reloads of its page. */
  readonly dropEveryMs: number;
  readonly reloadEveryMs: number;
  /** Orders placed at once. */
  readonly atOnce: number;
  readonly note?: (line: string) => void;
}

export interface TabletReport {
  readonly placed: number;
  readonly drops: number;
  readonly reloads: number;
  /** Orders that were told as new on their restaurant's tablet: exactly once, more than once, never. */
  readonly once: number;
  readonly twice: readonly string[];
  readonly never: readonly string[];
  /** Told as new to a tablet that they are not for, or that nobody placed. */
  readonly strange: readonly string[];
  /** Orders that the node does not count as delivered at the end, with what it counts them as. */
  readonly undelivered: readonly string[];
  /** What comparisons had to put right. */
  readonly repaired: number;
  /** From the push, or from the line's coming up if that was later, to the tablet. */
  readonly lateness: { readonly p50Ms: number; readonly p99Ms: number; readonly mostMs: number };
  readonly lateBeyond5s: readonly string[];
  /** The longest this process stood still: what it adds to any lateness. */
  readonly longestStallMs: number;
  readonly seconds: number;
}

const LIMIT_MS = 5_000;
const PATIENCE_MS = 60_000;
const STALL_LOOK_MS = 50;

interface Shown {
  readonly orderId: string;
  readonly lateMs: number;
}

interface DeviceParts {
  readonly url: string;
  readonly token: string;
  readonly restaurantId: string;
  /** Its storage. */
  readonly file: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** One device: its line drops and its page reloads, and it goes on. */
class Device {
  readonly shown: Shown[] = [];
  drops = 0;
  reloads = 0;
  repaired = 0;
  readonly #sockets = new Set<NodeSocket>();
  #page: { readonly tablet: Tablet; readonly close: () => Promise<void> } | null = null;
  #liveSince = 0;
  readonly #parts: DeviceParts;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
  }

  async open(): Promise<void> {
    const { url, token, restaurantId, file, clock, random } = this.#parts;
    const storage = await openFileStorage(file);
    const sockets = this.#sockets;
    class Line extends NodeSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols);
        sockets.add(this);
        this.on("close", () => sockets.delete(this));
      }
    }
    const client = createClient({
      url,
      token,
      deviceId: `tablet-${restaurantId}`,
      WebSocket: Line as unknown as SocketConstructor,
      backoffBaseMs: 100,
      backoffMaxMs: 1_000,
      random,
    });
    client.onState(({ name }) => {
      if (name === "live") this.#liveSince = clock.now();
    });
    const tablet = new Tablet(
      { client, clock, restaurantId, storage, name: "Counter" },
      {
        arrived: ({ orderId }, at) => {
          this.shown.push({ orderId, lateMs: clock.now() - Math.max(at, this.#liveSince) });
        },
      },
    );
    tablet.start();
    this.#page = {
      tablet,
      close: async () => {
        tablet.close();
        client.close();
        this.repaired += tablet.stats().repaired;
        // What a page has begun to write when it goes, the browser writes.
        await storage.settled();
      },
    };
  }

  drop(): void {
    for (const socket of this.#sockets) {
      socket.terminate();
      this.drops++;
    }
  }

  async reload(): Promise<void> {
    await this.#page?.close();
    this.reloads++;
    await this.open();
  }

  async close(): Promise<void> {
    await this.#page?.close();
    this.#page = null;
  }
}

const PROFILE = {
  name: "Lokanta",
  lat: 41,
  lng: 29,
  currency: "TRY",
  deliveryRadiusMeters: 20_000,
  kitchenCapacity: 10_000,
  items: [{ itemId: "soup", name: "Soup", priceMinor: 500 }],
};
const CUSTOMER_ORDERS = 5;

export async function runTablets(run: TabletRun): Promise<TabletReport> {
  const clock = systemClock();
  const random = seededRandom(run.seed);
  const note = run.note ?? (() => undefined);
  const directory = withEmptyData(realpathSync(mkdtempSync(join(tmpdir(), "swift-eats-tablets-"))), "postgres");
  const node = new OwnNode({
    dataDir: join(directory, "node"),
    timeScale: 1,
    onRestart: (how) => note(`the node ended: ${how}`),
    extraArguments: [
      ...["--gateway.tierRates.order.perMinute", "60000", "--gateway.tierRates.order.burst", "2000"],
      ...["--gateway.tierRates.command.perMinute", "60000", "--gateway.tierRates.command.burst", "2000"],
      // Reloads and drops make many connections of one account, some not yet seen as gone.
      ...["--search.enabled", "false"],
    ],
  });
  const devices: Device[] = [];
  let churning = true;
  const began = clock.monotonic();
  let longestStallMs = 0;
  let looked = clock.monotonic();
  const stopLooking = clock.every(STALL_LOOK_MS, () => {
    const now = clock.monotonic();
    longestStallMs = Math.max(longestStallMs, now - looked - STALL_LOOK_MS);
    looked = now;
  });

  try {
    const { url, operatorSecretFile } = await node.start();
    const answer = async <R>(path: string, init: RequestInit): Promise<R> => {
      for (;;) {
        const response = await fetch(`${url}${path}`, init);
        const body = (await response.json()) as R & { error?: { temporary?: boolean }; temporary?: boolean };
        if (response.ok) return body;
        if (body.error?.temporary !== true && body.temporary !== true) {
          throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
        }
        await sleep(clock, 200);
      }
    };
    const call = <R>(method: string, path: string, token: string, key: string, body?: unknown) =>
      answer<R>(path, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": key },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });

    const restaurants = Array.from({ length: run.tablets }, (_, i) => `r${i}`);
    const customers = Array.from({ length: Math.ceil(run.orders / CUSTOMER_ORDERS) }, (_, i) => `c${i}`);
    const principals = [
      ...restaurants.map((id) => ({ id, role: "restaurant" })),
      ...customers.map((id) => ({ id, role: "customer" })),
      { id: "root", role: "admin" },
    ];
    const secret = readFileSync(operatorSecretFile, "utf8").trim();
    const { tokens } = await answer<{ tokens: string[] }>("/v1/tokens", {
      method: "POST",
      headers: { authorization: `Operator ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ principals, ttlSeconds: 3600 }),
    });
    await Promise.all(
      restaurants.map((id) =>
        call("PUT", `/v1/restaurants/${id}`, tokens.at(-1)!, `menu-${id}`, { ...PROFILE, name: id }),
      ),
    );
    for (const [i, restaurantId] of restaurants.entries()) {
      const file = join(directory, `${restaurantId}.json`);
      const device = new Device({
        url,
        token: tokens[i]!,
        restaurantId,
        file,
        clock,
        random: seededRandom(run.seed + i),
      });
      await device.open();
      devices.push(device);
    }
    note(`${devices.length} tablets are open`);

    const churn = async (device: Device, everyMs: number, what: (device: Device) => unknown): Promise<void> => {
      for (;;) {
        await sleep(clock, randomInteger(random, 2 * everyMs));
        if (!churning) return;
        await what(device);
      }
    };
    // One thing at a time happens to a device: a page that reloads has no socket to drop.
    const churns = devices.map((device) =>
      churn(device, run.dropEveryMs, async (each) => {
        if (random.next() < run.dropEveryMs / run.reloadEveryMs) await each.reload();
        else each.drop();
      }),
    );

    const placed = new Map<string, string>();
    let next = 0;
    const place = async (): Promise<void> => {
      for (let i = next++; i < run.orders; i = next++) {
        const customer = i % customers.length;
        const restaurantId = restaurants[i % restaurants.length]!;
        const lines = [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }];
        const order = { restaurantId, lines, destination: { lat: 41.01, lng: 29 }, currency: "TRY" };
        const token = tokens[restaurants.length + customer]!;
        const { orderId } = await call<PlacedReply>("POST", "/v1/orders", token, `o${i}`, order);
        placed.set(orderId, restaurantId);
      }
    };
    await Promise.all(Array.from({ length: run.atOnce }, place));
    note(`${placed.size} orders are placed`);

    const deviceOf = new Map(restaurants.map((id, i) => [id, devices[i]!]));
    const missing = (): string[] => {
      const shown = new Set(devices.flatMap((device) => device.shown.map(({ orderId }) => orderId)));
      return [...placed.keys()].filter((orderId) => !shown.has(orderId));
    };
    const until = clock.monotonic() + PATIENCE_MS;
    while (missing().length > 0 && clock.monotonic() < until) await sleep(clock, 50);
    churning = false;
    await Promise.all(churns);
    const inboxes = () =>
      Promise.all(
        restaurants.map((id, i) => call<InboxView>("GET", `/v1/restaurants/${id}/inbox`, tokens[i]!, "look")),
      );
    const open = (views: readonly InboxView[]) =>
      views.flatMap(({ orders }) => orders).filter(({ state }) => state === "sent");
    let views = await inboxes();
    while (open(views).length > 0 && clock.monotonic() < until) {
      await sleep(clock, 200);
      views = await inboxes();
    }
    await Promise.all(devices.map((device) => device.close()));

    const times = new Map<string, number>();
    const strange: string[] = [];
    const lateness: number[] = [];
    const late: string[] = [];
    for (const [restaurantId, device] of deviceOf) {
      for (const { orderId, lateMs } of device.shown) {
        if (placed.get(orderId) !== restaurantId) strange.push(`${orderId} on ${restaurantId}`);
        times.set(orderId, (times.get(orderId) ?? 0) + 1);
        lateness.push(lateMs);
        if (lateMs > LIMIT_MS) late.push(`${orderId}: ${Math.round(lateMs)} ms`);
      }
    }
    lateness.sort((a, b) => a - b);
    const quantile = (share: number): number =>
      lateness[Math.min(lateness.length - 1, Math.floor(lateness.length * share))] ?? 0;
    const known = new Set(views.flatMap(({ orders }) => orders.map(({ orderId }) => orderId)));
    return {
      placed: placed.size,
      drops: devices.reduce((sum, device) => sum + device.drops, 0),
      reloads: devices.reduce((sum, device) => sum + device.reloads, 0),
      once: [...placed.keys()].filter((orderId) => times.get(orderId) === 1).length,
      twice: [...placed.keys()].filter((orderId) => (times.get(orderId) ?? 0) > 1),
      never: [...placed.keys()].filter((orderId) => !times.has(orderId)),
      strange,
      undelivered: [
        ...open(views).map(({ orderId, state }) => `${orderId} ${state}`),
        ...[...placed.keys()].filter((orderId) => !known.has(orderId)).map((orderId) => `${orderId} gone`),
      ],
      repaired: devices.reduce((sum, device) => sum + device.repaired, 0),
      lateness: { p50Ms: quantile(0.5), p99Ms: quantile(0.99), mostMs: lateness.at(-1) ?? 0 },
      lateBeyond5s: late,
      longestStallMs: Math.round(longestStallMs),
      seconds: Math.round((clock.monotonic() - began) / 100) / 10,
    };
  } finally {
    churning = false;
    stopLooking();
    await Promise.all(devices.map((device) => device.close().catch(() => undefined)));
    await node.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
