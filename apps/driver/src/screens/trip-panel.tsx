/** The trip under way: the next stop, how to get there, the step to confirm, and the stops after it. */
import { useSignal } from "@preact/signals";
import { openTripRoom, type StopView, type TripView } from "../../../../sdk/mod.js";
import { CallButton, TalkButton } from "../../../shared/chat/talk.js";
import { shortId } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { AlertIcon, CheckIcon, HomeIcon, MenuIcon, RouteIcon, TurnIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import type { Way } from "../../../shared/map/streets.js";
import { useWay } from "../../../shared/map/use-way.js";
import { useSettling } from "../../../shared/settling.js";
import { distanceText } from "../../../shared/words.js";
import { position } from "../store/position.js";
import {
  arrive,
  currentStop,
  deliver,
  failDelivery,
  giveBack,
  hasArrived,
  isDone,
  pickUp,
  rooms,
  server,
} from "../store/work.js";

const NOT_DELIVERED = ["Nobody opens", "The address does not exist", "Customer refuses the food", "An accident"];
const GIVEN_BACK = ["My vehicle broke down", "The restaurant is closed", "It takes too long", "An emergency"];

export function TripPanel({ trip }: { readonly trip: TripView }) {
  const stop = currentStop.value;
  const settling = useSettling(stop === null ? [] : [`${stop.orderId}/${stop.kind}/${hasArrived(stop)}`]);
  const way = useWay(position.value, stop);
  if (stop === null) {
    return (
      <div class="stack" role="status">
        <h1>All done</h1>
        <p class="soft">Sending the last steps of this trip…</p>
      </div>
    );
  }
  const later = trip.stops.slice(trip.stops.indexOf(stop) + 1).filter((each) => !isDone(each));
  return (
    <div class={`stack ${settling}`}>
      <Hint stop={stop} way={way} />
      <div class="between">
        <div class="grow">
          <p class="soft">{stop.kind === "pickup" ? "Pick up at" : "Deliver to"}</p>
          <h1 dir="auto">{stop.name}</h1>
          <OrderNumber of={stop} />
        </div>
        <a class="button quiet" href={navigationTo(stop)} rel="noreferrer">
          <RouteIcon /> Navigate
        </a>
      </div>
      {stop.kind === "dropoff" && <Reach orderId={stop.orderId} />}
      {/* A question about one stop is not answered for the next. */}
      <Steps key={`${stop.orderId}/${stop.kind}`} stop={stop} />
      {later.length > 0 && (
        <ol class="stops" aria-label="After that">
          {later.map((each) => (
            <li key={`${each.orderId}/${each.kind}`}>
              {each.kind === "pickup" ? <MenuIcon /> : <HomeIcon />}
              <span class="grow">
                <bdi>{each.name}</bdi>
                <OrderNumber of={each} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** As it stands on the bag: which of all at the counter is theirs, and which of two on board goes to this door. */
function OrderNumber({ of: { orderId } }: { readonly of: StopView }) {
  return (
    <span class="small soft block">
      Order <strong class="number">{shortId(orderId)}</strong>
    </span>
  );
}

/** Opens whatever navigates on this device: the phone's own program, or a map of the web at a desk. */
function navigationTo({ lat, lng }: StopView): string {
  const { userAgent } = navigator;
  if (/Android/.test(userAgent)) return `geo:${lat},${lng}?q=${lat},${lng}`;
  if (/iPhone|iPad|Macintosh/.test(userAgent)) return `https://maps.apple.com/?daddr=${lat},${lng}`;
  return `https://www.openstreetmap.org/directions?to=${lat}%2C${lng}`;
}

/** What a glance at the phone has to tell. */
function Hint({ stop, way }: { readonly stop: StopView; readonly way: Way }) {
  if (hasArrived(stop) || way.points.length === 0) return null;
  const [now, next] = way.turns;
  if (now === undefined) return null;
  const street = now.street === "" ? "" : ` on ${now.street}`;
  const then =
    next === undefined || next.direction === "arrive"
      ? "then you are there"
      : `then ${next.direction === "straight" ? "straight on to" : `${next.direction} into`} ${next.street}`;
  return (
    <p class="hint-line">
      <TurnIcon />
      <span>
        <strong class="number">{distanceText(next?.atMeters ?? way.meters)}</strong>
        {street}, {then}
        {way.turns.length > 2 && <span class="small block">{distanceText(way.meters)} left</span>}
      </span>
    </p>
  );
}

/** The customer, while the food is on its way. */
function Reach({ orderId }: { readonly orderId: string }) {
  const client = server();
  return (
    <div class="chat-reach">
      <TalkButton
        key={orderId}
        client={client}
        side="driver"
        label="Message"
        title="Your customer"
        hint="Write to your customer. Neither of you sees the other's number."
        room={rooms.value[orderId] ?? null}
        open={() =>
          client === null ? Promise.reject(new Error("There is no line yet.")) : openTripRoom(client, orderId)
        }
      />
      <CallButton client={client} orderId={orderId} />
    </div>
  );
}

function Steps({ stop }: { readonly stop: StopView }) {
  const asking = useSignal<"fail" | "release" | null>(null);
  const { orderId } = stop;
  const pickup = stop.kind === "pickup";
  return (
    <div class="stack">
      {!hasArrived(stop) ? (
        <Button size="large" block onClick={() => arrive(stop)}>
          I have arrived
        </Button>
      ) : (
        <Button kind="good" size="large" block onClick={() => (pickup ? pickUp(orderId) : deliver(orderId))}>
          <CheckIcon /> {pickup ? "Picked up" : "Delivered"}
        </Button>
      )}
      <Button kind="plain" block onClick={() => (asking.value = pickup ? "release" : "fail")}>
        <AlertIcon /> {pickup ? "I cannot do this trip" : "I cannot deliver it"}
      </Button>
      {asking.value !== null && (
        <Sheet title="What happened?" onClose={() => (asking.value = null)}>
          <div class="stack">
            {(asking.value === "fail" ? NOT_DELIVERED : GIVEN_BACK).map((reason) => (
              <Button
                key={reason}
                kind="secondary"
                block
                onClick={() => {
                  if (asking.value === "fail") failDelivery(orderId, reason);
                  else giveBack(orderId, reason);
                  asking.value = null;
                }}
              >
                {reason}
              </Button>
            ))}
          </div>
        </Sheet>
      )}
    </div>
  );
}
