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

const Order = actorRef<{
  forgetPerson: { input: { readonly customerId: string }; reply: { readonly forgotten: true } };
}>("order");
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
