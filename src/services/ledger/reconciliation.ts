/**
 * Our books beside the provider's, movement by movement. Owns the order of the reads and what is a difference.
 *
 * Invariants: both sides are read page by page beside each other, so that a quarter of a year takes no more memory than an
 * hour, and no turn of the event loop more than a page; a movement is judged once, whatever is booked meanwhile; a report
 * without waiting facts has in its sums whatever had happened when it began.
 */
import type { Reconciliation, ReconciliationDifference } from "../../protocol/mod.js";
import type { AccountBalance, CashMovement, LedgerStore, Period } from "./ports.js";

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

/** Differences told; beyond it something is wrong on the whole, and the sums say how much. */
const MOST_DIFFERENCES = 200;

export interface ReconcileBounds {
  /** Movements of one read. */
  readonly page: number;
  /** Movements without their other side in memory before the other side is asked for them by name. */
  readonly open: number;
}

const DEFAULT_BOUNDS: ReconcileBounds = { page: 500, open: 5_000 };

const LEAST_SLICE_MS = 600_000;
const MOST_SLICES = 4_000;

interface Sums {
  oursMinor: number;
  theirsMinor: number;
}

/** What the provider has is positive when it is a capture. */
const signed = ({ kind, amountMinor }: ProviderSideMovement): number =>
  kind === "capture" ? amountMinor : -amountMinor;

export interface ReconcileDeps {
  readonly store: Pick<LedgerStore, "pending" | "backlog" | "cash" | "cashOf" | "balances">;
  readonly provider: ProviderSide;
  readonly now: number;
  /** What happened more recently may still be on its way from one side to the other: no difference yet. */
  readonly graceMs: number;
  readonly bounds?: ReconcileBounds;
}

/** Rejects when the store, or the provider, does not answer. */
export async function reconcile(deps: ReconcileDeps, period: Period): Promise<Reconciliation> {
  const { store, provider, now, graceMs, bounds = DEFAULT_BOUNDS } = deps;
  const here = new Map<string, CashMovement>();
  const there = new Map<string, ProviderSideMovement>();
  /** Judged already, by name: their own side's page is still to come. */
  const early = new Set<string>();
  const sums = new Map<string, Sums>();
  const differences: ReconciliationDifference[] = [];
  let inTransit = 0;
  let matched = 0;
  /** Whatever is ours before this has been read. */
  let readBefore = period.from;
  let lastOfOurs: { readonly at: number; readonly key: string } | null = null;
  let lastNumber = 0;
  let openLimit = bounds.open;

  function sumsOf(currency: string): Sums {
    let found = sums.get(currency);
    if (found === undefined) {
      found = { oursMinor: 0, theirsMinor: 0 };
      sums.set(currency, found);
    }
    return found;
  }

  function judge(our: CashMovement | undefined, their: ProviderSideMovement | undefined): void {
    const oursMinor = our?.amountMinor ?? 0;
    const theirsMinor = their === undefined ? 0 : signed(their);
    const sameCurrency = our === undefined || their === undefined || our.currency === their.currency;
    if (our !== undefined && their !== undefined && oursMinor === theirsMinor && sameCurrency) {
      matched++;
      return;
    }
    // Of what was free the provider may keep a movement of nothing; no account of ours moved.
    if (oursMinor === 0 && theirsMinor === 0) return;
    const at = Math.max(our?.at ?? 0, their?.at ?? 0);
    if ((our === undefined || their === undefined) && now - at < graceMs) {
      inTransit++;
      return;
    }
    if (differences.length >= MOST_DIFFERENCES) return;
    const { key, orderId, kind, currency } = (our ?? their)!;
    const problem = our === undefined ? "missing_here" : their === undefined ? "missing_there" : "amount";
    differences.push({ key, orderId, kind, currency, at, problem, oursMinor, theirsMinor });
  }

  function isOurs(movement: CashMovement): void {
    sumsOf(movement.currency).oursMinor += movement.amountMinor;
    if (early.delete(movement.key)) return;
    const their = there.get(movement.key);
    if (their === undefined) here.set(movement.key, movement);
    else if (there.delete(movement.key)) judge(movement, their);
  }

  function isTheirs(movement: ProviderSideMovement): void {
    sumsOf(movement.currency).theirsMinor += signed(movement);
    if (early.delete(movement.key)) return;
    const our = here.get(movement.key);
    if (our === undefined) there.set(movement.key, movement);
    else if (here.delete(movement.key)) judge(our, movement);
  }

  async function readOurs(before: number): Promise<void> {
    const to = Math.min(period.to, before);
    if (to <= readBefore) return;
    for (;;) {
      const page: readonly CashMovement[] = await store.cash({ from: period.from, to }, lastOfOurs, bounds.page);
      for (const movement of page) isOurs(movement);
      const last = page.at(-1);
      if (last !== undefined) lastOfOurs = { at: last.at, key: last.key };
      if (page.length < bounds.page) break;
    }
    readBefore = to;
  }

  /** Asks each side by name for what only the other has. What it does not have either stays, unless this is the end. */
  async function settle(isEnd: boolean): Promise<void> {
    for (const keys of pagesOf([...there.keys()], bounds.page)) {
      const found = new Map((await store.cashOf(keys)).map((movement) => [movement.key, movement]));
      for (const key of keys) {
        const our = found.get(key);
        if (our === undefined && !isEnd) continue;
        judge(our, there.get(key));
        there.delete(key);
        if (our === undefined || our.at < period.from || our.at >= period.to) continue;
        // Booked after its page was read; or its page comes.
        if (our.at < readBefore) sumsOf(our.currency).oursMinor += our.amountMinor;
        else early.add(key);
      }
    }
    for (const keys of pagesOf([...here.keys()], bounds.page)) {
      const found = new Map((await provider.movementsOf(keys)).map((movement) => [movement.key, movement]));
      for (const key of keys) {
        const their = found.get(key);
        if (their === undefined && !isEnd) continue;
        judge(here.get(key), their);
        here.delete(key);
        const isToCome = their !== undefined && their.number > lastNumber && their.at >= period.from;
        if (isToCome && their.at < period.to) early.add(key);
      }
    }
    openLimit = Math.max(bounds.open, 2 * (there.size + here.size));
  }

  // In the order money takes: held, moved, a fact that waits, booked. Whatever a later read lacks, an earlier one has
  // counted as still to come; the other way round, a report could say that nothing waits beside old sums. So of ours, only
  // what is older than any fact that waits is read beside theirs.
  const held = await provider.held();
  const [oldest] = await store.pending(1);
  const bookedBefore = Math.min(oldest?.at ?? now, now) - graceMs;
  for (;;) {
    const page = await provider.movements(period, lastNumber, bounds.page);
    for (const movement of page) isTheirs(movement);
    const last = page.at(-1);
    if (last === undefined || page.length < bounds.page) break;
    if (last.number <= lastNumber) throw new Error("The provider's books do not go on after a page");
    lastNumber = last.number;
    await readOurs(Math.min(last.at, bookedBefore));
    if (there.size + here.size > openLimit) await settle(false);
  }
  lastNumber = Number.POSITIVE_INFINITY;
  const backlog = await store.backlog();
  await readOurs(period.to);
  const balances = await balancesOf(store, period);
  await settle(true);

  const currencies = [...new Set([...sums.keys(), ...balances.map(({ currency }) => currency)])].sort();
  return {
    from: period.from,
    to: period.to,
    matched,
    inTransit,
    differences: differences.sort((a, b) => a.at - b.at),
    waitingFacts: backlog.waiting,
    refusedFacts: backlog.refused,
    currencies: currencies.map((currency) => {
      const ofCurrency = balances.filter((balance) => balance.currency === currency);
      const holds = held.find((each) => each.currency === currency);
      return {
        currency,
        ...sumsOf(currency),
        heldMinor: holds?.amountMinor ?? 0,
        heldCount: holds?.count ?? 0,
        /** Of every account: zero, or the books are wrong. */
        sumMinor: ofCurrency.reduce((all, { amountMinor }) => all + amountMinor, 0),
        accounts: ofCurrency.map(({ account, amountMinor }) => ({ account, amountMinor })),
      };
    }),
    agrees: differences.length === 0 && backlog.refused === 0,
  };
}

/** Slice by slice: a booking is of one instant, and no statement adds up more than a part of an hour. */
async function balancesOf(store: Pick<LedgerStore, "balances">, { from, to }: Period): Promise<AccountBalance[]> {
  const sliceMs = Math.max(LEAST_SLICE_MS, Math.ceil((to - from) / MOST_SLICES));
  const sums = new Map<string, AccountBalance>();
  for (let start = from; start < to; start += sliceMs) {
    for (const { account, currency, amountMinor } of await store.balances({
      from: start,
      to: Math.min(to, start + sliceMs),
    })) {
      const name = `${account} ${currency}`;
      sums.set(name, { account, currency, amountMinor: amountMinor + (sums.get(name)?.amountMinor ?? 0) });
    }
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, balance]) => balance);
}

function* pagesOf(keys: readonly string[], size: number): Generator<readonly string[]> {
  for (let from = 0; from < keys.length; from += size) yield keys.slice(from, from + size);
}
