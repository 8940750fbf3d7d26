/**
 * The support desk: people who assign drivers by hand and call orders off, while everything else goes on by itself. Owns
 * when and for which orders; whatever it is refused, it leaves it at that.
 */
import type { Client } from "../../../sdk/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import { pick, type Random, randomInteger } from "../../../src/lib/random.js";
import { chance } from "../../city/mod.js";

export interface SupportOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly drivers: readonly string[];
  /** How long after an order's placement the desk may still look at it. */
  readonly withinMs: number;
}

const ASSIGN_CHANCE = 0.15;
const CANCEL_CHANCE = 0.05;

export class Support {
  readonly #options: SupportOptions;
  #over = false;

  constructor(options: SupportOptions) {
    this.#options = options;
  }

  /** An order has been placed. */
  placed(orderId: string): void {
    const { client, clock, random, drivers, withinMs } = this.#options;
    const assigns = chance(random, ASSIGN_CHANCE);
    const cancels = chance(random, CANCEL_CHANCE);
    const driverId = pick(random, drivers);
    const afterMs = randomInteger(random, withinMs);
    if (!assigns && !cancels) return;
    clock.after(afterMs, () => {
      if (this.#over) return;
      const asked = assigns
        ? client.command("ops.assign", { orderId, driverId, reason: "the customer called" })
        : client.command("order.cancel", { orderId, reason: "the customer called" });
      asked.catch(() => {});
    });
  }

  stop(): void {
    this.#over = true;
    this.#options.client.close();
  }
}
