/** The reports by HTTP. */
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { LEDGER_OPERATIONS, OperationHandlers, OperationResult } from "../../protocol/mod.js";
import type { Period } from "./ports.js";
import type { LedgerReports } from "./reports.js";

const DAY_MS = 24 * 3_600_000;
/** The longest period of one report. */
const MOST_MS = 93 * DAY_MS;
const USUAL_LINES = 100;

type Wanted = { readonly from?: number; readonly to?: number };

/** `isRestaurant`: whether there is one by this id, listed or not; rejects when nobody can say. */
export function ledgerOperations(
  reports: LedgerReports,
  clock: Clock,
  isRestaurant: (id: string) => Promise<boolean>,
  log: Log = silentLog,
): OperationHandlers<typeof LEDGER_OPERATIONS> {
  /** Null of `make`: there is nothing to report on. */
  async function answer<R>(
    wanted: Wanted,
    usualMs: number,
    make: (period: Period) => Promise<R | null>,
  ): Promise<OperationResult<R>> {
    const to = wanted.to ?? clock.now() + 1;
    const from = wanted.from ?? Math.max(0, to - usualMs);
    if (from >= to) return { ok: false, code: "invalid", detail: { path: "/from", problem: "is not before `to`" } };
    if (to - from > MOST_MS) {
      return { ok: false, code: "invalid", detail: { path: "/from", problem: "is more than 93 days before `to`" } };
    }
    try {
      const value = await make({ from, to });
      return value === null ? { ok: false, code: "not_found" } : { ok: true, value };
    } catch (error) {
      // Whoever asks can only ask again; whose part it is that does not answer is for whoever runs the node.
      log.warn({ part: "ledger", error: String(error) }, "A report of the books could not be made");
      return { ok: false, code: "unavailable", retryAfterMs: 2_000 };
    }
  }
  return {
    "ledger.earnings": ({ caller, query }) =>
      answer(query, 7 * DAY_MS, (period) => reports.earnings(caller.id, period, query.limit ?? USUAL_LINES)),
    "ledger.statement": ({ caller, query }) =>
      answer(query, 31 * DAY_MS, (period) => reports.statement(caller.id, period, query.limit ?? USUAL_LINES)),
    "ledger.statementOf": ({ params, query }) =>
      answer(query, 31 * DAY_MS, async (period) => {
        const { restaurantId } = params;
        const statement = await reports.statement(restaurantId, period, query.limit ?? USUAL_LINES);
        // The books know those who have sold something: one that has sold nothing yet is told from none at all elsewhere.
        return statement.lines.length > 0 || (await isRestaurant(restaurantId)) ? statement : null;
      }),
    "ledger.reconciliation": ({ query }) => answer(query, DAY_MS, (period) => reports.reconciliation(period)),
  };
}
