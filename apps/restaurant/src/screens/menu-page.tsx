/** The menu as the kitchen sees it: what has sold out, what it costs, how many are left. */
import { useSignal } from "@preact/signals";
import { useAction } from "../../../shared/actions.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, Switch } from "../../../shared/kit/controls.js";
import { MenuIcon, PlusIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { say, sayFailure } from "../../../shared/kit/toasts.js";
import { type MenuItemView, sectionsOf } from "../../../shared/menu.js";
import { server } from "../store/inbox.js";
import { ItemEditor } from "./item-editor.js";
import { menuChanged, useMenu } from "./menu-version.js";

export function MenuPage() {
  const { reading, again } = useMenu();
  const editing = useSignal<MenuItemView | "new" | null>(null);
  if (reading.name === "failed") return <Failure error={reading.error} again={again} />;
  if (reading.name === "loading") return <Bones count={6} height={64} />;
  const menu = reading.value;
  return (
    <div class="stack wide narrow">
      <div class="between">
        <h1>Menu</h1>
        <Button onClick={() => (editing.value = "new")}>
          <PlusIcon /> Add a dish
        </Button>
      </div>
      {menu.items.length === 0 && (
        <Empty picture={<MenuIcon />} title="No dishes yet">
          Add the first one: guests see the menu as soon as you are listed.
        </Empty>
      )}
      {sectionsOf(menu).map(({ name, items }) => (
        <section key={name} class="stack" aria-label={name}>
          <h2>{name}</h2>
          <ul class="rows panel">
            {items.map((item) => (
              <li key={item.itemId} class="menu-row">
                <button type="button" class="row-button grow" onClick={() => (editing.value = item)}>
                  <span class="grow">
                    <strong class="block">
                      <bdi>{item.name}</bdi>
                    </strong>
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
      {editing.value !== null && (
        <ItemEditor
          menu={menu}
          item={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
        />
      )}
    </div>
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
