/** One dish: how many, and into the order. */
import { useSignal } from "@preact/signals";
import { type ChosenOption, type MenuView, type OptionGroup, portionMinor } from "../../../../sdk/mod.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, Stepper } from "../../../shared/kit/controls.js";
import { FoodPicture } from "../../../shared/kit/food.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say } from "../../../shared/kit/toasts.js";
import { choiceWords, groupRule, isComplete, type MenuItemView, usualChoices } from "../../../shared/menu.js";
import { capital } from "../../../shared/words.js";
import { addLine, cart } from "../store/cart.js";

export function ItemSheet({
  menu,
  item,
  onClose,
}: {
  readonly menu: MenuView;
  readonly item: MenuItemView;
  readonly onClose: () => void;
}) {
  const quantity = useSignal(1);
  const chosen = useSignal<readonly ChosenOption[]>(usualChoices(item));
  const portion = portionMinor({ unitPriceMinor: item.priceMinor, options: chosen.value });
  const elsewhere = cart.value !== null && cart.value.restaurantId !== menu.restaurantId ? cart.value : null;
  const add = (): void => {
    const added = addLine(
      { restaurantId: menu.restaurantId, restaurantName: menu.name, currency: menu.currency },
      {
        itemId: item.itemId,
        name: item.name,
        quantity: quantity.value,
        unitPriceMinor: item.priceMinor,
        options: chosen.value,
        choices: choiceWords(item, chosen.value),
      },
    );
    if (added) say(`${item.name} is in your order`);
    onClose();
  };
  return (
    <Sheet
      title={item.name}
      onClose={onClose}
      foot={
        <div class="row wrap">
          <Stepper
            label={item.name}
            value={quantity.value}
            min={1}
            max={item.left ?? 99}
            onChange={(value) => (quantity.value = value)}
          />
          <span class="grow">
            <Button block size="large" disabled={!isComplete(item, chosen.value)} onClick={add}>
              Add · {formatMoney(portion * quantity.value, menu.currency)}
            </Button>
          </span>
        </div>
      }
    >
      <div class="stack">
        <div class="item-picture">
          <FoodPicture name={item.name} also={item.category ?? ""} image={pictureOf(item.image)} />
        </div>
        {item.description !== undefined && <p dir="auto">{item.description}</p>}
        <Labels item={item} />
        {(item.options ?? []).map((group) => (
          <Group
            key={group.groupId}
            group={group}
            currency={menu.currency}
            chosen={chosen.value}
            choose={(next) => (chosen.value = next)}
          />
        ))}
        {item.prepMinutes !== undefined && <p class="soft">Takes about {item.prepMinutes} minutes to make.</p>}
        {elsewhere !== null && (
          <p class="notice busy">
            Your order from {elsewhere.restaurantName} is not placed yet. Adding this starts a new order here instead.
          </p>
        )}
      </div>
    </Sheet>
  );
}

/** Pictures come from the node itself; a reference to elsewhere is not followed. */
export const pictureOf = (reference: string | undefined): string | undefined =>
  reference?.startsWith("/") === true ? reference : undefined;

function Labels({ item }: { readonly item: MenuItemView }) {
  const words = (text: string): string => capital(text.replaceAll("_", " "));
  const allergens = item.allergens ?? [];
  return (
    <>
      {(item.diets ?? []).length > 0 && (
        <div class="row wrap">
          {item.diets?.map((diet) => (
            <span key={diet} class="chip good">
              {words(diet)}
            </span>
          ))}
        </div>
      )}
      {allergens.length > 0 && (
        <p class="small soft">Contains {allergens.map((name) => name.replaceAll("_", " ")).join(", ")}.</p>
      )}
    </>
  );
}

function Group({
  group,
  currency,
  chosen,
  choose,
}: {
  readonly group: OptionGroup;
  readonly currency: string;
  readonly chosen: readonly ChosenOption[];
  readonly choose: (next: readonly ChosenOption[]) => void;
}) {
  const { groupId, max = 1, min = 0 } = group;
  const single = max === 1 && min === 1;
  const others = chosen.filter((option) => option.groupId !== groupId);
  const mine = chosen.filter((option) => option.groupId === groupId);
  return (
    <fieldset class="group">
      <legend>
        <strong>{group.name}</strong> <span class="small soft">{groupRule(group)}</span>
      </legend>
      {group.choices.map(({ choiceId, name, priceMinor, available }) => {
        const on = mine.some((option) => option.choiceId === choiceId);
        const full = !on && !single && mine.length >= max;
        return (
          <label key={choiceId} class="option">
            <input
              type={single ? "radio" : "checkbox"}
              name={groupId}
              checked={on}
              disabled={available === false || full}
              onChange={() => {
                const option = { groupId, choiceId, priceMinor };
                if (single) choose([...others, option]);
                else
                  choose(
                    on
                      ? chosen.filter((each) => each.groupId !== groupId || each.choiceId !== choiceId)
                      : [...chosen, option],
                  );
              }}
            />
            <span class="grow">
              {name}
              {available === false && <span class="small soft"> sold out</span>}
            </span>
            {priceMinor > 0 && <span class="small soft number">+{formatMoney(priceMinor, currency)}</span>}
          </label>
        );
      })}
    </fieldset>
  );
}
