/**
 * Where to bring it: a place that is kept, the device's own, an address that is found, or a pin on the map. Invariant: the
 * pin is what a driver rides to, so none is taken that nobody has put, and none that belongs to another address.
 */
import { signal, useSignal } from "@preact/signals";
import { distanceMeters, type Point } from "../../../../src/lib/geo.js";
import { uuidV7 } from "../../../../src/lib/random.js";
import type { MeView } from "../../../shared/account/account-page.js";
import { account, http } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { clock, random } from "../../../shared/clock.js";
import { Button, Field, Switch } from "../../../shared/kit/controls.js";
import { HomeIcon, SearchIcon, TargetIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say, sayFailure } from "../../../shared/kit/toasts.js";
import { groundMap, restaurantsOf } from "../../../shared/map/city.js";
import { TripMap } from "../../../shared/map/trip-map.js";
import { useReading } from "../../../shared/reading.js";
import { devicePosition, place, setPlace } from "../store/place.js";
import { open } from "../store/server.js";

type SavedAddress = MeView["addresses"][number];

interface FoundPlaces {
  readonly places: readonly (Point & { readonly address: string })[];
}

/** An address that is found so near to its pin is the pin's. */
const SAME_PLACE_METERS = 250;

const shown = signal(false);
const pin = signal<Point | null>(null);
const address = signal("");
/** What the pin is known to belong to; null: somebody has put it here and now, whatever is written beside it. */
const pinnedAddress = signal<string | null>("");

export function choosePlace(): void {
  pin.value = place.peek();
  address.value = place.peek()?.address ?? "";
  pinnedAddress.value = address.peek();
  shown.value = true;
}

function putPin({ lat, lng }: Point): void {
  pin.value = { lat, lng };
  pinnedAddress.value = null;
}

/** Without a ground there is nothing to touch before there is a pin. */
const hasGround = async (): Promise<boolean> => restaurantsOf(await groundMap()).length > 0;

export function PlaceSheet() {
  return shown.value ? <Open /> : null;
}

function Open() {
  const { reading } = useReading(hasGround, []);
  const keep = useSignal(false);
  const label = useSignal("");
  const locate = useAction(async () => putPin(await devicePosition()));
  const finding = useAction(async () => {
    const best = await findAddress();
    if (best === null) say("We do not know this address. Put the pin where it is.", "bad");
    else putPin(best);
  });
  const close = (): void => {
    shown.value = false;
  };
  const choose = (point: Point, text: string): void => {
    setPlace({ lat: point.lat, lng: point.lng, address: text });
    close();
  };
  const taking = useAction(async () => {
    const text = address.value.trim();
    const before = pin.value;
    const isAnother = text !== "" && pinnedAddress.value !== null && pinnedAddress.value !== text;
    if (before === null || isAnother) {
      const best = await findAddress();
      // Whoever has put the pin or written on meanwhile is asked again.
      if (address.peek().trim() !== text || pin.peek() !== before) return;
      const isThere = best !== null && before !== null && distanceMeters(best, before) < SAME_PLACE_METERS;
      if (!isThere) {
        if (best !== null) {
          putPin(best);
          say(`We found ${best.address}. Is the pin right?`);
        } else if (before === null) say("We do not know this address. Put the pin where it is.", "bad");
        else {
          pinnedAddress.value = text;
          say("We do not know this address. Is the pin still right?", "bad");
        }
        return;
      }
    }
    const at = pin.value!;
    if (keep.value) void save(at, text, label.value.trim()).catch(sayFailure);
    choose(at, text);
  });
  return (
    <Sheet
      title="Where to?"
      onClose={close}
      foot={
        <Button
          block
          size="large"
          busy={taking.busy}
          disabled={address.value.trim() === "" && (pin.value === null || keep.value)}
          onClick={() => void taking.run()}
        >
          Deliver here
        </Button>
      }
    >
      <div class="stack">
        {account.value !== null && <Saved choose={(saved) => choose(saved, placeText(saved))} />}
        <Button kind="quiet" block busy={locate.busy} onClick={() => void locate.run()}>
          <TargetIcon /> Use where I am
        </Button>
        {(pin.value !== null || (reading.name === "ready" && reading.value)) && (
          <div class="map-box place-map">
            <TripMap
              label="Touch the map to put the pin where the food shall come"
              marks={pin.value === null ? [] : [{ id: "home", kind: "home", at: pin.value, label: "Deliver here" }]}
              line={[]}
              onPick={putPin}
            />
            <span class="chip map-note">Touch the map to {pin.value === null ? "put" : "move"} the pin</span>
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

/** The best that is known for what was written, which stays as it is: the floor and the bell are no part of an address. */
async function findAddress(): Promise<FoundPlaces["places"][number] | null> {
  const { places } = await open.get<FoundPlaces>("/v1/places", { q: address.peek().trim(), limit: 1 });
  return places[0] ?? null;
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
              <span class="small soft block cut">
                <bdi>{placeText(saved)}</bdi>
              </span>
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
