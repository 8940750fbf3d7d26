import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Bounds, type CityMap, coveredBy, restaurantsOf } from "../../shared/map/city.js";
import { CityView, type CityViewModel } from "../../shared/map/city-view.js";
import { fetchCity } from "./session.js";
import {
  cityPicture,
  clock,
  following,
  loading,
  revision,
  select,
  selection,
  session,
  setRestaurants,
  start,
} from "./store.js";
import { Card } from "./ui/card.js";
import { Controls } from "./ui/controls.js";
import { Panel } from "./ui/panel.js";

const RETRY_MS = 3000;
/** Room for the panels, so that the city is centred in what they leave free. */
function room(withCard: boolean): ReturnType<CityViewModel["room"]> {
  const { innerHeight, innerWidth } = window;
  return innerWidth >= 820
    ? { top: 24, bottom: 24, left: 400, right: withCard ? 380 : 72 }
    : { top: 96, bottom: innerHeight * (withCard ? 0.56 : 0.2), left: 20, right: 20 };
}

const MODEL: CityViewModel = { clock, picture: cityPicture, revision, selection, following, select, room };
const NOWHERE: Bounds = { west: 0, south: 0, east: 0, north: 0 };

export function App() {
  const city = useSignal<CityMap | null>(null);
  const bounds = useComputed(() =>
    city.value === null || session.value === null ? NOWHERE : coveredBy(city.value, session.value.bounds),
  );
  useEffect(() => {
    let cancel: (() => void) | null = null;
    const begin = async (): Promise<void> => {
      try {
        city.value ??= await fetchCity();
        setRestaurants(restaurantsOf(city.value));
        await start();
      } catch (error) {
        loading.value = { name: "failed", reason: error instanceof Error ? error.message : String(error) };
        cancel = clock.after(RETRY_MS, () => void begin());
      }
    };
    void begin();
    const closeCard = (event: KeyboardEvent): void => {
      if (event.key === "Escape") select(null);
    };
    addEventListener("keydown", closeCard);
    return () => {
      cancel?.();
      removeEventListener("keydown", closeCard);
    };
  }, [city]);

  const state = loading.value;
  return (
    <>
      {city.value !== null && session.value !== null ? (
        <CityView city={city.value} bounds={bounds.value} model={MODEL} />
      ) : (
        <div class="map empty">
          <p role="status">
            {state.name === "failed"
              ? `The city does not answer (${state.reason}). Trying again…`
              : "Opening the city…"}
          </p>
        </div>
      )}
      <Panel />
      <Card />
      <Controls />
    </>
  );
}
