/**
 * How well drivers were found: read from the database after the run, and from what drivers were told. The same figures
 * whichever way the zones decide, so that two runs can be laid beside each other.
 */
import type { OfferRecord } from "../../../src/protocol/mod.js";
import { openAudit } from "../../../src/store/postgres/mod.js";
import type { History } from "../../checkers/mod.js";
import type { CityTime } from "../city-time.js";
import type { RunPlan } from "../plan.js";
import { type LatencySummary, latencyOf } from "./histogram.js";

/** The search for one order's driver, as the order kept it. */
export interface Search {
  readonly orderId: string;
  readonly dueAt: number | null;
  readonly firstOfferAt: number | null;
  readonly offers: readonly OfferRecord[];
}

export interface DispatchFigures {
  /** Offers that were won, by the way the zone decided. */
  readonly wonBy: Readonly<Record<OfferRecord["by"], number>>;
  /** From when the first offer could have been made until it was. Wall milliseconds; times the speed they are the city's. */
  readonly dueToFirstOfferMs: LatencySummary;
  readonly dueToFirstOfferCitySeconds: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly offersPerOrder: number;
  /** Share of the won orders that shared their trip when it was offered. */
  readonly sharedShare: number;
  /** Share of the drivers' planned shifts without a trip. */
  readonly driverIdleShare: number;
}

/** Searches of the orders that `isMine` names. */
export async function readSearches(
  connectionString: string,
  isMine: (orderId: string) => boolean,
): Promise<readonly Search[]> {
  const audit = await openAudit(connectionString);
  try {
    const searches: Search[] = [];
    for await (const { key, cold } of audit.snapshots("order")) {
      if (!isMine(key)) continue;
      const { offersMade } = (cold ?? {}) as {
        offersMade?: Omit<Search, "orderId" | "offers"> & { newest: readonly OfferRecord[] };
      };
      if (offersMade === undefined) continue;
      const { dueAt, firstOfferAt, newest } = offersMade;
      searches.push({ orderId: key, dueAt, firstOfferAt, offers: newest });
    }
    return searches;
  } finally {
    await audit.close();
  }
}

export function dispatchFigures(searches: readonly Search[], idleShare: number, timeScale: number): DispatchFigures {
  const waits = searches.flatMap(({ dueAt, firstOfferAt }) =>
    dueAt === null || firstOfferAt === null ? [] : [firstOfferAt - dueAt],
  );
  const wonBy = { horizon: 0, simple: 0, manual: 0 };
  let won = 0;
  let shared = 0;
  let offers = 0;
  for (const search of searches) {
    offers += search.offers.length;
    const winner = search.offers.find(({ outcome }) => outcome === "won");
    if (winner === undefined) continue;
    won++;
    wonBy[winner.by]++;
    if (winner.orderIds.length > 1) shared++;
  }
  const dueToFirstOfferMs = latencyOf(waits);
  const { p50, p95, p99 } = dueToFirstOfferMs;
  const citySeconds = (wallMs: number): number => Math.round((wallMs * timeScale) / 100) / 10;
  const offered = searches.filter(({ firstOfferAt }) => firstOfferAt !== null).length;
  return {
    wonBy,
    dueToFirstOfferMs,
    dueToFirstOfferCitySeconds: { p50: citySeconds(p50), p95: citySeconds(p95), p99: citySeconds(p99) },
    offersPerOrder: offered === 0 ? 0 : Math.round((offers / offered) * 100) / 100,
    sharedShare: won === 0 ? 0 : Math.round((shared / won) * 1000) / 1000,
    driverIdleShare: Math.round(idleShare * 1000) / 1000,
  };
}

/**
 * Share of the planned shifts, as far as they lie between the first and the last order, that drivers were without a trip.
 * What a driver was told counts; a trip that goes on after the shift does not.
 */
export function idleShareOf(history: History, plan: RunPlan, time: CityTime): number {
  const first = plan.orders[0];
  if (first === undefined) return 0;
  const from = time.wallAt(first.placeAtCityMs);
  const to = time.wallAt(Math.max(...plan.orders.map(({ placeAtCityMs }) => placeAtCityMs)));
  const entriesOf = new Map(history.drivers.map(({ driverId, entries }) => [driverId, entries]));
  let [onlineMs, busyMs] = [0, 0];
  for (const { id, shifts } of plan.drivers) {
    const trips: { from: number; to: number }[] = [];
    for (const entry of entriesOf.get(id) ?? []) {
      if (entry.kind !== "trip") continue;
      const open = trips.at(-1);
      const onTrip = entry.orderIds.length > 0;
      if (open?.to === Number.POSITIVE_INFINITY) {
        if (!onTrip) open.to = entry.at;
      } else if (onTrip) trips.push({ from: entry.at, to: Number.POSITIVE_INFINITY });
    }
    for (const shift of shifts) {
      const begin = Math.max(from, time.wallAt(shift.fromCityMs));
      const end = Math.min(to, time.wallAt(shift.toCityMs));
      if (end <= begin) continue;
      onlineMs += end - begin;
      for (const trip of trips) busyMs += Math.max(0, Math.min(end, trip.to) - Math.max(begin, trip.from));
    }
  }
  return onlineMs === 0 ? 0 : 1 - busyMs / onlineMs;
}

/** Lines of the report's table. */
export function dispatchText(
  figures: DispatchFigures,
  row: (name: string, ...cells: (string | number)[]) => string,
): string[] {
  const { wonBy, dueToFirstOfferMs: wait, dueToFirstOfferCitySeconds: city } = figures;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    "",
    row("finding drivers", "p50", "p95", "p99"),
    row("due → first offer, ms", wait.p50, wait.p95, wait.p99),
    row("  in the city's seconds", city.p50, city.p95, city.p99),
    row("offers per order", figures.offersPerOrder),
    row("won by plan / simple", wonBy.horizon, wonBy.simple),
    row("orders that shared a trip", percent(figures.sharedShare)),
    row("drivers' idle share", percent(figures.driverIdleShare)),
  ];
}
