/** The menu as the kitchen sees it: what has sold out, what it costs, how many are left. */
import { signal, useSignal } from "@preact/signals";
import type { MenuView, OptionGroup } from "../../../../sdk/mod.js";
import { sleep } from "../../../../src/lib/clock.js";
import { account } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { clock } from "../../../shared/clock.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, Field, Switch } from "../../../shared/kit/controls.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { Bones, Failure } from "../../../shared/kit/states.js";
import { say, sayFailure } from "../../../shared/kit/toasts.js";
import { type MenuItemView, sectionsOf } from "../../../shared/menu.js";
import { useReading } from "../../../shared/reading.js";
import { server } from "../store/inbox.js";

/** The version of the menu that this tablet has made: nothing older is shown any more. */
const madeVersion = signal(0);

/** What a change answers. */
export function menuChanged({ menuVersion }: { readonly menuVersion: number }): void {
  madeVersion.value = Math.max(madeVersion.peek(), menuVersion);
}

/** A node may answer from a copy that is a second old, another node from one that is older. */
const AGAIN_MS = 200;
const MOST_TRIES = 50;

async function readMenu(id: string, atLeast: number, stop: AbortSignal): Promise<MenuView> {
  for (let tries = 1; ; tries++) {
    const menu = await server().http.menu(id, stop);
    if (menu.menuVersion >= atLeast || tries === MOST_TRIES || stop.aborted) return menu;
    await sleep(clock, AGAIN_MS);
  }
}

export function useMenu() {
  const id = account.value!.id;
  const version = madeVersion.value;
  return useReading((stop) => readMenu(id, version, stop), [id, version]);
}

export function MenuPage() {
  const { reading, again } = useMenu();
  const editing = useSignal<MenuItemView | null>(null);
  if (reading.name === "failed") return <Failure error={reading.error} again={again} />;
  if (reading.name === "loading") return <Bones count={6} height={64} />;
  const menu = reading.value;
  return (
    <div class="stack wide narrow">
      {sectionsOf(menu).map(({ name, items }) => (
        <section key={name} class="stack" aria-label={name}>
          <h2>{name}</h2>
          <ul class="rows panel">
            {items.map((item) => (
              <li key={item.itemId} class="menu-row">
                <button type="button" class="row-button grow" onClick={() => (editing.value = item)}>
                  <span class="grow">
                    <strong class="block">{item.name}</strong>
                    <span class="small soft number">
                      {formatMoney(item.priceMinor, menu.currency)}
                      {item.left !== undefined && ` · ${item.left} left`}
                    </span>
                  </span>
                </button>
                <SoldOut item={item} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {editing.value !== null && <ItemEditor menu={menu} item={editing.value} onClose={() => (editing.value = null)} />}
    </div>
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

function SoldOut({ item }: { readonly item: MenuItemView }) {
  const wanted = useSignal<boolean | null>(null);
  const setting = useAction(
    async (available: boolean) => {
      wanted.value = available;
      menuChanged(await server().command("restaurant.item", { itemId: item.itemId, available }));
      say(available ? `${item.name} is on the menu again` : `${item.name} is sold out`);
    },
    (error) => {
      wanted.value = null;
      sayFailure(error);
    },
  );
  const on = wanted.value ?? item.available !== false;
  return (
    <Switch
      label={<span class="visually-hidden">{item.name} can be ordered</span>}
      on={on}
      disabled={setting.busy}
      onChange={(next) => void setting.run(next)}
    />
  );
}

function ItemEditor({
  menu,
  item,
  onClose,
}: {
  readonly menu: MenuView;
  readonly item: MenuItemView;
  readonly onClose: () => void;
}) {
  const digits =
    new Intl.NumberFormat("en", { style: "currency", currency: menu.currency }).resolvedOptions()
      .maximumFractionDigits ?? 2;
  const price = useSignal((item.priceMinor / 10 ** digits).toFixed(digits));
  const left = useSignal(item.left === undefined ? "" : String(item.left));
  const priceMinor = Math.round(Number(price.value.replace(",", ".")) * 10 ** digits);
  const wrongPrice = !Number.isSafeInteger(priceMinor) || priceMinor < 0 || price.value.trim() === "";
  const stock = left.value.trim() === "" ? undefined : Number(left.value);
  const wrongStock = stock !== undefined && (!Number.isSafeInteger(stock) || stock < 0);
  const saving = useAction(async () => {
    menuChanged(
      await server().command("restaurant.item", {
        itemId: item.itemId,
        ...(priceMinor === item.priceMinor ? {} : { priceMinor }),
        ...(stock === undefined || stock === item.left ? {} : { stock }),
      }),
    );
    say(`${item.name} is saved`);
    onClose();
  });
  return (
    <Sheet
      title={item.name}
      onClose={onClose}
      foot={
        <Button
          block
          size="large"
          busy={saving.busy}
          disabled={wrongPrice || wrongStock}
          onClick={() => void saving.run()}
        >
          Save
        </Button>
      }
    >
      <div class="stack">
        <Field
          label={`Price in ${menu.currency}`}
          inputMode="decimal"
          value={price.value}
          onInput={(value) => (price.value = value)}
          problem={wrongPrice ? "Write an amount, for example 9.50" : null}
        />
        <Field
          label="Portions left"
          inputMode="numeric"
          hint="Empty: made to order, without a limit of its own"
          value={left.value}
          onInput={(value) => (left.value = value)}
          problem={wrongStock ? "Write a whole number" : null}
        />
        {(item.options ?? []).map((group) => (
          <fieldset key={group.groupId} class="choices">
            <legend class="strong">{group.name}</legend>
            {group.choices.map((choice) => (
              <ChoiceSwitch
                key={choice.choiceId}
                itemId={item.itemId}
                groupId={group.groupId}
                choice={choice}
                currency={menu.currency}
              />
            ))}
          </fieldset>
        ))}
      </div>
    </Sheet>
  );
}
