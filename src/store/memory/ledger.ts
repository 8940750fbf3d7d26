/** The books in memory, fed by the flushes of the store beside it, under the database's own rules. */
import type { ActorAddress, PublishedEvent } from "../../actors/runtime/ports.js";
import { MONEY_EVENTS } from "../../protocol/mod.js";
import {
  type Booking,
  BookingRefused,
  type CashMovement,
  type Entry,
  type LedgerStore,
  type PartySum,
  type PendingFact,
  type Period,
} from "../../services/ledger/ports.js";
import { compareText } from "./tables.js";

/** Of one store: numbers are given in the order of commits. */
export function noteFact(facts: Map<number, PendingFact>, { kind, key }: ActorAddress, event: PublishedEvent): void {
  if (kind !== "order" || !(MONEY_EVENTS as readonly string[]).includes(event.type)) return;
  const id = (numbers.get(facts) ?? 0) + 1;
  numbers.set(facts, id);
  facts.set(id, { id, key, offset: event.offset, at: event.at, body: event.body.slice() });
}

/** The highest number ever given, also when its fact is gone. */
const numbers = new WeakMap<Map<number, PendingFact>, number>();

export function ledgerOf(facts: Map<number, PendingFact>): LedgerStore {
  const books = new Map<string, Booking>();
  let refusedFacts = 0;
  const within = ({ from, to }: Period, at: number): boolean => at >= from && at < to;
  const lines = () => [...books.values()].flatMap((booking) => booking.entries.map((entry) => ({ ...entry, booking })));
  const cash = (): CashMovement[] =>
    lines()
      .filter(({ account }) => account === "provider_clearing")
      .map(({ booking, amountMinor }) => ({
        key: booking.key,
        orderId: booking.orderId,
        kind: booking.kind as CashMovement["kind"],
        currency: booking.currency,
        amountMinor,
        at: booking.at,
      }));

  return {
    pending: async (limit) => [...facts.values()].slice(0, Math.max(0, limit)).map((fact) => ({ ...fact })),
    async book(bookings, done, refused) {
      for (const { key, entries } of bookings) {
        const sum = entries.reduce((total, { amountMinor }) => total + amountMinor, 0);
        const movesNothing = ({ account, amountMinor }: Entry): boolean =>
          amountMinor === 0 && account !== "driver_payable";
        const isEmpty = entries.length === 0 || entries.some(movesNothing);
        if (sum !== 0 || isEmpty) throw new BookingRefused(`ledger transaction ${key} does not sum to zero`);
      }
      let booked = 0;
      for (const booking of bookings) {
        if (books.has(booking.key)) continue;
        books.set(booking.key, booking);
        booked++;
      }
      for (const { id } of refused) if (facts.delete(id)) refusedFacts++;
      for (const id of done) facts.delete(id);
      return booked;
    },
    backlog: async () => ({ waiting: facts.size, refused: refusedFacts }),
    movements: async (accounts, party, period, limit) =>
      lines()
        .filter((line) => accounts.includes(line.account) && line.party === party && within(period, line.booking.at))
        .map(({ booking, account, item, amountMinor }) => ({
          orderId: booking.orderId,
          at: booking.at,
          kind: booking.kind,
          currency: booking.currency,
          note: booking.note,
          account,
          item,
          amountMinor,
        }))
        .sort((a, b) => b.at - a.at)
        .slice(0, limit),
    async sums(accounts, party, period) {
      const sums = new Map<string, PartySum>();
      for (const { booking, account, item, amountMinor, party: whose } of lines()) {
        if (!accounts.includes(account) || whose !== party || !within(period, booking.at)) continue;
        const { currency } = booking;
        const name = `${currency} ${account} ${item}`;
        const before = sums.get(name) ?? { currency, account, item, amountMinor: 0, count: 0 };
        sums.set(name, { ...before, amountMinor: before.amountMinor + amountMinor, count: before.count + 1 });
      }
      return [...sums].sort(([a], [b]) => compareText(a, b)).map(([, sum]) => sum);
    },
    cash: async (period, after, limit) =>
      cash()
        .filter(({ at }) => within(period, at))
        .sort((a, b) => a.at - b.at || compareText(a.key, b.key))
        .filter(
          ({ at, key }) => after === null || at > after.at || (at === after.at && compareText(key, after.key) > 0),
        )
        .slice(0, limit),
    cashOf: async (keys) =>
      cash()
        .filter(({ key }) => keys.includes(key))
        .sort((a, b) => compareText(a.key, b.key)),
    async balances(period) {
      const sums = new Map<string, number>();
      for (const { booking, account, amountMinor } of lines()) {
        if (!within(period, booking.at)) continue;
        const name = `${account} ${booking.currency}`;
        sums.set(name, (sums.get(name) ?? 0) + amountMinor);
      }
      return [...sums]
        .sort(([a], [b]) => compareText(a, b))
        .map(([name, amountMinor]) => {
          const [account, currency] = name.split(" ") as [Booking["entries"][number]["account"], string];
          return { account, currency, amountMinor };
        });
    },
  };
}
