/**
 * What the books say: to a driver, to a restaurant, and to operations, beside what the provider says. Owns the arithmetic
 * of the reports; reads only.
 */
import type { Clock } from "../../lib/clock.js";
import type {
  DriverEarnings,
  Reconciliation,
  ReconciliationDifference,
  RestaurantStatement,
} from "../../protocol/mod.js";
import type { Account, CashMovement, EntryItem, LedgerStore, PartyMovement, PartySum, Period } from "./ports.js";

/** The provider's side, as `services/payments` has it. */
export interface ProviderSide {
  movements(period: Period, after: number, limit: number): Promise<readonly ProviderSideMovement[]>;
  movementsOf(keys: readonly string[]): Promise<readonly ProviderSideMovement[]>;
  held(): Promise<readonly { readonly currency: string; readonly count: number; readonly amountMinor: number }[]>;
}
export interface ProviderSideMovement {
  readonly key: string;
  readonly orderId: string;
  readonly kind: "capture" | "refund";
  readonly currency: string;
  readonly amountMinor: number;
  readonly at: number;
  readonly number: number;
}

const DRIVER_ACCOUNTS: readonly Account[] = ["driver_payable", "tips"];
const RESTAURANT_ACCOUNTS: readonly Account[] = ["restaurant_payable", "tax"];
const PAGE = 500;
/** Differences told; beyond it something is wrong on the whole, and the sums say how much. */
const MOST_DIFFERENCES = 200;

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

  async function allCash(period: Period): Promise<CashMovement[]> {
    const all: CashMovement[] = [];
    for (let after: { at: number; key: string } | null = null; ; ) {
      const page: readonly CashMovement[] = await store.cash(period, after, PAGE);
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return all;
      after = { at: last.at, key: last.key };
    }
  }

  async function allProvided(period: Period): Promise<ProviderSideMovement[]> {
    const all: ProviderSideMovement[] = [];
    for (let after = 0; ; ) {
      const page = await provider.movements(period, after, PAGE);
      all.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return all;
      after = last.number;
    }
  }

  async function inPages<T>(keys: readonly string[], read: (keys: readonly string[]) => Promise<readonly T[]>) {
    const found: T[] = [];
    for (let from = 0; from < keys.length; from += PAGE) found.push(...(await read(keys.slice(from, from + PAGE))));
    return found;
  }

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

    async reconciliation(period) {
      const now = clock.now();
      // In the order money takes: held, moved, a fact that waits, booked. Whatever a later read lacks, an earlier one
      // has counted as still to come; the other way round, a report could say that nothing waits beside old sums.
      const held = await provider.held();
      const theirs = await allProvided(period);
      const backlog = await store.backlog();
      const [ours, balances] = await Promise.all([allCash(period), store.balances(period)]);
      const here = new Map(ours.map((movement) => [movement.key, movement]));
      const there = new Map(theirs.map((movement) => [movement.key, movement]));
      // What one side has at the edge of the period, the other may have just beyond it.
      const onlyTheirs = theirs.filter(({ key }) => !here.has(key)).map(({ key }) => key);
      const onlyOurs = ours.filter(({ key }) => !there.has(key)).map(({ key }) => key);
      for (const movement of await inPages(onlyTheirs, (keys) => store.cashOf(keys))) here.set(movement.key, movement);
      for (const movement of await inPages(onlyOurs, (keys) => provider.movementsOf(keys)))
        there.set(movement.key, movement);
      const differences: ReconciliationDifference[] = [];
      let inTransit = 0;
      let matched = 0;
      for (const key of new Set([...here.keys(), ...there.keys()])) {
        const our = here.get(key);
        const their = there.get(key);
        const oursMinor = our?.amountMinor ?? 0;
        const theirsMinor = their === undefined ? 0 : their.kind === "capture" ? their.amountMinor : -their.amountMinor;
        const sameCurrency = our === undefined || their === undefined || our.currency === their.currency;
        if (our !== undefined && their !== undefined && oursMinor === theirsMinor && sameCurrency) {
          matched++;
          continue;
        }
        // Of what was free the provider may keep a movement of nothing; no account of ours moved.
        if (oursMinor === 0 && theirsMinor === 0) continue;
        const at = Math.max(our?.at ?? 0, their?.at ?? 0);
        if ((our === undefined || their === undefined) && now - at < graceMs) {
          inTransit++;
          continue;
        }
        if (differences.length >= MOST_DIFFERENCES) continue;
        const { orderId, kind, currency } = (our ?? their)!;
        differences.push({
          key,
          orderId,
          kind,
          currency,
          at,
          problem: our === undefined ? "missing_here" : their === undefined ? "missing_there" : "amount",
          oursMinor,
          theirsMinor,
        });
      }
      const currencies = currenciesOf([...ours, ...theirs, ...balances]);
      const total = (
        movements: readonly { currency: string; kind: string; amountMinor: number }[],
        currency: string,
      ) => {
        let sum = 0;
        for (const { currency: own, kind, amountMinor } of movements) {
          if (own === currency) sum += kind === "capture" ? Math.abs(amountMinor) : -Math.abs(amountMinor);
        }
        return sum;
      };
      return {
        from: period.from,
        to: period.to,
        matched,
        inTransit,
        differences,
        waitingFacts: backlog.waiting,
        refusedFacts: backlog.refused,
        currencies: currencies.map((currency) => {
          const ofCurrency = balances.filter((balance) => balance.currency === currency);
          return {
            currency,
            oursMinor: total(ours, currency),
            theirsMinor: total(theirs, currency),
            heldMinor: held.find((each) => each.currency === currency)?.amountMinor ?? 0,
            heldCount: held.find((each) => each.currency === currency)?.count ?? 0,
            /** Of every account: zero, or the books are wrong. */
            sumMinor: ofCurrency.reduce((all, { amountMinor }) => all + amountMinor, 0),
            accounts: ofCurrency.map(({ account, amountMinor }) => ({ account, amountMinor })),
          };
        }),
        agrees: differences.length === 0 && backlog.refused === 0,
      };
    },
  };
}
