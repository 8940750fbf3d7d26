/** One restaurant: its menu by category, and when it would be there. */
import { useSignal } from "@preact/signals";
import type { ArrivalQuote, MenuView } from "../../../../sdk/mod.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, IconButton } from "../../../shared/kit/controls.js";
import { FoodPicture } from "../../../shared/kit/food.js";
import { BackIcon, ClockIcon, PinIcon, PlusIcon, ScooterIcon } from "../../../shared/kit/icons.js";
import { Bones, Failure } from "../../../shared/kit/states.js";
import { now } from "../../../shared/line/node.js";
import { canBeOrdered, type MenuItemView, sectionsOf } from "../../../shared/menu.js";
import { useReading } from "../../../shared/reading.js";
import { back, go } from "../../../shared/router.js";
import { distanceText, minutesRange } from "../../../shared/words.js";
import { cart, itemsMinor, portions } from "../store/cart.js";
import { place } from "../store/place.js";
import { open } from "../store/server.js";
import { ItemSheet, pictureOf } from "./item-sheet.js";
import { ReviewsOf } from "./reviews.js";
import { closedText, takesOrdersLater } from "./when.js";

export function Restaurant({ id }: { readonly id: string }) {
  const at = place.value;
  const menu = useReading((stop) => open.menu(id, stop), [id]);
  const quote = useReading<ArrivalQuote | null>(
    (stop) => (at === null ? Promise.resolve(null) : open.quote(id, at, stop)),
    [id, at],
  );
  const chosen = useSignal<MenuItemView | null>(null);
  if (menu.reading.name === "failed") return <Failure error={menu.reading.error} again={menu.again} />;
  if (menu.reading.name === "loading") return <Bones count={5} height={110} />;
  const view = menu.reading.value;
  return (
    <>
      <article class="stack wide">
        <Head menu={view} quote={quote.reading.name === "ready" ? quote.reading.value : null} />
        {sectionsOf(view).map(({ name, about, items }) => (
          <section key={name} class="stack" aria-label={name}>
            <div>
              <h2>{name}</h2>
              {about !== "" && <p class="soft">{about}</p>}
            </div>
            <ul class="dishes">
              {items.map((item) => (
                <li key={item.itemId}>
                  <Dish item={item} menu={view} choose={() => (chosen.value = item)} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        <ReviewsOf restaurantId={id} />
      </article>
      {chosen.value !== null && <ItemSheet menu={view} item={chosen.value} onClose={() => (chosen.value = null)} />}
      <CartBar />
    </>
  );
}

function Head({ menu, quote }: { readonly menu: MenuView; readonly quote: ArrivalQuote | null }) {
  return (
    <header class="stack">
      <div class="cover">
        <FoodPicture
          name={menu.cuisines?.[0] ?? menu.items[0]?.category ?? menu.name}
          also={menu.name}
          image={pictureOf(menu.image)}
        />
        <span class="cover-back">
          <IconButton label="Back" onClick={() => back("")}>
            <BackIcon />
          </IconButton>
        </span>
      </div>
      <h1>{menu.name}</h1>
      <div class="row wrap">
        {quote !== null && (
          <>
            <span class="chip info">
              <ClockIcon /> {minutesRange(quote.earliest, quote.latest, now.value)}
            </span>
            <span class="chip">
              <PinIcon /> {distanceText(quote.distanceMeters)}
            </span>
          </>
        )}
        {menu.minimumOrderMinor !== undefined && menu.minimumOrderMinor > 0 && (
          <span class="chip">From {formatMoney(menu.minimumOrderMinor, menu.currency)}</span>
        )}
        <span class="chip">
          <ScooterIcon />{" "}
          {menu.deliveryFeeMinor === 0
            ? "Free delivery"
            : `${formatMoney(menu.deliveryFeeMinor, menu.currency)} delivery`}
        </span>
      </div>
      {menu.description !== undefined && (
        <p class="soft" dir="auto">
          {menu.description}
        </p>
      )}
      {!menu.open && <p class="notice busy">{closedText(menu)}</p>}
      {quote !== null && !quote.delivers && (
        <p class="notice bad">
          This is too far from your address: they deliver within {distanceText(menu.deliveryRadiusMeters)}.
        </p>
      )}
    </header>
  );
}

function Dish({
  item,
  menu,
  choose,
}: {
  readonly item: MenuItemView;
  readonly menu: MenuView;
  readonly choose: () => void;
}) {
  const there = canBeOrdered(item);
  const takesOrders = menu.open || takesOrdersLater(menu);
  const inCart =
    cart.value?.restaurantId === menu.restaurantId
      ? cart.value.lines.reduce((sum, line) => sum + (line.itemId === item.itemId ? line.quantity : 0), 0)
      : 0;
  return (
    <button type="button" class="dish" disabled={!there || !takesOrders} onClick={choose}>
      <span class="grow stack tight">
        <strong dir="auto">{item.name}</strong>
        {item.description !== undefined && (
          <span class="dish-about soft" dir="auto">
            {item.description}
          </span>
        )}
        <span class="number">{formatMoney(item.priceMinor, menu.currency)}</span>
        {!there ? (
          <span class="chip">Sold out</span>
        ) : (
          item.left !== undefined && item.left <= 5 && <span class="chip busy">Only {item.left} left</span>
        )}
      </span>
      <span class="dish-picture">
        <FoodPicture name={item.name} also={item.category ?? ""} image={pictureOf(item.image)} />
        {there && takesOrders && <span class="dish-add">{inCart > 0 ? inCart : <PlusIcon />}</span>}
      </span>
    </button>
  );
}

function CartBar() {
  const { value } = cart;
  if (value === null) return null;
  return (
    <div class="cart-bar">
      <Button size="large" block onClick={() => go("cart")}>
        <span class="cart-count">{portions.value}</span>
        <span class="grow">View your order</span>
        <span class="number">{formatMoney(itemsMinor.value, value.currency)}</span>
      </Button>
    </div>
  );
}
