/**
 * The support desk: people who assign drivers by hand, call orders off and give money back, while everything else goes on
 * by itself. Owns when and for which orders; whatever it is refused, it leaves it at that.
 */
import { type Client, SwiftEatsError } from "../../../sdk/mod.js";
import { type Clock, sleep } from "../../../src/lib/clock.js";
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
const REFUND_CHANCE = 0.25;
/** Who complained once may complain again. */
const SECOND_REFUND_CHANCE = 0.4;
const MOST_REFUND_MINOR = 2_000;
/** Money is given back only once it has come: the desk looks again so often, and so many times. */
const LOOK_AGAIN_MS = 5_000;
const MOST_LOOKS = 60;
/** An order in one of these never comes to a capture. */
const UNPAID: ReadonlySet<unknown> = new Set(["cancelled", "rejected", "undeliverable"]);

export class Support {
  readonly #options: SupportOptions;
  #over = false;
  #refunding = 0;

  constructor(options: SupportOptions) {
    this.#options = options;
  }

  /** Refunds that the desk still wants to give. */
  get refunding(): number {
    return this.#refunding;
  }

  /** An order has been placed. */
  placed(orderId: string): void {
    const { client, clock, random, drivers, withinMs } = this.#options;
    const assigns = chance(random, ASSIGN_CHANCE);
    const cancels = chance(random, CANCEL_CHANCE);
    const driverId = pick(random, drivers);
    const afterMs = randomInteger(random, withinMs);
    if (chance(random, REFUND_CHANCE)) {
      this.#refunding++;
      void this.#refund(orderId).finally(() => this.#refunding--);
    }
    if (!assigns && !cancels) return;
    clock.after(afterMs, () => {
      if (this.#over) return;
      const asked = assigns
        ? client.command("ops.assign", { orderId, driverId, reason: "the customer called" })
        : client.command("order.cancel", { orderId, reason: "the customer called" });
      asked.catch(() => {});
    });
  }

  async #refund(orderId: string): Promise<void> {
    const { client, clock, random } = this.#options;
    const bearer = pick(random, ["platform", "restaurant"] as const);
    let amountMinor = 1 + randomInteger(random, MOST_REFUND_MINOR);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      await sleep(clock, LOOK_AGAIN_MS);
      if (this.#over) return;
      try {
        await client.command("ops.refund", { orderId, amountMinor, reason: "something was missing", bearer });
        if (!chance(random, SECOND_REFUND_CHANCE)) return;
      } catch (error) {
        if (!(error instanceof SwiftEatsError)) return;
        const { leftMinor, status } = error.detail ?? {};
        if (error.code === "refund_too_large" && typeof leftMinor === "number" && leftMinor > 0)
          amountMinor = leftMinor;
        else if (error.code !== "illegal_transition" || UNPAID.has(status)) return;
      }
    }
  }

  stop(): void {
    this.#over = true;
    this.#options.client.close();
  }
}
