/** Where to bring it: a place that is kept, the device's own, an address that is found, or a pin on the map. */
import { signal, useSignal } from "@preact/signals";
import type { Point } from "../../../../src/lib/geo.js";
import { uuidV7 } from "../../../../src/lib/random.js";
import type { MeView } from "../../../shared/account/account-page.js";
import { account, http } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { clock, random } from "../../../shared/clock.js";
import { Button, Field, Switch } from "../../../shared/kit/controls.js";
import { HomeIcon, SearchIcon, TargetIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say, sayFailure } from "../../../shared/kit/toasts.js";
import { groundMap } from "../../../shared/map/city.js";
import { TripMap } from "../../../shared/map/trip-map.js";
import { useReading } from "../../../shared/reading.js";
import { devicePosition, place, setPlace } from "../store/place.js";
import { open } from "../store/server.js";

type SavedAddress = MeView["addresses"][number];

interface FoundPlaces {
  readonly places: readonly (Point & { readonly address: string })[];
}

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
  return shown.value ? <Open /> : null;
}

function Open() {
  const { reading } = useReading(middle, []);
  const keep = useSignal(false);
  const label = useSignal("");
  const locate = useAction(async () => {
    pin.value = await devicePosition();
  });
  const finding = useAction(async () => {
    const { places } = await open.get<FoundPlaces>("/v1/places", { q: address.value.trim(), limit: 1 });
    const [best] = places;
    if (best === undefined) say("We do not know this address. Put the pin where it is.", "bad");
    else {
      pin.value = { lat: best.lat, lng: best.lng };
      address.value = best.address;
    }
  });
  const at = pin.value ?? (reading.name === "ready" ? reading.value : null);
  const close = (): void => {
    shown.value = false;
  };
  const choose = (point: Point, text: string): void => {
    setPlace({ lat: point.lat, lng: point.lng, address: text });
    close();
  };
  const done = (): void => {
    const text = address.value.trim();
    if (keep.value) void save(at!, text, label.value.trim()).catch(sayFailure);
    choose(at!, text);
  };
  return (
    <Sheet
      title="Where to?"
      onClose={close}
      foot={
        <Button block size="large" disabled={at === null || (keep.value && address.value.trim() === "")} onClick={done}>
          Deliver here
        </Button>
      }
    >
      <div class="stack">
        {account.value !== null && <Saved choose={(saved) => choose(saved, placeText(saved))} />}
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
        <Button
          kind="quiet"
          busy={finding.busy}
          disabled={address.value.trim() === ""}
          onClick={() => void finding.run()}
        >
          <SearchIcon /> Find it on the map
        </Button>
        {account.value !== null && (
          <>
            <Switch label="Keep this address" on={keep.value} onChange={(on) => (keep.value = on)} />
            {keep.value && (
              <Field
                label="Name of it"
                placeholder="Home"
                maxLength={40}
                value={label.value}
                onInput={(value) => (label.value = value)}
              />
            )}
          </>
        )}
      </div>
    </Sheet>
  );
}

function Saved({ choose }: { readonly choose: (address: SavedAddress) => void }) {
  const { reading } = useReading((stop) => http.get<MeView>("/v1/me", {}, stop), []);
  if (reading.name !== "ready" || reading.value.addresses.length === 0) return null;
  return (
    <ul class="rows panel" aria-label="Addresses that are kept">
      {reading.value.addresses.map((saved) => (
        <li key={saved.addressId}>
          <button type="button" class="row-button" onClick={() => choose(saved)}>
            <HomeIcon />
            <span class="grow">
              <strong class="block">{saved.label}</strong>
              <span class="small soft block cut">{placeText(saved)}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

const placeText = ({ text, note }: SavedAddress): string => (note === undefined ? text : `${text}, ${note}`);

async function save({ lat, lng }: Point, text: string, label: string): Promise<void> {
  const body = { label: label === "" ? "Home" : label, text, lat, lng };
  await http.send("PUT", `/v1/me/addresses/${uuidV7(clock.now(), random)}`, body);
  say("The address is kept");
}
