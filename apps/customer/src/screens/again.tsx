/** The same as last time: the dishes of an order that is over, at what they cost today. */
import type { OrderView } from "../../../../sdk/mod.js";
import { useAction } from "../../../shared/actions.js";
import { Button } from "../../../shared/kit/controls.js";
import { BagIcon } from "../../../shared/kit/icons.js";
import { say } from "../../../shared/kit/toasts.js";
import { canBeOrdered, choiceWords, isComplete } from "../../../shared/menu.js";
import { go } from "../../../shared/router.js";
import { type CartLine, startCart } from "../store/cart.js";
import { open } from "../store/server.js";

export function OrderAgain({ view }: { readonly view: OrderView }) {
  const filling = useAction(async () => {
    const menu = await open.menu(view.restaurant.id);
    const lines = view.lines.flatMap(({ itemId, quantity, options: before }): CartLine[] => {
      const item = menu.items.find((each) => each.itemId === itemId);
      if (item === undefined || !canBeOrdered(item)) return [];
      const options = (item.options ?? []).flatMap(({ groupId, choices }) =>
        choices
          .filter(({ available }) => available !== false)
          .filter(({ choiceId }) => before?.some((one) => one.groupId === groupId && one.choiceId === choiceId))
          .map(({ choiceId, priceMinor }) => ({ groupId, choiceId, priceMinor })),
      );
      if (!isComplete(item, options)) return [];
      const choices = choiceWords(item, options);
      return [{ itemId, name: item.name, quantity, unitPriceMinor: item.priceMinor, options, choices }];
    });
    if (lines.length === 0) {
      say("None of it can be ordered today", "bad");
      go(`restaurant/${view.restaurant.id}`);
      return;
    }
    startCart({ restaurantId: menu.restaurantId, restaurantName: menu.name, currency: menu.currency }, lines);
    if (lines.length < view.lines.length) say("Some of it is not there today");
    go("cart");
  });
  return (
    <Button kind="secondary" block busy={filling.busy} onClick={() => void filling.run()}>
      <BagIcon /> Order this again
    </Button>
  );
}
