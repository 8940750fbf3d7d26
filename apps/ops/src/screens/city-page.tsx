/** The city, live: its map, its orders and drivers, and the one that was chosen. */

import { signal } from "@preact/signals";
import { clock } from "../../../shared/clock.js";
import { formatCount, shortId } from "../../../shared/format.js";
import { Segments } from "../../../shared/kit/controls.js";
import { SearchIcon } from "../../../shared/kit/icons.js";
import type { CityViewModel } from "../../../shared/map/city-view.js";
import { MissingMap, usePart } from "../../../shared/map/part.js";
import { DRIVER_COLOR, DRIVER_LABEL } from "../../../shared/map/pucks.js";
import { STAGE_LABEL, STAGES, type Stage, stageColor, stageOf } from "../../../shared/stages.js";
import {
  bounds,
  cityPicture,
  drivers,
  following,
  ground,
  orders,
  restaurantName,
  revision,
  select,
  selection,
  stageCounts,
} from "../store/city.js";
import { DriverPanel } from "./driver-panel.js";
import { OrderPanel } from "./order-panel.js";

const MOST_ROWS = 150;
const WAITED_LONGEST: readonly Stage[] = ["placed", "waiting", "cooking", "on_the_way"];

const list = signal<"orders" | "drivers">("orders");
const wanted = signal("");

const MODEL: CityViewModel = {
  clock,
  picture: cityPicture,
  revision,
  selection,
  following,
  select,
  room: () => ({ top: 30, bottom: 30, left: 30, right: 30 }),
};

export function CityPage() {
  const chosen = selection.value;
  return (
    <div class={chosen === null ? "city" : "city with-card"}>
      <section class="city-lists" aria-label="Orders and drivers">
        <Counters />
        <Lists />
      </section>
      <div class="city-map">
        <CityMapPart />
      </div>
      {chosen !== null && (
        <aside class="city-card" aria-label={chosen.kind === "order" ? "Chosen order" : "Chosen driver"}>
          {chosen.kind === "order" ? <OrderPanel key={chosen.id} id={chosen.id} /> : <DriverPanel id={chosen.id} />}
        </aside>
      )}
    </div>
  );
}

function CityMapPart() {
  const { part, missing } = usePart("city-view", () => import("../../../shared/map/city-view.js"));
  if (missing !== null) return <MissingMap why={missing} />;
  if (part === null || ground.value === null || bounds.value === null) return null;
  return <part.CityView city={ground.value} bounds={bounds.value} model={MODEL} />;
}

function Counters() {
  const counts = stageCounts.value;
  return (
    <dl class="counters">
      {STAGES.slice(0, 4).map((stage) => (
        <div key={stage}>
          <dt>
            <span class="dot" style={{ background: `var(${stageColor(stage)})` }} />
            {STAGE_LABEL[stage]}
          </dt>
          <dd>{formatCount(counts[stage])}</dd>
        </div>
      ))}
    </dl>
  );
}

function Lists() {
  const text = wanted.value.trim().toLowerCase();
  const found = orders.value
    .filter(
      (order) =>
        text === "" || `${restaurantName(order)} ${shortId(order.id)} ${order.id}`.toLowerCase().includes(text),
    )
    .sort((a, b) => WAITED_LONGEST.indexOf(stageOf(a.status)) - WAITED_LONGEST.indexOf(stageOf(b.status)));
  const people = drivers.value.filter((driver) => text === "" || driver.id.toLowerCase().includes(text));
  return (
    <div class="stack lists">
      <Segments
        label="List"
        value={list.value}
        options={[
          { value: "orders", label: `Orders (${orders.value.length})` },
          { value: "drivers", label: `Drivers (${drivers.value.length})` },
        ]}
        onChange={(next) => (list.value = next)}
      />
      <form
        class="search-box"
        onSubmit={(event) => {
          event.preventDefault();
          const [only] = found;
          // The whole number of an order opens it, wherever and whenever it was.
          if (list.value === "orders" && text !== "") select({ kind: "order", id: only?.id ?? wanted.value.trim() });
        }}
      >
        <SearchIcon />
        <input
          class="input"
          type="search"
          aria-label="Find"
          placeholder={list.value === "orders" ? "Restaurant or order" : "Driver"}
          value={wanted.value}
          onInput={(event) => {
            wanted.value = event.currentTarget.value;
          }}
        />
      </form>
      <ul class="list-rows">
        {list.value === "orders"
          ? found.slice(0, MOST_ROWS).map((order) => (
              <li key={order.id}>
                <button
                  type="button"
                  class="list-row"
                  aria-current={selection.value?.id === order.id}
                  onClick={() => select({ kind: "order", id: order.id })}
                >
                  <span class="dot" style={{ background: `var(${stageColor(stageOf(order.status))})` }} />
                  <span class="grow cut">{restaurantName(order)}</span>
                  <span class="small soft">
                    {STAGE_LABEL[stageOf(order.status)]} · {shortId(order.id)}
                  </span>
                </button>
              </li>
            ))
          : people.slice(0, MOST_ROWS).map((driver) => (
              <li key={driver.id}>
                <button
                  type="button"
                  class="list-row"
                  aria-current={selection.value?.id === driver.id}
                  onClick={() => select({ kind: "driver", id: driver.id })}
                >
                  <span class="dot" style={{ background: `var(${DRIVER_COLOR[driver.state]})` }} />
                  <span class="grow cut">Driver {shortId(driver.id)}</span>
                  <span class="small soft">{DRIVER_LABEL[driver.state]}</span>
                </button>
              </li>
            ))}
        <More hidden={(list.value === "orders" ? found : people).length - MOST_ROWS} />
      </ul>
    </div>
  );
}

function More({ hidden }: { readonly hidden: number }) {
  return hidden > 0 ? <li class="small soft">and {formatCount(hidden)} more: find them by name or number</li> : null;
}
