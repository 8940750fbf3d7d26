/** Drivers and customers of a load, in generator processes: who they are, and waiting until they are there. */
import type { Address } from "../harness/program-messages.js";
import { type Generator, nearlyAll, startGenerator, until } from "./generators.js";
import type { CustomerPlan } from "./messages.js";
import { issueTokens } from "./node-process.js";
import { cancelUncollected, type citiesOf, type PlacedOrder, placeOrders } from "./orders.js";
import type { Target } from "./target.js";

/** A process may have 20,000 files open. */
export const MAX_SOCKETS = 15_000;

export const driverIdsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `bench-driver-${i}`);

/** Resolves when all are on shift. `nodeOf`: for each driver, the number of its node. */
export async function startDrivers(
  target: Target,
  options: {
    readonly ids: readonly string[];
    readonly nodeOf: readonly number[];
    readonly cities: ReturnType<typeof citiesOf>;
    readonly setUpFixEveryMs: number | null;
    readonly patienceSeconds: number;
  },
): Promise<Generator> {
  const { ids, nodeOf, cities, setUpFixEveryMs } = options;
  const tokens = await issueTokens(
    target.nodes[0]!,
    ids.map((id) => ({ id, role: "driver" })),
  );
  const plan = { role: "drivers", nodes: target.addresses, nodeOf, tokens, ids, cities, setUpFixEveryMs } as const;
  const drivers = await startGenerator(plan);
  await untilConnected("drivers on shift", [drivers], ids.length, options.patienceSeconds);
  return drivers;
}

/**
 * Places so many orders, each by a customer of its own; resolves with those that were collected when (nearly) all were. The
 * others are cancelled.
 */
export async function ordersOnTheirWay(
  target: Target,
  drivers: Generator,
  count: number,
  cities: ReturnType<typeof citiesOf>,
  patienceSeconds: number,
  note: (line: string) => void,
): Promise<readonly PlacedOrder[]> {
  const tokens = await issueTokens(
    target.nodes[0]!,
    Array.from({ length: count }, (_, i) => ({ id: `bench-customer-${i}`, role: "customer" })),
  );
  const orders = await placeOrders(target.nodes, tokens, cities, (placed) => {
    if (placed % 500 === 0) note(`orders ready: ${placed} of ${count}, picked up: ${drivers.progress.picked}`);
  });
  await until(
    "orders picked up",
    patienceSeconds,
    nearlyAll(drivers, count),
    () => `${drivers.progress.picked} of ${count}`,
  );
  const placed = orders.map((orderId, i) => ({ orderId, token: tokens[i]! }));
  const collected = await cancelUncollected(target.nodes, placed);
  if (collected.length < count) note(`orders cancelled because no driver was left: ${count - collected.length}`);
  return collected;
}

/** In as many processes as they need, at least `processes`. Resolves when every socket is there. */
export async function startCustomers(
  nodes: readonly Address[],
  sockets: CustomerPlan["sockets"],
  options: {
    readonly openPerSecond: number;
    readonly patienceSeconds: number;
    readonly processes?: number;
    readonly adapter?: string;
  },
): Promise<Generator[]> {
  const count = Math.max(options.processes ?? 1, Math.ceil(sockets.length / MAX_SOCKETS));
  const each = Math.max(1, Math.ceil(sockets.length / count));
  const generators: Generator[] = [];
  for (let from = 0; from < sockets.length; from += each) {
    generators.push(
      await startGenerator({
        role: "customers",
        nodes,
        sockets: sockets.slice(from, from + each),
        openPerSecond: options.openPerSecond / count,
        ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
      }),
    );
  }
  await untilConnected("customers there", generators, sockets.length, options.patienceSeconds);
  return generators;
}

export async function untilConnected(
  what: string,
  generators: readonly Generator[],
  count: number,
  patienceSeconds: number,
): Promise<void> {
  const there = (): number => generators.reduce((sum, { progress }) => sum + progress.connected, 0);
  const lost = (): number => generators.reduce((sum, { progress }) => sum + progress.closed, 0);
  await until(
    what,
    patienceSeconds,
    () => {
      if (lost() > 0 && there() + lost() >= count && there() < count)
        throw new Error(`${what}: ${lost()} of ${count} could not come or did not stay`);
      return there() >= count;
    },
    () => `${there()} of ${count}`,
  );
}
