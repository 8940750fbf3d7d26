/** Where to bring it: the device's own place, or a pin on the map, with what the driver has to know. */
import { signal } from "@preact/signals";
import type { Point } from "../../../../src/lib/geo.js";
import { useAction } from "../../../shared/actions.js";
import { Button, Field } from "../../../shared/kit/controls.js";
import { TargetIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { groundMap } from "../../../shared/map/city.js";
import { TripMap } from "../../../shared/map/trip-map.js";
import { useReading } from "../../../shared/reading.js";
import { devicePosition, place, setPlace } from "../store/place.js";

const shown = signal(false);
const pin = signal<Point | null>(null);
const address = signal("");

export function choosePlace(): void {
  pin.value = place.peek();
  address.value = place.peek()?.address ?? "";
  shown.value = true;
}

/** Somewhere to begin on the map: the middle of the city that it shows. */
async function middle(): Promise<Point | null> {
  const city = await groundMap();
  const points = city.features.flatMap(({ geometry, properties }) =>
    properties.kind === "restaurant" ? [geometry.coordinates as [number, number]] : [],
  );
  if (points.length === 0) return null;
  const mean = (index: 0 | 1): number => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  return { lng: mean(0), lat: mean(1) };
}

export function PlaceSheet() {
  const { reading } = useReading(middle, []);
  const locate = useAction(async () => {
    pin.value = await devicePosition();
  });
  if (!shown.value) return null;
  const at = pin.value ?? (reading.name === "ready" ? reading.value : null);
  const close = (): void => {
    shown.value = false;
  };
  return (
    <Sheet
      title="Where to?"
      onClose={close}
      foot={
        <Button
          block
          size="large"
          disabled={at === null}
          onClick={() => {
            setPlace({ lat: at!.lat, lng: at!.lng, address: address.value.trim() });
            close();
          }}
        >
          Deliver here
        </Button>
      }
    >
      <div class="stack">
        <Button kind="quiet" block busy={locate.busy} onClick={() => void locate.run()}>
          <TargetIcon /> Use where I am
        </Button>
        {at !== null && (
          <div class="map-box place-map">
            <TripMap
              label="Touch the map to put the pin where the food shall come"
              marks={[{ id: "home", kind: "home", at, label: "Deliver here" }]}
              line={[]}
              onPick={(point) => {
                pin.value = point;
              }}
            />
            <span class="chip map-note">Touch the map to move the pin</span>
          </div>
        )}
        <Field
          label="Address and door"
          placeholder="12 Mill Lane, third floor, ring at Bianchi"
          autocomplete="street-address"
          maxLength={200}
          value={address.value}
          onInput={(value) => {
            address.value = value;
          }}
        />
      </div>
    </Sheet>
  );
}
