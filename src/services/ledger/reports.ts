/**
 * What the books say: to a driver, to a restaurant, and to operations, beside what the provider says. Owns the arithmetic
 * of the reports; reads only.
 */
import type { Clock } from "../../lib/clock.js";
import type { DriverEarnings, Reconciliation, RestaurantStatement } from "../../protocol/mod.js";
import type { Account, EntryItem, LedgerStore, PartyMovement, PartySum, Period } from "./ports.js";
import { type ProviderSide, reconcile } from "./reconciliation.js";

const DRIVER_ACCOUNTS: readonly Account[] = ["driver_payable", "tips"];
const RESTAURANT_ACCOUNTS: readonly Account[] = ["restaurant_payable", "tax"];
/** What is owed stands as a credit: to its owner it is positive. */
const owed = (amountMinor: number): number => (amountMinor === 0 ? 0 : -amountMinor);

const sumOf = (sums: readonly PartySum[], currency: string, item: EntryItem): number =>
  owed(
    sums.filter((sum) => sum.currency === currency && sum.item === item).reduce((all, sum) => all + sum.amountMinor, 0),
  );

const currenciesOf = (sums: readonly { readonly currency: string }[]): readonly string[] => [
  ...new Set(sums.map(({ currency }) => currency)),
];

/** Movements of one party by order, newest first. */
function byOrder(movements: readonly PartyMovement[]): readonly (readonly PartyMovement[])[] {
  const orders = new Map<string, PartyMovement[]>();
  for (const movement of movements) {
    const name = `${movement.orderId} ${movement.kind} ${movement.at}`;
    const lines = orders.get(name);
    if (lines === undefined) orders.set(name, [movement]);
    else lines.push(movement);
  }
  return [...orders.values()];
}

const of = (lines: readonly PartyMovement[], item: EntryItem): number =>
  owed(lines.filter((line) => line.item === item).reduce((all, line) => all + line.amountMinor, 0));

export interface LedgerReports {
  /** All of them reject when the store, or the provider, does not answer. */
  earnings(driverId: string, period: Period, limit: number): Promise<DriverEarnings>;
  statement(restaurantId: string, period: Period, limit: number): Promise<RestaurantStatement>;
  reconciliation(period: Period): Promise<Reconciliation>;
}

export function createLedgerReports(deps: {
  readonly store: LedgerStore;
  readonly provider: ProviderSide;
  readonly clock: Clock;
  /** What happened more recently may still be on its way from one side to the other: no difference yet. */
  readonly graceMs: number;
}): LedgerReports {
  const { store, provider, clock, graceMs } = deps;

  return {
    async earnings(driverId, period, limit) {
      const [sums, movements] = await Promise.all([
        store.sums(DRIVER_ACCOUNTS, driverId, period),
        // Two lines an order.
        store.movements(DRIVER_ACCOUNTS, driverId, period, 2 * limit),
      ]);
      return {
        from: period.from,
        to: period.to,
        totals: currenciesOf(sums).map((currency) => {
          const payMinor = sumOf(sums, currency, "pay");
          const tipMinor = sumOf(sums, currency, "tip");
          const ofCurrency = sums.filter((sum) => sum.currency === currency);
          return {
            currency,
            deliveries: Math.max(...ofCurrency.map(({ count }) => count)),
            payMinor,
            tipMinor,
            totalMinor: payMinor + tipMinor,
          };
        }),
        deliveries: byOrder(movements)
          .slice(0, limit)
          .map((lines) => {
            const { orderId, at, currency } = lines[0]!;
            const payMinor = of(lines, "pay");
            const tipMinor = of(lines, "tip");
            return { orderId, at, currency, payMinor, tipMinor, totalMinor: payMinor + tipMinor };
          }),
      };
    },

    async statement(restaurantId, period, limit) {
      const [sums, movements] = await Promise.all([
        store.sums(RESTAURANT_ACCOUNTS, restaurantId, period),
        // At most three lines an order.
        store.movements(RESTAURANT_ACCOUNTS, restaurantId, period, 3 * limit),
      ]);
      return {
        restaurantId,
        from: period.from,
        to: period.to,
        totals: currenciesOf(sums).map((currency) => {
          const itemsMinor = sumOf(sums, currency, "items");
          const taxMinor = sumOf(sums, currency, "tax");
          const commissionMinor = owed(sumOf(sums, currency, "commission"));
          const refundsMinor = owed(sumOf(sums, currency, "refund"));
          const orders = sums.find((sum) => sum.currency === currency && sum.item === "items")?.count ?? 0;
          return {
            currency,
            orders,
            itemsMinor,
            taxMinor,
            commissionMinor,
            refundsMinor,
            payoutMinor: itemsMinor + taxMinor - commissionMinor - refundsMinor,
          };
        }),
        lines: byOrder(movements)
          .slice(0, limit)
          .map((lines) => {
            const { orderId, at, currency, kind, note } = lines[0]!;
            const line = {
              itemsMinor: of(lines, "items"),
              taxMinor: of(lines, "tax"),
              commissionMinor: owed(of(lines, "commission")),
              refundsMinor: owed(of(lines, "refund")),
            };
            const { itemsMinor, taxMinor, commissionMinor, refundsMinor } = line;
            return {
              orderId,
              at,
              currency,
              kind: kind === "refund" ? ("refund" as const) : ("order" as const),
              ...(note === "" ? {} : { note }),
              ...line,
              payoutMinor: itemsMinor + taxMinor - commissionMinor - refundsMinor,
            };
          }),
      };
    },

    reconciliation: (period) => reconcile({ store, provider, now: clock.now(), graceMs }, period),
  };
}
