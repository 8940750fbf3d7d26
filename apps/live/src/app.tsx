import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CityView } from "./map/city-view.js";
import { type Bounds, type CityMap, coveredBy, fetchCity, restaurantsOf } from "./session.js";
import { clock, loading, select, session, setRestaurants, start } from "./store.js";
import { Card } from "./ui/card.js";
import { Controls } from "./ui/controls.js";
import { Panel } from "./ui/panel.js";

const RETRY_MS = 3000;
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
        <CityView city={city.value} bounds={bounds.value} />
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
