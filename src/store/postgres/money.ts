/**
 * Money on PostgreSQL: the ledger, promotions and saved methods, over a few connections of their own, so that reports
 * never stand in the way of flushes. Owns the connections and what a failure means; the statements are beside it.
 */

import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { LedgerStore } from "../../services/ledger/ports.js";
import type { MethodStore } from "../../services/payments/ports.js";
import type { PromotionStore } from "../../services/promotions/ports.js";
import { openConnections } from "./connection.js";
import { postgresLedger } from "./ledger.js";
import { postgresMethods } from "./payment-methods.js";
import type pg from "./pg.js";
import { postgresPromotions } from "./promotions.js";
import { ask } from "./reads.js";
import { repeating } from "./repeat.js";

export interface PostgresMoney {
  readonly ledger: LedgerStore;
  readonly promotions: PromotionStore;
  readonly methods: MethodStore;
  close(): Promise<void>;
}

/** Runs a prepared statement and returns its rows. All of them may be repeated. */
export type Ask = <R extends pg.QueryResultRow>(name: string, sql: string, values: unknown[]) => Promise<R[]>;

const MAX_WAITING = 1_024;

/** The schema must be up to date (`migrate`). Connects when first used. */
export function createPostgresMoney(options: {
  readonly connectionString: string;
  readonly connections?: number;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresMoney {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: options.connections ?? 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats money",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "money" }),
  });

  const run: Ask = (name, sql, values) => repeating(connections, (client) => ask(client, name, sql, values));

  return {
    ledger: postgresLedger(run),
    promotions: postgresPromotions(run),
    methods: postgresMethods(run),
    close: () => connections.close(),
  };
}
