/**
 * PostgreSQL is killed under two real nodes. What needs no commit goes on from memory for longer than a node that has lost
 * the database for itself alone may speak; when the server is back the order goes on where it was.
 */
import t from "tap";
import { type Client, courier, createClient, createHttp, customer, kitchen, SwiftEatsError } from "../sdk/node.js";
import { type LocalNode, startLocalCluster } from "../simulator/cluster/mod.js";
import { sleep, systemClock } from "../src/lib/clock.js";
import { missingProgram } from "./support/servers.js";

const clock = systemClock();
const PAUSE_MS = 50;
/** Much longer than the machine is ever busy with something else: a node that misses it falls silent, and rightly so. */
const SESSION_LOSS_MS = 6_000;
const RESTAURANT = "osteria";
const PROFILE = {
  name: "Osteria",
  lat: 50.85,
  lng: 4.35,
  currency: "EUR",
  deliveryRadiusMeters: 20_000,
  kitchenCapacity: 1000,
  items: [{ itemId: "soup", name: "Soup", priceMinor: 700, prepMinutes: 5 }],
};
const ORDER = {
  restaurantId: RESTAURANT,
  lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 700 }],
  destination: { lat: 50.9, lng: 4.4 },
  currency: "EUR",
};

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(clock, PAUSE_MS);
};

/** Again for as long as the refusal says that it will pass. */
async function insist<T>(ask: () => Promise<T>, alsoFor: readonly string[] = []): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passes = error instanceof SwiftEatsError && (error.temporary || alsoFor.includes(error.code));
      if (!passes) throw error;
      await sleep(clock, PAUSE_MS);
    }
  }
}

async function json<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

t.test(
  "R-CLU-5: while PostgreSQL is away a customer goes on seeing the driver, and the order goes on once it is back",
  { skip: missingProgram("nats") || missingProgram("redis"), timeout: 170_000 },
  async (t) => {
    const cluster = await startLocalCluster({
      nodes: 2,
      leaseMs: 45_000,
      drainMs: 500,
      timeScale: 5,
      environment: {
        SWIFT_EATS_CLUSTER_SESSION_LOSS_MS: String(SESSION_LOSS_MS),
        SWIFT_EATS_CLUSTER_SESSION_GRACE_MS: String(SESSION_LOSS_MS + 2_000),
      },
    });
    const clients: Client[] = [];
    let moving = true;
    let ride: Promise<void> = Promise.resolve();
    t.teardown(async () => {
      moving = false;
      await ride;
      for (const client of clients) client.close();
      await cluster.stop();
    });
    const [a, b] = cluster.nodes as [LocalNode, LocalNode];
    const [customerToken, kitchenToken, driverToken, adminToken] = (await createHttp({ url: a.url }).issueTokens({
      operatorSecret: cluster.operatorSecret,
      principals: [
        { id: "carol", role: "customer" },
        { id: RESTAURANT, role: "restaurant" },
        { id: "dave", role: "driver" },
        { id: "admin", role: "admin" },
      ],
      ttlSeconds: 3600,
    })) as [string, string, string, string];
    const at = (node: LocalNode, token: string): Client => {
      const client = createClient({ url: node.url, token });
      client.connect();
      clients.push(client);
      return client;
    };
    await insist(() => createHttp({ url: a.url, token: adminToken }).configureRestaurant(RESTAURANT, PROFILE));

    const phone = at(b, driverToken);
    const dave = courier(phone);
    const offers: string[] = [];
    let isOnTrip = false;
    dave.work("dave", {
      event: (event) => {
        if (event.type === "offer.made") offers.push(event.body.offerId);
        if (event.type === "trip.changed") isOnTrip = event.body.trip !== null;
      },
    });
    await insist(() => dave.goOnline({ name: "Dave", vehicle: "bicycle", lat: PROFILE.lat, lng: PROFILE.lng }));
    // Every fix is a little further north than the one before, so that a position tells when it was sent.
    let step = 0;
    const latitude = (): number => PROFILE.lat + step * 1e-5;
    ride = (async () => {
      while (moving) {
        step += 1;
        phone.gps.offer({ lat: latitude(), lng: PROFILE.lng, accuracyMeters: 5 });
        await sleep(clock, PAUSE_MS);
      }
    })();

    const cook = kitchen(at(b, kitchenToken));
    const carol = customer(at(a, customerToken));
    const { orderId } = await insist(() => carol.place(ORDER), ["not_found", "invalid", "restaurant_closed"]);
    const statuses: string[] = [];
    const seen: number[] = [];
    carol.watch(orderId, {
      view: ({ status }) => statuses.push(status),
      position: ({ lat }) => seen.push(lat),
    });
    await until(() => statuses.at(-1) === "confirmed");
    await insist(() => cook.accept(orderId, 1));
    await insist(() => cook.ready(orderId));
    for (let next = 0; !isOnTrip; ) {
      const offerId = offers[next];
      if (offerId === undefined) await sleep(clock, PAUSE_MS);
      else {
        next += 1;
        await dave.accept(offerId).catch(() => undefined);
        await until(() => isOnTrip || offers.length > next);
      }
    }
    await insist(() => dave.arrived(orderId, "pickup"));
    await insist(() => dave.pickUp(orderId));
    await until(() => seen.length > 0);
    const menuAt = async ({ url }: LocalNode): Promise<number> =>
      (await fetch(`${url}/v1/restaurants/${RESTAURANT}/menu`)).status;
    for (const node of [a, b]) await until(async () => (await menuAt(node)) === 200);

    await cluster.database.kill();
    const hasSession = async ({ url }: LocalNode): Promise<boolean> =>
      (await json<{ cluster: { hasSession: boolean } }>(`${url}/v1/node`)).cluster.hasSession;
    for (const node of [a, b]) await until(async () => !(await hasSession(node)));
    await sleep(clock, SESSION_LOSS_MS + 1_000);
    const sent = latitude();
    await until(() => (seen.at(-1) ?? 0) > sent);
    t.pass("what the phone sends now still reaches the customer");
    for (const node of [a, b]) {
      const answer = await fetch(`${node.url}/readyz`);
      t.equal(answer.status, 200, "a node that serves what it can is better than none");
      t.match(await answer.json(), { ready: true, database: "away" });
      t.equal(await menuAt(node), 200, "menus stay");
    }

    await cluster.database.start();
    await insist(() => dave.arrived(orderId, "dropoff"));
    await insist(() => dave.deliver(orderId));
    await until(() => statuses.at(-1) === "delivered");
    for (const { url } of [a, b]) {
      await until(async () => (await json<{ database?: string }>(`${url}/readyz`)).database === "answers");
    }
  },
);
