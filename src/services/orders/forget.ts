/** A person's orders, asked to forget them: see the order actor's `forget.ts`. */
import { actorRef } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import { type Random, uuidV7 } from "../../lib/random.js";
import type { ActorClient } from "./ports.js";

/** A customer's orders, newest first, page by page. */
export interface OrderPages {
  orders(
    customerId: string,
    options: { readonly before?: number; readonly limit: number },
  ): Promise<{ readonly orders: readonly { readonly orderId: string }[]; readonly nextBefore?: number }>;
}

type Forgotten = { readonly forgotten: true };
const Order = actorRef<{
  forgetPerson: { input: { readonly customerId: string }; reply: Forgotten };
  forgetDriver: { input: { readonly driverId: string }; reply: Forgotten };
}>("order");
const Driver = actorRef<{ forgetPerson: { input: null; reply: Forgotten } }>("driver");
const PAGE = 50;

/** Gives false while an order of theirs is open. Rejects when an order does not answer. */
export function orderForgetter(deps: {
  readonly client: ActorClient;
  readonly pages: OrderPages;
  readonly clock: Clock;
  readonly random: Random;
}): (customerId: string) => Promise<boolean> {
  const { client, pages, clock, random } = deps;
  return async (customerId) => {
    let isAll = true;
    let before: number | undefined;
    do {
      const page = await pages.orders(customerId, { limit: PAGE, ...(before === undefined ? {} : { before }) });
      const answers = await Promise.all(
        page.orders.map(({ orderId }) =>
          // An id of its own each time: an order that was open may be over by now.
          client.ask(
            Order,
            orderId,
            "forgetPerson",
            { customerId },
            { commandId: uuidV7(clock.now(), random), caller: { id: customerId, role: "accounts" } },
          ),
        ),
      );
      for (const answer of answers) {
        if (answer.ok) continue;
        if (answer.error.code !== "illegal_transition") throw new Error(`an order answered ${answer.error.code}`);
        isAll = false;
      }
      before = page.nextBefore;
    } while (before !== undefined);
    return isAll;
  };
}

/** Which orders a driver has delivered, by the books. */
export interface Deliveries {
  /** Null: not all that was delivered before `now` is booked yet. Rejects when the books do not answer. */
  deliveredBy(driverId: string, now: number): Promise<AsyncIterable<readonly string[]> | null>;
}

/** Gives false while the driver has an order, or the books lag behind. Rejects when somebody does not answer. */
export function driverForgetter(deps: {
  readonly client: Pick<ActorClient, "ask">;
  readonly deliveries: Deliveries;
  readonly clock: Clock;
  readonly random: Random;
}): (driverId: string) => Promise<boolean> {
  const { client, deliveries, clock, random } = deps;
  return async (driverId) => {
    const options = () => ({
      commandId: uuidV7(clock.now(), random),
      caller: { id: driverId, role: "accounts" },
    });
    // First the shift: from here on nobody takes an order under this name.
    const off = await client.ask(Driver, driverId, "forgetPerson", null, options());
    if (!off.ok) {
      if (off.error.code === "driver_busy") return false;
      throw new Error(`a driver answered ${off.error.code}`);
    }
    const pages = await deliveries.deliveredBy(driverId, clock.now());
    if (pages === null) return false;
    for await (const orderIds of pages) {
      for (const orderId of orderIds) {
        const answer = await client.ask(Order, orderId, "forgetDriver", { driverId }, options());
        // An order that is not there any more has forgotten more than this.
        if (answer.ok || answer.error.code === "not_found") continue;
        throw new Error(`an order answered ${answer.error.code}`);
      }
    }
    return true;
  };
}
