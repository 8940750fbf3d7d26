import t from "tap";
import { type MenuView, menuRefusal } from "../../../protocol/mod.js";
import { createCity, customer, must } from "../fixtures/city.js";
import { Order } from "../mod.js";
import { isPlaced } from "./state.js";
import { orderView } from "./view.js";

t.test(
  "R-ORD-1: who orders at an old price is told the new one in the same words, by the door or by the actor",
  async (t) => {
    const city = createCity();
    const options = [
      { groupId: "size", name: "Size", min: 1, max: 1, choices: [{ choiceId: "big", name: "Big", priceMinor: 200 }] },
    ];
    await city.openRestaurant("r", {
      items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, stock: 5, options }],
    });
    const line = {
      itemId: "arepa",
      quantity: 1,
      unitPriceMinor: 900,
      options: [{ groupId: "size", choiceId: "big", priceMinor: 200 }],
    };
    // What the door sends when its menu is some moments old.
    const old = city.placement({ lines: [line] });
    const menuNow = async (): Promise<MenuView> => {
      const [row] = await city.kit.store.inner.queryIndex({ kind: "restaurant", keys: ["r"], limit: 1 });
      return row!.view as unknown as MenuView;
    };
    const byActor = async (orderId: string) => {
      await must(city.kit.ask(Order, orderId, "place", old, { caller: customer("c") }));
      await city.reach(orderId, "rejected");
      const state = await city.state(orderId);
      return isPlaced(state) ? orderView(orderId, state) : null;
    };
    const changes = [
      { what: "price_changed", does: () => city.cook("r", "setItem", { itemId: "arepa", priceMinor: 990 }) },
      {
        what: "price_changed",
        does: () => city.cook("r", "setChoice", { itemId: "arepa", groupId: "size", choiceId: "big", priceMinor: 250 }),
      },
      { what: "item_unavailable", does: () => city.cook("r", "setItem", { itemId: "arepa", available: false }) },
      { what: "restaurant_closed", does: () => city.cook("r", "setOpen", { open: false }) },
    ];
    for (const [number, { what, does }] of changes.entries()) {
      await must<unknown>(does());
      const served = { at: city.kit.now, ahead: false };
      const byDoor = menuRefusal(await menuNow(), { ...old, lines: [line] }, served);
      t.equal(byDoor?.code, what);
      const view = await byActor(`o${number}`);
      t.strictSame(view?.refusal, byDoor, `${what}, whoever says so`);
      t.equal(view?.reason, what);
    }
    const asked = menuRefusal(await menuNow(), { ...old, lines: [line] });
    t.ok(asked);
    await must(city.cook("r", "setOpen", { open: true }));
    await must(city.cook("r", "setItem", { itemId: "arepa", available: true }));
    const told = (await byActor("told"))?.refusal?.detail as { items: (typeof line)[] };
    const again = city.placement({
      lines: told.items.map(({ itemId, unitPriceMinor, options }) => ({ ...line, itemId, unitPriceMinor, options })),
    });
    await must(city.kit.ask(Order, "again", "place", again, { caller: customer("c") }));
    await city.reach("again", "confirmed");
    t.pass("an order at the prices of the refusal is taken");
    await city.kit.close();
  },
);
