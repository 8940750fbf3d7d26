import t from "tap";
import { isTerminal, NEXT_STATUS, type OrderStatus } from "../../../protocol/mod.js";
import type { Caller } from "../../runtime/definition.js";
import { type City, codeOf, createCity, customer, illegalMove, must, restaurant, support } from "../fixtures/city.js";
import { Order } from "../mod.js";
import { assertLegal } from "./save.js";

const STAGES = ["placed", "confirmed", "accepted", "preparing", "assigned", "ready", "picked_up", "delivered"] as const;
type Stage = (typeof STAGES)[number];

/** What each command answers at each stage; everything else is `illegal_transition`. */
const TABLE: Record<
  string,
  { readonly caller: Caller; readonly legal: readonly Stage[]; readonly same?: readonly Stage[] }
> = {
  accept: { caller: restaurant("r"), legal: ["confirmed"] },
  rejectByRestaurant: { caller: restaurant("r"), legal: ["confirmed"] },
  startPreparing: { caller: restaurant("r"), legal: ["accepted"], same: ["preparing", "assigned"] },
  markReady: {
    caller: restaurant("r"),
    legal: ["accepted", "preparing", "assigned"],
    same: ["ready", "picked_up", "delivered"],
  },
};

function send(city: City, command: string, caller: Caller) {
  const input = { orderId: "o", reason: "because" };
  return city.kit.ask(Order, "o", command as "cancel", input, { caller });
}

for (const stage of STAGES) {
  t.test(`R-ORD-3, rule 3: what the restaurant can do to an order that is ${stage}`, async (t) => {
    for (const [command, { caller, legal, same }] of Object.entries(TABLE)) {
      const city = createCity();
      await city.openRestaurant("r");
      await city.bring("o", stage);
      // A placed order moves on by itself: the reservation is let through first, the payment takes longer.
      while ((await city.state("o")).kitchen.status === "reserving") await city.kit.advance(1);
      const before = await city.state("o");
      const expected = legal.includes(stage) || same?.includes(stage) ? "ok" : "illegal_transition";
      t.equal(await codeOf(send(city, command, caller)), expected, command);
      await city.kit.advance(10);
      const after = await city.state("o");
      if (!legal.includes(stage)) t.same(after.kitchen, before.kitchen, `${command} changes nothing`);
      if (legal.includes(stage)) t.ok(after.revision > before.revision, `${command}: the version rises`);
      t.equal(illegalMove(after), null);
      await city.kit.close();
    }
  });
}

const CANCEL: Record<string, { readonly caller: Caller; readonly legal: readonly Stage[] }> = {
  customer: { caller: customer("c"), legal: ["placed", "confirmed", "accepted"] },
  restaurant: { caller: restaurant("r"), legal: ["confirmed", "accepted", "preparing", "assigned", "ready"] },
  support: { caller: support, legal: STAGES.filter((stage) => stage !== "delivered") },
};

for (const stage of STAGES) {
  for (const [side, { caller, legal }] of Object.entries(CANCEL)) {
    t.test(`R-ORD-4, rules 8 and 17: the ${side} cancels an order that is ${stage}`, async (t) => {
      const city = createCity();
      await city.openRestaurant("r", {
        items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, stock: 10 }],
      });
      await city.bring("o", stage);
      const answer = await codeOf(send(city, "cancel", caller));
      if (!legal.includes(stage)) {
        t.equal(answer, "illegal_transition");
        t.not(await city.status("o"), "cancelled");
        await city.kit.close();
        return;
      }
      t.equal(answer, "ok");
      await city.kit.advance(2_000);
      const order = await city.state("o");
      t.equal(await city.status("o"), "cancelled");
      t.equal(illegalMove(order), null);
      t.match(order.closed, { by: caller.role, reason: "because" }, "who and why");
      const shop = await city.stock("r");
      t.equal(shop.left.arepa, stage === "picked_up" ? 8 : 10, "what it reserved is back, unless it left the kitchen");
      t.same(Object.keys(shop.orders), [], "the restaurant was told");
      for (const held of city.bank.book.authorisations().values()) {
        t.ok(held.voided, "nothing stays authorised");
        t.equal(held.capturedMinor, 0);
      }
      const driven = stage === "assigned" || stage === "picked_up";
      if (driven) {
        t.equal((await city.driverState("d")).work.status, "free", "the driver was told and freed");
        t.equal(order.delivery.status, "over", "and has acknowledged it");
        await must(city.place("next"));
        await city.reach("next", "confirmed");
        await must(city.order("next", "accept", { orderId: "next", prepMinutes: 0 }, restaurant("r")));
        await city.goOnline("d");
        await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
        await city.kit.advance(100);
        t.equal((await city.state("next")).delivery.status, "assigned", "and can take the next trip");
      }
      t.equal(await codeOf(send(city, "cancel", caller)), "illegal_transition", "an end is the end");
      t.same(city.kit.logs, []);
      await city.kit.close();
    });
  }
}

t.test("R-ORD-3: the restaurant says no", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "confirmed");
  await must(city.order("o", "rejectByRestaurant", { orderId: "o", reason: "no gas" }, restaurant("r")));
  await city.kit.advance(1_000);
  t.match((await city.state("o")).closed, { status: "rejected", by: "restaurant", reason: "no gas" });
  t.equal((await city.state("o")).payment.status, "voided");
  await city.kit.close();
});

t.test("R-ORD-3: a delivery that fails ends undeliverable, unpaid and with a free driver", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "picked_up");
  await must(city.drive("d", "failDelivery", { orderId: "o", reason: "nobody there" }));
  await city.kit.advance(1_000);
  t.match((await city.state("o")).closed, { status: "undeliverable", by: "driver", reason: "nobody there" });
  t.equal((await city.state("o")).payment.status, "voided");
  t.equal((await city.driverState("d")).work.status, "free");
  await city.kit.close();
});

t.test("rule 3: a history that is not a chain of legal moves is never saved", async (t) => {
  const statuses = Object.keys(NEXT_STATUS) as OrderStatus[];
  for (const from of statuses) {
    for (const to of statuses) {
      const save = () => assertLegal(from, [{ kind: to, by: "system" }], to);
      if (NEXT_STATUS[from].includes(to)) t.doesNotThrow(save, `${from} → ${to}`);
      else t.throws(save, `${from} → ${to}`);
    }
    t.throws(() => assertLegal(from, [], from === "placed" ? "confirmed" : "placed"), `${from}: a silent move`);
    if (isTerminal(from)) t.same(NEXT_STATUS[from], []);
  }
  t.throws(() => assertLegal(null, [{ kind: "confirmed", by: "system" }], "confirmed"), "an order begins as placed");
});

t.test("R-ORD-3: `preparing` comes by itself when the restaurant does not say it", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "accepted");
  await city.kit.advance(city.settings.order.preparingDelayMs + 100);
  t.equal(await city.status("o"), "preparing");
  t.equal((await city.state("o")).timeline.at(-1)?.by, "system");
  await city.kit.close();
});

t.test("R-ORD-3: food that is picked up before the kitchen said ready was ready", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  const { timeline } = await city.state("o");
  t.same(
    timeline.slice(-2).map(({ kind, by }) => [kind, by]),
    [
      ["ready", "driver"],
      ["picked_up", "driver"],
    ],
  );
  t.equal(await codeOf(city.order("o", "markReady", { orderId: "o" }, restaurant("r"))), "ok", "late, and harmless");
  await city.kit.close();
});
