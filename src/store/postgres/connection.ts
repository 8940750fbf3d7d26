/**
 * Connections to Postgres: bounded, dressed with the server settings that keep a dead node's transaction from holding
 * locks, replaced when they break. Owns the verdict on what an error says about the work: refused, surely not done, or
 * unknown. Does not own any statement of the store.
 *
 * Invariants: at most `size` connections and `maxWaiting` callers in line; a connection that had any trouble is never
 * used again; a connection is opened when it is needed, so recovery needs nobody to start it.
 */

import { OutcomeUnknown, StoreUnavailable } from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import pg from "./pg.js";

/** How long a call may take before its connection is given up: above the server's own limit of 2 s. */
const ANSWER_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Plans come from statistics, and a young table has none: a scan chosen for ten rows would be kept for ten million.
 * Every statement of the store wants its index, so the alternatives are off.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  ["idle_in_transaction_session_timeout", "1000"],
  ["transaction_timeout", "2000"],
  ["statement_timeout", "2000"],
  ["enable_seqscan", "off"],
  ["enable_hashjoin", "off"],
  ["enable_mergejoin", "off"],
  ["plan_cache_mode", "force_generic_plan"],
  ["bytea_output", "hex"],
  ["jit", "off"],
];

export interface ConnectionsOptions {
  readonly connectionString: string;
  readonly size: number;
  readonly maxWaiting: number;
  /** Told to the server as `application_name`, followed by a number that makes each connection's name its own. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Which server session a call ran in, so that it can be ended when the answer is lost. */
export interface SessionName {
  readonly pid: number;
  readonly name: string;
}

export interface Connections {
  /**
   * Runs one call on a connection of its own. Throws StoreUnavailable when no connection can be had or the server says
   * that nothing was done, OutcomeUnknown when the call was sent and no answer came. Server errors that concern the
   * data itself (`isDataError`, `isLongWay`) pass as they are. `onSession` hears which session is used, before the call.
   */
  run<T>(call: (client: pg.ClientBase) => Promise<T>, onSession?: (session: SessionName) => void): Promise<T>;
  /** Callers in line for a connection. */
  waiting(): number;
  close(): Promise<void>;
}

let instances = 0;

export function openConnections(options: ConnectionsOptions): Connections {
  const { clock, log } = options;
  const instance = `${process.pid}-${++instances}`;
  let opened = 0;
  let waiting = 0;
  let closed = false;
  const names = new WeakMap<pg.ClientBase, string>();

  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.size,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // Idle connections stay: opening one costs milliseconds that a flush does not have.
    idleTimeoutMillis: 0,
    keepAlive: true,
    allowExitOnIdle: false,
    onConnect: async (client) => {
      const name = `${options.name} ${instance}-${++opened}`;
      names.set(client, name);
      await dress(client, name);
    },
  });
  // An idle connection broke. The pool drops it; without a listener the process would end.
  pool.on("error", (error) => log.warn({ error: error.message }, "An idle database connection was lost."));

  return {
    waiting: () => waiting,
    async run(call, onSession) {
      if (closed) throw new StoreUnavailable("The store is closed.");
      if (pool.idleCount === 0 && waiting >= options.maxWaiting) {
        throw new StoreUnavailable(`More than ${options.maxWaiting} calls wait for the database.`);
      }
      waiting++;
      let client: pg.PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        throw new StoreUnavailable(`The database cannot be reached: ${messageOf(error)}`, { cause: error });
      } finally {
        waiting--;
      }
      // While a call runs its own promise reports the loss; the event needs a listener all the same.
      const onError = (): void => {};
      client.on("error", onError);
      onSession?.({ pid: (client as unknown as { processID: number }).processID, name: names.get(client)! });
      let failure: Error | undefined;
      try {
        return await withTimeout(clock, call(client));
      } catch (error) {
        failure = classify(error);
        throw failure;
      } finally {
        client.off("error", onError);
        // After a clean refusal by the server the session is as good as before.
        client.release(failure instanceof OutcomeUnknown ? failure : undefined);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await pool.end();
    },
  };
}

/** One round trip; settings that this server does not know are passed over. */
async function dress(client: pg.ClientBase, name: string): Promise<void> {
  await client.query(
    `SELECT set_config(s.name, w.value, false)
       FROM unnest($1::text[], $2::text[]) w(name, value) JOIN pg_settings s ON s.name = w.name`,
    [
      ["application_name", ...SETTINGS.map(([setting]) => setting)],
      [name, ...SETTINGS.map(([, value]) => value)],
    ],
  );
}

async function withTimeout<T>(clock: Clock, work: Promise<T>): Promise<T> {
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ANSWER_TIMEOUT_MS, () =>
      reject(new OutcomeUnknown(`The database gave no answer within ${ANSWER_TIMEOUT_MS} ms.`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel?.();
    // When the clock won, the call's own rejection comes later and is nobody's concern.
    work.catch(() => {});
  }
}

/**
 * What an error means for the work. A server error of severity ERROR rolled the transaction back; FATAL and PANIC may
 * come after the commit (a session ended while it waits for a replica), and a broken connection says nothing at all.
 */
export function classify(error: unknown): Error {
  if (error instanceof OutcomeUnknown || error instanceof StoreUnavailable) return error;
  if (error instanceof pg.DatabaseError && error.severity === "ERROR") {
    if (isDataError(error) || isConflict(error) || isLongWay(error)) return error;
    return new StoreUnavailable(`The database refuses: ${error.message} (${error.code})`, { cause: error });
  }
  return new OutcomeUnknown(`The connection to the database was lost: ${messageOf(error)}`, { cause: error });
}

/** Data exceptions, constraint violations and limits: the same rows will fail again. */
export function isDataError(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|54)/.test(error.code ?? "");
}

/** Serialization failure or deadlock: nothing was done, and at once is a good time to try again. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === "40001" || error.code === "40P01");
}

/** The short way of a flush met something that only the long one judges: nothing was done. */
export function isLongWay(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "SE003";
}

/** A connection that fails on every address of a host rejects with an AggregateError, whose own message is empty. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message || (error as { code?: string }).code || error.name : String(error);
}
