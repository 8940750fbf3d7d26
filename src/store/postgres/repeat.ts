/**
 * Statements that are repeated when they failed in passing: a conflict with another transaction, or a connection that
 * broke before its answer came. Invariant: whoever calls hears `StoreUnavailable` for what may go well later, and any
 * other error as it is.
 */

import { OutcomeUnknown, StoreUnavailable } from "../../actors/runtime/ports.js";
import { type Connections, isConflict } from "./connection.js";
import type pg from "./pg.js";

const MAX_RETRIES = 2;

/**
 * Runs `call` on a connection. `again`: doing it twice does no harm, so a lost answer is asked for again; a conflict
 * always is. Throws `StoreUnavailable` when repeating does not help.
 */
export async function repeating<T>(
  connections: Connections,
  call: (client: pg.ClientBase) => Promise<T>,
  again = true,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connections.run(call);
    } catch (error) {
      const isUnknown = error instanceof OutcomeUnknown;
      const passing = isConflict(error) || (again && isUnknown && error.cause !== undefined);
      if (passing && attempt <= MAX_RETRIES) continue;
      if (passing || isUnknown) throw new StoreUnavailable((error as Error).message, { cause: error });
      throw error;
    }
  }
}
