/** The driver's one page: the map, and below it what to do now. */
import { useSignal } from "@preact/signals";
import { account, http } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { Button, Segments } from "../../../shared/kit/controls.js";
import { PowerIcon } from "../../../shared/kit/icons.js";
import { Bones } from "../../../shared/kit/states.js";
import { line } from "../../../shared/line/node.js";
import { type MapMark, TripMap } from "../../../shared/map/trip-map.js";
import { useWay } from "../../../shared/map/use-way.js";
import { capital } from "../../../shared/words.js";
import {
  firstPosition,
  position,
  positionProblem,
  remember,
  remembered,
  setSource,
  source,
} from "../store/position.js";
import { currentStop, goOffline, goOnline, isDone, onShift, ready, trip } from "../store/work.js";
import { TakenOrders } from "./taken-card.js";
import { TripPanel } from "./trip-panel.js";

const VEHICLES = ["bicycle", "motorcycle", "car"] as const;
type Vehicle = (typeof VEHICLES)[number];
const VEHICLE_KEY = "swift-eats.driver.vehicle";

/** As last time: trips are chosen by it, and nobody who is in a hurry looks at what stands there already. */
function lastVehicle(): Vehicle {
  const kept = remembered(VEHICLE_KEY);
  return VEHICLES.find((vehicle) => vehicle === kept) ?? "motorcycle";
}

export function Drive() {
  return (
    <div class="drive">
      <DriveMap />
      <section class="drive-panel" aria-label="What to do now">
        <TakenOrders />
        {!ready.value ? (
          <Bones count={2} height={64} />
        ) : trip.value !== null ? (
          <TripPanel trip={trip.value} />
        ) : onShift.value ? (
          <Waiting />
        ) : (
          <OffShift />
        )}
      </section>
    </div>
  );
}

function DriveMap() {
  const stop = currentStop.value;
  const here = position.value;
  const way = useWay(here, stop);
  const stops: readonly MapMark[] = (trip.value?.stops ?? []).map((each) => ({
    id: `${each.orderId}/${each.kind}`,
    kind: each.kind === "pickup" ? "restaurant" : "home",
    at: each,
    label: each.name,
    stale: isDone(each),
  }));
  const me: readonly MapMark[] = here === null ? [] : [{ id: "me", kind: "me", at: here, label: "You" }];
  const marks = [...stops, ...me];
  return (
    <div class="drive-map map-box">
      <TripMap label="Map with your stops and the way to the next one" marks={marks} line={way.points} />
      {positionProblem.value !== null && onShift.value && (
        <span class="chip bad map-note">{positionProblem.value}</span>
      )}
    </div>
  );
}

function Waiting() {
  const ending = useAction(goOffline);
  return (
    <div class="stack">
      <div class="between">
        <div>
          <h1>Looking for a trip</h1>
          <p class="soft">Stay near restaurants. We call you.</p>
        </div>
        <span class="pulse" aria-hidden="true" />
      </div>
      <Button kind="secondary" block busy={ending.busy} onClick={() => void ending.run()}>
        <PowerIcon /> End shift
      </Button>
    </div>
  );
}

function OffShift() {
  const vehicle = useSignal(lastVehicle());
  const starting = useAction(async () => {
    const { lat, lng } = await firstPosition();
    await http.send("PUT", "/v1/me/consents/location", { given: true });
    remember(VEHICLE_KEY, vehicle.value);
    await goOnline({ name: account.peek()!.name, vehicle: vehicle.value, lat, lng });
  });
  return (
    <div class="stack">
      <h1>Ready when you are</h1>
      <Segments
        label="Vehicle"
        value={vehicle.value}
        options={VEHICLES.map((value) => ({ value, label: value === "motorcycle" ? "Scooter" : capital(value) }))}
        onChange={(value) => (vehicle.value = value)}
      />
      <Segments
        label="Where positions come from"
        value={source.value}
        options={[
          { value: "device", label: "This phone's GPS" },
          { value: "walk", label: "Simulated ride" },
        ]}
        onChange={setSource}
      />
      <Button
        kind="good"
        size="large"
        block
        busy={starting.busy}
        disabled={line.value !== "live" && line.value !== "slow"}
        onClick={() => void starting.run()}
      >
        <PowerIcon /> Start shift
      </Button>
      <p class="small soft">
        By starting you consent to be located: your position is sent while you are on shift, and shown to a customer
        only from pickup to delivery. You can withdraw it in your account.
      </p>
    </div>
  );
}
