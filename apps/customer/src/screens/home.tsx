/** What there is to eat near the delivery place. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "../../../shared/clock.js";
import { formatMoney } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { FoodPicture } from "../../../shared/kit/food.js";
import { ClockIcon, ForwardIcon, PinIcon, ScooterIcon, SearchIcon, StarFilledIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { usePages } from "../../../shared/pages.js";
import { go } from "../../../shared/router.js";
import { capital, distanceText, plural } from "../../../shared/words.js";
import { type FoundRestaurant, find, type Wish } from "../store/find.js";
import { place } from "../store/place.js";
import { choosePlace } from "./place-sheet.js";

const TYPING_MS = 250;
const text = signal("");
const settledText = signal("");
const cuisine = signal<string | null>(null);
const openNow = signal(true);
const sort = signal<Wish["sort"]>("relevance");

export function Home() {
  const at = place.value;
  if (at === null) return <Welcome />;
  return (
    <div class="stack wide">
      <button type="button" class="place-button" onClick={() => choosePlace()}>
        <PinIcon />
        <span class="grow">
          <span class="small soft">Deliver to</span>
          <span class="place-name">{at.address === "" ? "The place on the map" : at.address}</span>
        </span>
        <ForwardIcon />
      </button>
      <SearchBox />
      <Results />
    </div>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <h1>Good food, and where it is right now</h1>
      <p class="soft">Tell us where to bring it, and see who cooks for you tonight.</p>
      <Button size="large" onClick={() => choosePlace()}>
        <PinIcon /> Set your address
      </Button>
      <div class="welcome-plates" aria-hidden="true">
        {["Pizza", "Ramen", "Burger", "Sushi", "Taco", "Salad"].map((name) => (
          <FoodPicture key={name} name={name} />
        ))}
      </div>
    </div>
  );
}

function SearchBox() {
  useEffect(() => {
    const typed = text.value;
    return clock.after(TYPING_MS, () => {
      settledText.value = typed;
    });
  }, [text.value]);
  return (
    <search class="search-box">
      <SearchIcon />
      <input
        class="input"
        type="search"
        aria-label="Search restaurants and dishes"
        placeholder="Restaurants, dishes, cuisines"
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
    </search>
  );
}

function Results() {
  const at = place.value!;
  const wish: Wish = { at, text: settledText.value, cuisine: cuisine.value, openNow: openNow.value, sort: sort.value };
  const {
    reading,
    items: restaurants,
    about,
    again,
    more,
  } = usePages(async (cursor: string | undefined, stop) => {
    const { restaurants: items, nextCursor: next, facets, corrections, total } = await find(wish, cursor, stop);
    return { items, next, about: { facets, corrections, total } };
  }, Object.values(wish));
  if (reading === "failed") return <Failure error={more.error} again={again} />;
  if (about === null) return <Bones count={4} height={200} />;
  const { facets, corrections, total } = about;
  return (
    <div class="stack">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset does not scroll sideways. */}
      <div class="filters" role="group" aria-label="Narrow down">
        <Filter on={openNow.value} label="Open now" toggle={() => (openNow.value = !openNow.value)} />
        <Filter on={sort.value === "eta"} label="Fastest" toggle={() => toggleSort("eta")} />
        <Filter on={sort.value === "distance"} label="Nearest" toggle={() => toggleSort("distance")} />
        <Filter on={sort.value === "rating"} label="Best rated" toggle={() => toggleSort("rating")} />
        {facets.cuisine.slice(0, 14).map(({ value }) => (
          <Filter
            key={value}
            on={cuisine.value === value}
            label={capital(value)}
            toggle={() => {
              cuisine.value = cuisine.value === value ? null : value;
            }}
          />
        ))}
      </div>
      {corrections.length > 0 && (
        <p class="soft">
          Showing results for <strong>{corrections.map(({ used }) => used).join(", ")}</strong>.
        </p>
      )}
      {restaurants.length === 0 ? (
        <Empty
          picture={<SearchIcon />}
          title="Nothing here"
          action={
            <Button kind="secondary" onClick={clearWish}>
              Show everything
            </Button>
          }
        >
          {settledText.value === ""
            ? "Nobody delivers here with these choices."
            : `Nothing found for “${settledText.value}”.`}
        </Empty>
      ) : (
        <>
          <h2>
            {settledText.value === ""
              ? plural(total, "place")
              : `${plural(total, "result")} for “${settledText.value}”`}
          </h2>
          <ul class="cards">
            {restaurants.map((restaurant) => (
              <li key={restaurant.restaurantId}>
                <RestaurantCard restaurant={restaurant} />
              </li>
            ))}
          </ul>
          {more.more && (
            <Button kind="secondary" busy={more.busy} onClick={() => void more.run()}>
              Show more
            </Button>
          )}
        </>
      )}
    </div>
  );
}

function toggleSort(next: Wish["sort"]): void {
  sort.value = sort.value === next ? "relevance" : next;
}

function clearWish(): void {
  text.value = "";
  settledText.value = "";
  cuisine.value = null;
  openNow.value = false;
  sort.value = "relevance";
}

function Filter({ on, label, toggle }: { readonly on: boolean; readonly label: string; readonly toggle: () => void }) {
  return (
    <button type="button" class="filter" aria-pressed={on} onClick={toggle}>
      {label}
    </button>
  );
}

function RestaurantCard({ restaurant }: { readonly restaurant: FoundRestaurant }) {
  const { name, cuisines, rating, currency, deliveryFeeMinor, etaMinutes, distanceMeters } = restaurant;
  return (
    <button type="button" class="card" onClick={() => go(`restaurant/${restaurant.restaurantId}`)}>
      <span class={restaurant.open ? "card-picture" : "card-picture shut"}>
        <FoodPicture name={cuisines[0] ?? name} also={name} image={restaurant.imageUrl} />
        {!restaurant.open && <span class="chip card-shut">Closed now</span>}
      </span>
      <span class="between">
        <strong class="card-name">{name}</strong>
        {rating !== undefined && rating.count > 0 && (
          <span class="chip">
            <StarFilledIcon /> {rating.average.toFixed(1)} <span class="soft">({rating.count})</span>
          </span>
        )}
      </span>
      <span class="card-facts soft">
        <span class="row">
          <ClockIcon /> {etaMinutes} min
        </span>
        <span>{distanceText(distanceMeters)}</span>
        <span class="row">
          <ScooterIcon /> {deliveryFeeMinor === 0 ? "Free" : formatMoney(deliveryFeeMinor, currency)} delivery
        </span>
      </span>
      {restaurant.dishes.length > 0 ? (
        <span class="card-dishes soft">
          {restaurant.dishes.map((dish) => `${dish.name} · ${formatMoney(dish.priceMinor, currency)}`).join("   ")}
        </span>
      ) : (
        <span class="card-dishes soft">{cuisines.map(capital).join(" · ")}</span>
      )}
    </button>
  );
}
