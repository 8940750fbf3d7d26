/** Activity, orders and drivers as lists: the map's content for keyboards and screen readers, and for finding one of many. */
import { useSignal } from "@preact/signals";
import { formatAgo, shortId } from "../../../shared/format.js";
import { DRIVER_COLOR, DRIVER_LABEL } from "../../../shared/map/pucks.js";
import { STAGE_LABEL, type Stage, stageOf } from "../../../shared/stages.js";
import { cityPicture, clock, feed, restaurantName, revision, select, selection } from "../store.js";
import { StageMark } from "./stage-mark.js";

const TABS = ["activity", "orders", "drivers"] as const;
type Tab = (typeof TABS)[number];
const TAB_LABEL: Readonly<Record<Tab, string>> = { activity: "Activity", orders: "Orders", drivers: "Drivers" };
/** Longer lists are searched, not scrolled. */
const MOST_ROWS = 80;
const STAGE_ORDER: readonly Stage[] = ["waiting", "on_the_way", "cooking", "placed", "delivered", "cancelled"];

export function Lists() {
  const tab = useSignal<Tab>("activity");
  const wanted = useSignal("");
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = TABS[(TABS.indexOf(tab.value) + step + TABS.length) % TABS.length]!;
    tab.value = next;
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section class="lists">
      <div role="tablist" aria-label="Lists" class="tabs" onKeyDown={move}>
        {TABS.map((each) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`tab-${each}`}
            aria-selected={tab.value === each}
            aria-controls="tab-content"
            tabIndex={tab.value === each ? 0 : -1}
            onClick={() => {
              tab.value = each;
              wanted.value = "";
            }}
          >
            {TAB_LABEL[each]}
          </button>
        ))}
      </div>
      {tab.value !== "activity" && (
        <input
          type="search"
          class="find"
          placeholder={tab.value === "orders" ? "Find by restaurant or number" : "Find by number"}
          aria-label={`Find among ${TAB_LABEL[tab.value].toLowerCase()}`}
          value={wanted.value}
          onInput={(event) => {
            wanted.value = event.currentTarget.value;
          }}
        />
      )}
      <div role="tabpanel" id="tab-content" aria-labelledby={`tab-${tab.value}`} class="rows">
        {tab.value === "activity" && <Activity />}
        {tab.value === "orders" && <Orders wanted={wanted.value} />}
        {tab.value === "drivers" && <Drivers wanted={wanted.value} />}
      </div>
    </section>
  );
}

function Activity() {
  revision.value;
  const now = clock.now();
  if (feed.value.length === 0) return <p class="nothing">Quiet so far. What happens in the city appears here.</p>;
  return (
    <ol>
      {feed.value.map((entry) => (
        <li key={entry.number}>
          <button type="button" onClick={() => select(entry.select)}>
            <StageMark stage={entry.stage} />
            <span class="text">{entry.text}</span>
            <span class="aside">{formatAgo(now - entry.at)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function Orders({ wanted }: { readonly wanted: string }) {
  revision.value;
  const search = wanted.trim().toLowerCase();
  const rows = [...(cityPicture()?.orders() ?? [])]
    .map((order) => ({ order, stage: stageOf(order.status), name: restaurantName(order) }))
    .filter(({ order, name }) => search === "" || name.toLowerCase().includes(search) || matches(order.id, search))
    .sort((a, b) => STAGE_ORDER.indexOf(a.stage) - STAGE_ORDER.indexOf(b.stage) || (a.order.id < b.order.id ? -1 : 1));
  if (rows.length === 0) return <p class="nothing">{search === "" ? "No open orders." : "No order like that."}</p>;
  return (
    <ol>
      {rows.slice(0, MOST_ROWS).map(({ order, stage, name }) => (
        <li key={order.id}>
          <button
            type="button"
            aria-current={selection.value?.id === order.id}
            onClick={() => select({ kind: "order", id: order.id })}
          >
            <StageMark stage={stage} />
            <span class="text">{name}</span>
            <span class="aside">
              {STAGE_LABEL[stage]} · {shortId(order.id)}
            </span>
          </button>
        </li>
      ))}
      <More hidden={rows.length - MOST_ROWS} />
    </ol>
  );
}

function Drivers({ wanted }: { readonly wanted: string }) {
  revision.value;
  const search = wanted.trim().toLowerCase();
  const rows = [...(cityPicture()?.drivers() ?? [])]
    .filter((driver) => search === "" || matches(driver.id, search))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  if (rows.length === 0)
    return <p class="nothing">{search === "" ? "No drivers on shift." : "No driver like that."}</p>;
  return (
    <ol>
      {rows.slice(0, MOST_ROWS).map((driver) => (
        <li key={driver.id}>
          <button
            type="button"
            aria-current={selection.value?.id === driver.id}
            onClick={() => select({ kind: "driver", id: driver.id })}
          >
            <span
              class={`puck ${driver.state}`}
              style={{ color: `var(${DRIVER_COLOR[driver.state]})` }}
              aria-hidden="true"
            />
            <span class="text">Driver {shortId(driver.id)}</span>
            <span class="aside">{DRIVER_LABEL[driver.state]}</span>
          </button>
        </li>
      ))}
      <More hidden={rows.length - MOST_ROWS} />
    </ol>
  );
}

const matches = (id: string, search: string): boolean =>
  id.toLowerCase().includes(search) || shortId(id).toLowerCase().includes(search);

function More({ hidden }: { readonly hidden: number }) {
  return hidden > 0 ? <li class="nothing">and {hidden} more</li> : null;
}
