/** Brings orders on their way over HTTP: configures kitchens, places, accepts, and says that the food is ready. */
import { sleep, systemClock } from "../../src/lib/clock.js";
import { issueTokens } from "./node-process.js";
import type { BenchNode } from "./target.js";

const clock = systemClock();
const CENTER = { lat: 48.2, lng: 16.37 };
/** Far enough apart that no driver of one is asked for an order of the other. */
const BETWEEN_CITIES_DEGREES = 1;

/** The first is the one that a lone node is measured with. */
export function citiesOf(count: number): readonly { readonly lat: number; readonly lng: number }[] {
  return Array.from({ length: count }, (_, i) => ({ ...CENTER, lng: CENTER.lng + i * BETWEEN_CITIES_DEGREES }));
}

/** At least; rounded up so that every city has as many. */
const RESTAURANTS = 40;
const ORDERS_AT_ONCE = 64;
const MAX_ATTEMPTS = 100;

async function post(
  node: BenchNode,
  path: string,
  token: string,
  key: string,
  body: unknown,
  method = "POST",
): Promise<Record<string, unknown>> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(node.url + path, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}`, "idempotency-key": key },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text) as Record<string, unknown>;
    const { error: problem } = JSON.parse(text) as { error: { temporary: boolean; retryAfterMs: number } };
    if (!problem.temporary || attempt >= MAX_ATTEMPTS)
      throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    await sleep(clock, problem.retryAfterMs || 200);
  }
}

/** An order and the token of the customer who placed it. */
export interface PlacedOrder {
  readonly orderId: string;
  readonly token: string;
}

export interface Kitchens {
  readonly ids: readonly string[];
  readonly tokens: readonly string[];
}

/** Kitchens with one dish, kitchen i in city i % n. */
export async function configureKitchens(
  nodes: readonly BenchNode[],
  cities: ReturnType<typeof citiesOf>,
  count: number,
): Promise<Kitchens> {
  const ids = Array.from({ length: count }, (_, i) => `bench-restaurant-${i}`);
  const tokens = await issueTokens(
    nodes[0]!,
    ids.map((id) => ({ id, role: "restaurant" })),
  );
  const [admin] = await issueTokens(nodes[0]!, [{ id: "bench-admin", role: "admin" }]);
  for (let i = 0; i < count; i++) {
    const city = cities[i % cities.length]!;
    const angle = (i / count) * 2 * Math.PI;
    await post(
      nodes[0]!,
      `/v1/restaurants/${ids[i]}`,
      admin!,
      `configure-${i}`,
      {
        name: `Kitchen ${i}`,
        lat: city.lat + 0.02 * Math.sin(angle),
        lng: city.lng + 0.02 * Math.cos(angle),
        currency: "EUR",
        deliveryRadiusMeters: 50_000,
        kitchenCapacity: 100_000,
        items: [{ itemId: "dish", name: "Dish of the day", priceMinor: 1200 }],
      },
      "PUT",
    );
  }
  return { ids, tokens };
}

/**
 * One order for each customer's token, through the nodes in turn. Resolves with the orders' ids once the food of all is
 * ready; drivers are asked meanwhile.
 */
export async function placeOrders(
  nodes: readonly BenchNode[],
  customers: readonly string[],
  cities: ReturnType<typeof citiesOf>,
  onProgress: (placed: number) => void = () => undefined,
): Promise<string[]> {
  const restaurantCount = Math.ceil(RESTAURANTS / cities.length) * cities.length;
  const cityOf = (restaurant: number): { lat: number; lng: number } => cities[restaurant % cities.length]!;
  const { ids, tokens: restaurants } = await configureKitchens(nodes, cities, restaurantCount);
  const orders: string[] = new Array(customers.length).fill("");
  let next = 0;
  let ready = 0;
  const lane = async (): Promise<void> => {
    while (next < customers.length) {
      const i = next++;
      const r = i % restaurantCount;
      const node = nodes[i % nodes.length]!;
      const placed = await post(node, "/v1/orders", customers[i]!, `place-${i}`, {
        restaurantId: ids[r],
        lines: [{ itemId: "dish", quantity: 1, unitPriceMinor: 1200 }],
        destination: { lat: cityOf(r).lat + 0.01, lng: cityOf(r).lng + 0.01 },
        currency: "EUR",
      });
      orders[i] = String(placed.orderId);
      // Confirmed takes the payment's time: accepting earlier is an illegal move, so ask until it is legal.
      for (let attempt = 0; ; attempt++) {
        try {
          await post(node, `/v1/orders/${orders[i]}/accept`, restaurants[r]!, `accept-${i}-${attempt}`, {
            prepMinutes: 0,
          });
          break;
        } catch (cause) {
          if (attempt > MAX_ATTEMPTS || !String(cause).includes("illegal_transition")) throw cause;
          await sleep(clock, 100);
        }
      }
      await post(node, `/v1/orders/${orders[i]}/ready`, restaurants[r]!, `ready-${i}`, {});
      onProgress(++ready);
    }
  };
  await Promise.all(Array.from({ length: ORDERS_AT_ONCE }, lane));
  return orders;
}

/**
 * Takes out of the load what found no driver while it was set up: an operator cancels it, so that no zone goes on looking
 * for one while something else is measured. Resolves with the orders that are on their way.
 */
export async function cancelUncollected(
  nodes: readonly BenchNode[],
  orders: readonly PlacedOrder[],
): Promise<readonly PlacedOrder[]> {
  const [admin] = await issueTokens(nodes[0]!, [{ id: "bench-admin", role: "admin" }]);
  const collected: boolean[] = new Array(orders.length).fill(false);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < orders.length) {
      const i = next++;
      const { orderId, token } = orders[i]!;
      const node = nodes[i % nodes.length]!;
      const path = `/v1/orders/${orderId}`;
      const isCollected = async (): Promise<boolean> => (await statusOf(node, path, token)) === "picked_up";
      collected[i] = await isCollected();
      if (collected[i]) continue;
      try {
        await post(node, `${path}/cancel`, admin!, `uncollected-${i}`, { reason: "no driver" });
      } catch (cause) {
        // A driver may have come after all.
        collected[i] = await isCollected();
        if (!collected[i]) throw cause;
      }
    }
  };
  await Promise.all(Array.from({ length: ORDERS_AT_ONCE }, lane));
  return orders.filter((_, i) => collected[i]);
}

async function statusOf(node: BenchNode, path: string, token: string): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(node.url + path, { headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    if (answer.ok) return (JSON.parse(text) as { status?: unknown }).status;
    if (attempt >= MAX_ATTEMPTS) throw new Error(`GET ${path} answered ${answer.status}: ${text}`);
    await sleep(clock, 200);
  }
}
