/**
 * The bookkeeper: takes facts of money from where their orders' commits left them into the books. Every node has one; the
 * store lets one book at a time.
 *
 * Invariants: a fact leaves the inbox in the very transaction that books it, so whatever ends a bookkeeper, nothing is lost
 * and nothing is booked twice; a fact that cannot be booked is put aside with its reason and holds nobody up; at most
 * `batch` facts are in memory.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { decode } from "../../lib/msgpack.js";
import { MONEY_FIELD, type MoneyFact } from "../../protocol/mod.js";
import { bookingOf, FactRefused } from "./bookings.js";
import { type Booking, BookingRefused, type LedgerStore, type PendingFact } from "./ports.js";

export interface BookkeeperSettings {
  /** How often an idle one looks. */
  readonly everyMs: number;
  /** Facts of one transaction. */
  readonly batch: number;
}

export const DEFAULT_BOOKKEEPER_SETTINGS: BookkeeperSettings = { everyMs: 500, batch: 200 };

export interface Bookkeeper {
  /** Books what waits now. Resolves with how many facts were taken; rejects when the store does not answer. */
  work(): Promise<number>;
  stats(): { readonly booked: number; readonly refused: number; readonly failures: number };
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

export function createBookkeeper(deps: {
  readonly store: Pick<LedgerStore, "pending" | "book">;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<BookkeeperSettings>;
}): Bookkeeper {
  const { store, clock } = deps;
  const log = deps.log.child({ part: "ledger" });
  const settings = { ...DEFAULT_BOOKKEEPER_SETTINGS, ...deps.settings };
  let booked = 0;
  let refused = 0;
  let failures = 0;
  let stopped = false;
  let turn: Promise<void> = Promise.resolve();
  let busy = false;

  async function once(): Promise<number | null> {
    const facts = await store.pending(settings.batch);
    if (facts.length === 0) return 0;
    try {
      return (await book(facts)) ? facts.length : null;
    } catch (error) {
      if (!(error instanceof BookingRefused)) throw error;
      // One of them breaks the books' own rules: by itself it holds up nobody else.
      for (const fact of facts) if (!(await bookAlone(fact))) return null;
      return facts.length;
    }
  }

  /** False: another node is at it. */
  async function book(facts: readonly PendingFact[]): Promise<boolean> {
    const bookings: Booking[] = [];
    const done: number[] = [];
    const aside: Aside[] = [];
    for (const fact of facts) {
      try {
        const booking = read(fact);
        if (booking !== null) bookings.push(booking);
        done.push(fact.id);
      } catch (error) {
        if (!(error instanceof FactRefused)) throw error;
        aside.push({ fact, reason: error.message });
      }
    }
    return write(bookings, done, aside);
  }

  async function bookAlone(fact: PendingFact): Promise<boolean> {
    try {
      return await book([fact]);
    } catch (error) {
      if (!(error instanceof BookingRefused)) throw error;
      return write([], [], [{ fact, reason: error.message }]);
    }
  }

  async function write(bookings: readonly Booking[], done: readonly number[], aside: readonly Aside[]) {
    const fresh = await store.book(
      bookings,
      done,
      aside.map(({ fact: { id }, reason }) => ({ id, reason })),
    );
    if (fresh === null) return false;
    booked += fresh;
    refused += aside.length;
    for (const { fact, reason } of aside)
      log.error({ order: fact.key, offset: fact.offset, reason }, "A fact of money cannot be booked");
    return true;
  }

  async function work(): Promise<number> {
    let taken = 0;
    while (!stopped) {
      const facts = await once();
      // Nothing is left, or another node is at it.
      if (facts === null || facts === 0) break;
      taken += facts;
    }
    return taken;
  }

  const cancel: Cancel = clock.every(settings.everyMs, () => {
    if (busy || stopped) return;
    busy = true;
    turn = work()
      .then(
        () => {
          failures = 0;
        },
        (error: unknown) => {
          if (failures++ === 0) log.warn({ error: String(error) }, "Money cannot be booked; what happened waits");
        },
      )
      .finally(() => {
        busy = false;
      });
  });

  return {
    work,
    stats: () => ({ booked, refused, failures }),
    async stop() {
      stopped = true;
      cancel();
      await turn;
    },
  };
}

interface Aside {
  readonly fact: PendingFact;
  readonly reason: string;
}

/** Null: the event carries no fact, because an older version wrote it, or it moves nothing: of what was free. */
function read({ body, at, key }: PendingFact): Booking | null {
  let event: Readonly<Record<string, unknown>>;
  try {
    event = decode(body);
  } catch {
    throw new FactRefused("the event cannot be read");
  }
  const fact = event?.[MONEY_FIELD] as MoneyFact | undefined;
  if (fact === undefined) return null;
  if (fact.orderId !== key) throw new FactRefused("the fact is about another order");
  try {
    const booking = bookingOf(fact, at);
    return booking.entries.length === 0 ? null : booking;
  } catch (error) {
    throw error instanceof FactRefused ? error : new FactRefused(`the fact is not whole: ${String(error)}`);
  }
}
