/** The panel: who we are, how the city does, and what happens. On a phone it is a sheet that can be pulled up. */
import { useSignal } from "@preact/signals";
import { formatCount } from "../../../shared/format.js";
import { DRIVER_COLOR, DRIVER_LABEL, type DriverState } from "../../../shared/map/pucks.js";
import { STAGE_HINT, STAGE_LABEL, STAGES } from "../../../shared/stages.js";
import { counts, selection, session } from "../store.js";
import { Connection } from "./connection.js";
import { BoltIcon, ChevronIcon } from "./icons.js";
import { Lists } from "./lists.js";
import { StageMark } from "./stage-mark.js";

const DRIVER_STATES: readonly DriverState[] = ["available", "offered", "on_trip"];

export function Panel() {
  const open = useSignal(false);
  return (
    <>
      <header class="brand surface">
        <span class="logo">
          <BoltIcon />
        </span>
        <h1>
          Swift Eats <span>{session.value?.name ?? "live"}</span>
        </h1>
        <Connection />
      </header>
      <aside
        class={`panel surface ${open.value ? "open" : ""} ${selection.value === null ? "" : "behind"}`}
        aria-label="The city now"
      >
        <button
          type="button"
          class="grip"
          aria-expanded={open.value}
          aria-controls="city-details"
          onClick={() => {
            open.value = !open.value;
          }}
        >
          <ChevronIcon />
          <span class="visually-hidden">{open.value ? "Show less" : "Show drivers and activity"}</span>
        </button>
        <Counters />
        <div class="details" id="city-details">
          <Drivers />
          <Lists />
        </div>
      </aside>
    </>
  );
}

function Counters() {
  const { stages } = counts.value;
  return (
    <section aria-label="Orders">
      <dl class="counters">
        {STAGES.map((stage) => (
          <div key={stage} class="counter" title={STAGE_HINT[stage]}>
            <dt>
              <StageMark stage={stage} />
              {STAGE_LABEL[stage]}
            </dt>
            <dd>{formatCount(stages[stage])}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Drivers() {
  const { drivers } = counts.value;
  const all = drivers.available + drivers.offered + drivers.on_trip;
  return (
    <section class="drivers" aria-label="Drivers">
      <h2>
        Drivers <span>{formatCount(all)}</span>
      </h2>
      <div class="share" aria-hidden="true">
        {DRIVER_STATES.map((state) => (
          <span
            key={state}
            class="share-part"
            style={{ flexGrow: drivers[state], background: `var(${DRIVER_COLOR[state]})` }}
          />
        ))}
      </div>
      <ul>
        {DRIVER_STATES.map((state) => (
          <li key={state}>
            <span class={`puck ${state}`} style={{ color: `var(${DRIVER_COLOR[state]})` }} aria-hidden="true" />
            {DRIVER_LABEL[state]} <b>{formatCount(drivers[state])}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
