/** Threads that hash passwords, so that a gateway never waits for one: a hash costs tens of milliseconds of a core. */
import { Piscina } from "piscina";
import { type Passwords, PasswordsBusy } from "../services/accounts/mod.js";
import type { PasswordTask } from "./password-thread.js";

/** Some three seconds of work; more are told to come back. */
const MOST_WAITING = 64;
const IDLE_MS = 60_000;

export interface PasswordThreads extends Passwords {
  close(): Promise<void>;
}

export function createPasswordPool(threads: number, mostWaiting = MOST_WAITING): PasswordThreads {
  let pool: Piscina<PasswordTask, string | boolean> | null = null;
  let waiting = 0;

  async function run(task: PasswordTask): Promise<string | boolean> {
    if (waiting >= mostWaiting) throw new PasswordsBusy(`more than ${mostWaiting} passwords wait to be hashed`);
    // A node on which nobody signs in has no thread for it.
    pool ??= new Piscina<PasswordTask, string | boolean>({
      filename: new URL("./password-thread.js", import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
      maxQueue: mostWaiting,
      idleTimeout: IDLE_MS,
    });
    waiting++;
    try {
      return await pool.run(task);
    } finally {
      waiting--;
    }
  }

  return {
    hash: async (password) => String(await run({ kind: "hash", password })),
    verify: async (encoded, password) => (await run({ kind: "verify", password, encoded })) === true,
    async close() {
      await pool?.destroy();
    },
  };
}
