/** One dish: what it is called, what it costs, how many are left; put on the menu, changed, taken off. */
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import type { MenuItem, MenuView, OptionGroup } from "../../../../sdk/mod.js";
import { amountOf, decimalText } from "../../../../src/lib/currency.js";
import { asciiDigits } from "../../../../src/lib/written-numbers.js";
import { useAction } from "../../../shared/actions.js";
import { random } from "../../../shared/clock.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, Field, Switch } from "../../../shared/kit/controls.js";
import { TrashIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say, sayFailure } from "../../../shared/kit/toasts.js";
import type { MenuItemView } from "../../../shared/menu.js";
import { server } from "../store/inbox.js";
import { menuChanged } from "./menu-version.js";

/** An id that people who read orders and links can make something of, and that no other dish has. */
function idOf(name: string, menu: MenuView): string {
  const words = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  const taken = new Set(menu.items.map(({ itemId }) => itemId));
  for (let id = words || "dish"; ; id = `${words || "dish"}-${Math.floor(random.next() * 46_656).toString(36)}`) {
    if (!taken.has(id)) return id;
  }
}

interface Draft {
  readonly name: string;
  readonly category: string;
  readonly description: string;
  readonly price: string;
  readonly prepMinutes: string;
  readonly limited: boolean;
  readonly left: string;
}

function wholeNumber(text: string): number | null {
  const typed = asciiDigits(text).trim();
  return /^\d{1,6}$/.test(typed) ? Number(typed) : null;
}

function draftOf(item: MenuItemView | null, currency: string): Draft {
  return {
    name: item?.name ?? "",
    category: item?.category ?? "",
    description: item?.description ?? "",
    price: item === null ? "" : decimalText(item.priceMinor, currency),
    prepMinutes: item?.prepMinutes === undefined ? "" : String(item.prepMinutes),
    limited: item?.stock !== undefined || item?.refill !== undefined,
    left: item?.left === undefined ? "" : String(item.left),
  };
}

/** The dish as it shall be written. What is left of it is told apart: the kitchen's count and the guests' orders meet there. */
function written(item: MenuItemView | null, itemId: string, draft: Draft, priceMinor: number): MenuItem {
  const { left: _, ...rest } = item ?? { itemId, name: "", priceMinor: 0 };
  const {
    stock,
    refill,
    category: _category,
    description: _description,
    prepMinutes: _prep,
    ...kept
  } = rest as MenuItem;
  const [category, description] = [draft.category.trim(), draft.description.trim()];
  const prepMinutes = wholeNumber(draft.prepMinutes);
  const counted = stock ?? (refill === undefined ? (wholeNumber(draft.left) ?? 0) : undefined);
  return {
    ...kept,
    name: draft.name.trim(),
    priceMinor,
    ...(category === "" ? {} : { category }),
    ...(description === "" ? {} : { description }),
    ...(prepMinutes === null ? {} : { prepMinutes }),
    ...(draft.limited && counted !== undefined ? { stock: counted } : {}),
    ...(draft.limited && refill !== undefined ? { refill } : {}),
  };
}

/** Two dishes are the same whatever the order in which they are written. */
const sorted = (item: MenuItem): string => JSON.stringify(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));

export function ItemEditor({
  menu,
  item,
  onClose,
}: {
  readonly menu: MenuView;
  /** Null: a new one. */
  readonly item: MenuItemView | null;
  readonly onClose: () => void;
}) {
  const categories = useId();
  const removes = useSignal(false);
  const before = draftOf(item, menu.currency);
  const draft = useSignal(before);
  const set = (change: Partial<Draft>): void => {
    draft.value = { ...draft.value, ...change };
  };
  const { name, price, prepMinutes, limited, left } = draft.value;
  const typedMinor = amountOf(price, menu.currency);
  const wrongPrice = typedMinor === null;
  const priceMinor = typedMinor ?? 0;
  const count = wholeNumber(left);
  // Plenty is not counted on the menu: an empty field leaves it at that.
  const wrongLeft = limited && (left.trim() === "" ? !before.limited : count === null);
  const minutes = wholeNumber(prepMinutes);
  const wrongMinutes = prepMinutes.trim() !== "" && (minutes === null || minutes > 240);
  const wrong = name.trim() === "" || wrongPrice || wrongLeft || wrongMinutes;
  const saving = useAction(async () => {
    const itemId = item?.itemId ?? idOf(name, menu);
    const next = written(item, itemId, draft.value, priceMinor);
    const { left: _, ...present } = item ?? { itemId, name: "", priceMinor: -1 };
    const rewritten = sorted({ ...present, priceMinor }) !== sorted(next);
    if (rewritten) menuChanged(await server().command("restaurant.put_item", { item: next }));
    const recounted = before.limited && limited && count !== null && left !== before.left;
    if (recounted || (!rewritten && priceMinor !== item?.priceMinor)) {
      const change = { priceMinor, ...(recounted ? { stock: count } : {}) };
      menuChanged(await server().command("restaurant.item", { itemId, ...change }));
    }
    say(item === null ? `${next.name} is on the menu` : `${next.name} is saved`);
    onClose();
  });
  const removing = useAction(async () => {
    if (item === null) return;
    menuChanged(await server().command("restaurant.remove_item", { itemId: item.itemId }));
    say(`${item.name} is off the menu`);
    onClose();
  });
  return (
    <Sheet
      title={item?.name ?? "A new dish"}
      onClose={onClose}
      foot={
        <Button block size="large" busy={saving.busy} disabled={wrong} onClick={() => void saving.run()}>
          {item === null ? "Put it on the menu" : "Save"}
        </Button>
      }
    >
      <div class="stack">
        <Field label="Name" required maxLength={120} value={name} onInput={(value) => set({ name: value })} />
        <div class="two-fields">
          <Field
            label={`Price in ${menu.currency}`}
            inputMode="decimal"
            value={price}
            onInput={(value) => set({ price: value })}
            problem={
              wrongPrice && price !== "" ? `Write an amount, for example ${decimalText(1950, menu.currency)}` : null
            }
          />
          <Field
            label="Minutes to make"
            inputMode="numeric"
            value={prepMinutes}
            onInput={(value) => set({ prepMinutes: value })}
            problem={wrongMinutes ? "Write whole minutes, at most 240" : null}
          />
        </div>
        <Field
          label="Section of the menu"
          maxLength={60}
          list={categories}
          value={draft.value.category}
          onInput={(value) => set({ category: value })}
        />
        <datalist id={categories}>
          {[...new Set(menu.items.flatMap(({ category }) => category ?? []))].map((category) => (
            <option key={category} value={category} />
          ))}
        </datalist>
        <Field
          label="What is in it"
          multiline
          maxLength={500}
          value={draft.value.description}
          onInput={(value) => set({ description: value })}
        />
        <Switch label="Only so many portions" on={limited} onChange={(on) => set({ limited: on })} />
        {limited && (
          <Field
            label="Portions left"
            inputMode="numeric"
            {...(before.limited && before.left === "" ? { hint: "Empty: plenty, as before" } : {})}
            value={left}
            onInput={(value) => set({ left: value })}
            problem={wrongLeft && left !== "" ? "Write a whole number" : null}
          />
        )}
        {(item?.options ?? []).map((group) => (
          <fieldset key={group.groupId} class="choices">
            <legend class="strong">{group.name}</legend>
            {group.choices.map((choice) => (
              <ChoiceSwitch
                key={choice.choiceId}
                itemId={item?.itemId ?? ""}
                groupId={group.groupId}
                choice={choice}
                currency={menu.currency}
              />
            ))}
          </fieldset>
        ))}
        {item !== null &&
          (removes.value ? (
            <div class="notice bad between wrap">
              <span>Off the menu for good? Open orders keep it.</span>
              <span class="row">
                <Button kind="secondary" onClick={() => (removes.value = false)}>
                  Keep it
                </Button>
                <Button kind="danger" busy={removing.busy} onClick={() => void removing.run()}>
                  Take it off
                </Button>
              </span>
            </div>
          ) : (
            <Button kind="plain" onClick={() => (removes.value = true)}>
              <TrashIcon /> Take off the menu
            </Button>
          ))}
      </div>
    </Sheet>
  );
}

/** A size or a topping that has run out, without the dish. */
function ChoiceSwitch({
  itemId,
  groupId,
  choice,
  currency,
}: {
  readonly itemId: string;
  readonly groupId: string;
  readonly choice: OptionGroup["choices"][number];
  readonly currency: string;
}) {
  const wanted = useSignal<boolean | null>(null);
  const { choiceId, name, priceMinor } = choice;
  const setting = useAction(
    async (available: boolean) => {
      wanted.value = available;
      menuChanged(await server().command("restaurant.choice", { itemId, groupId, choiceId, available }));
    },
    (error) => {
      wanted.value = null;
      sayFailure(error);
    },
  );
  return (
    <Switch
      label={
        <>
          {name}
          {priceMinor > 0 && <span class="small soft"> +{formatMoney(priceMinor, currency)}</span>}
        </>
      }
      on={wanted.value ?? choice.available !== false}
      disabled={setting.busy}
      onChange={(next) => void setting.run(next)}
    />
  );
}
