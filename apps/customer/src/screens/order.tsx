/** An order under way: when it comes, where it is, what has happened. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import {
  isTerminal,
  type OrderSource,
  type OrderStatus,
  type OrderView,
  openSupportRoom,
  openTripRoom,
  type PositionView,
  portionMinor,
  type RoomView,
  watchOrder,
} from "../../../../sdk/mod.js";
import { useAction } from "../../../shared/actions.js";
import { CallButton, TalkButton } from "../../../shared/chat/talk.js";
import { formatMoney, formatReason, shortId } from "../../../shared/format.js";
import { Button, IconButton } from "../../../shared/kit/controls.js";
import { BackIcon, CheckIcon, CloseIcon, ScooterIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { Bones, Failure } from "../../../shared/kit/states.js";
import { now } from "../../../shared/line/node.js";
import type { MapMark } from "../../../shared/map/trip-map.js";
import { TripMap } from "../../../shared/map/trip-map.js";
import { useWay } from "../../../shared/map/use-way.js";
import { back } from "../../../shared/router.js";
import { capital, STATUS_TITLE, STEP_LABEL, timeOfDay, timeRange } from "../../../shared/words.js";
import { server } from "../store/server.js";
import { OrderAgain } from "./again.js";
import { Rating } from "./rating.js";
import { laterText } from "./when.js";

/** Older than this, a position says where the driver was. */
const STALE_MS = 20_000;
const STEPS: readonly OrderStatus[] = ["confirmed", "accepted", "ready", "picked_up", "delivered"];

export function OrderPage({ id }: { readonly id: string }) {
  const view = useSignal<OrderView | null>(null);
  const position = useSignal<PositionView | null>(null);
  const source = useSignal<OrderSource | null>(null);
  const fresh = useSignal(true);
  const failed = useSignal<unknown>(null);
  useEffect(() => {
    view.value = null;
    position.value = null;
    failed.value = null;
    const watch = watchOrder(server(), id, {
      view: (next) => {
        view.value = next;
        // Nobody is shown where a driver is before the pickup and after the delivery.
        if (next.status !== "picked_up") position.value = null;
      },
      position: (next) => (position.value = next),
      source: (next) => (source.value = next),
      fresh: (next) => (fresh.value = next),
      ended: (error) => (failed.value = error),
    });
    return () => watch.stop();
  }, [id]);
  if (failed.value !== null && view.value === null) {
    return <Failure error={failed.value} again={() => location.reload()} />;
  }
  if (view.value === null) return <Bones count={3} height={170} />;
  return <Tracking view={view.value} position={position.value} source={source.value} fresh={fresh.value} />;
}

function Tracking({
  view,
  position,
  source,
  fresh,
}: {
  readonly view: OrderView;
  readonly position: PositionView | null;
  readonly source: OrderSource | null;
  /** False: the node itself has not heard of it for a while. */
  readonly fresh: boolean;
}) {
  const over = isTerminal(view.status);
  useEffect(() => {
    // For whoever waits in another tab.
    const before = document.title;
    document.title = `${STATUS_TITLE[view.status]} · ${view.restaurant.name}`;
    return () => {
      document.title = before;
    };
  }, [view.status]);
  return (
    <div class={over ? "tracking over" : "tracking"}>
      {!over && <TrackingMap view={view} position={position} />}
      <div class="stack tracking-side">
        <div class="row">
          <IconButton label="Back" onClick={() => back("orders")}>
            <BackIcon />
          </IconButton>
          <span class="grow soft small">
            <bdi>{view.restaurant.name}</bdi> · {shortId(view.orderId)}
          </span>
          {!fresh ? (
            <span class="chip busy">May be out of date</span>
          ) : (
            source !== null && source !== "socket" && <span class="chip busy">Slow connection</span>
          )}
        </div>
        <Headline view={view} />
        {!over && <Progress status={view.status} />}
        {view.anotherFirst && (
          <p class="notice info">
            <ScooterIcon /> Your driver is delivering another order first. You are next.
          </p>
        )}
        {view.driver !== undefined && !over && <DriverLine view={view} position={position} />}
        {view.status === "delivered" && (
          <Rating orderId={view.orderId} restaurant={view.restaurant.name} driver={view.driver?.name ?? null} />
        )}
        <Receipt view={view} />
        {over && <OrderAgain view={view} />}
        <Reach view={view} />
        <Timeline view={view} />
        {!over && <Cancel view={view} />}
      </div>
    </div>
  );
}

function Headline({ view }: { readonly view: OrderView }) {
  const delivered = view.timeline.findLast(({ kind }) => kind === "delivered");
  const over = isTerminal(view.status);
  // Until its kitchen is told, an order for later is an appointment.
  const planned = view.deliverAt !== undefined && view.status === "confirmed" ? view.deliverAt : null;
  return (
    <div class="stack tight" aria-live="polite">
      {planned !== null ? (
        <>
          <span class="soft">Planned for</span>
          <span class="eta number">{laterText(planned, now.value)}</span>
        </>
      ) : view.eta !== undefined && view.eta.to > now.value ? (
        <>
          <span class="soft">Arriving</span>
          <span class="eta number">{timeRange(view.eta.from, view.eta.to)}</span>
        </>
      ) : (
        view.eta !== undefined && <span class="eta">Any moment now</span>
      )}
      <h1 class={view.eta === undefined ? "" : "under-eta"}>
        {planned !== null ? "Paid, and in the book" : STATUS_TITLE[view.status]}
      </h1>
      {delivered !== undefined && <p class="soft">At {timeOfDay(delivered.at)}. Enjoy your meal!</p>}
      {view.reason !== undefined && <p class="soft">{capital(formatReason(view.reason))}.</p>}
      {over && view.status !== "delivered" && <p class="soft">You are not charged.</p>}
    </div>
  );
}

function Progress({ status }: { readonly status: OrderStatus }) {
  const order: OrderStatus[] = ["placed", "confirmed", "accepted", "preparing", "ready", "picked_up", "delivered"];
  const reached = order.indexOf(status);
  const done = STEPS.filter((step) => order.indexOf(step) <= reached).length;
  return (
    <div class="steps" role="img" aria-label={`Step ${done} of ${STEPS.length}`}>
      {STEPS.map((step, index) => (
        <span key={step} class={index < done ? "step done" : index === done ? "step next" : "step"} />
      ))}
    </div>
  );
}

function TrackingMap({ view, position }: { readonly view: OrderView; readonly position: PositionView | null }) {
  const ageMs = position === null ? 0 : now.value - position.at;
  const driver: readonly MapMark[] =
    position === null
      ? []
      : [
          {
            id: "driver",
            kind: "driver",
            at: position,
            label: `${view.driver?.name ?? "Driver"}, ${ageText(ageMs)}`,
            stale: ageMs > STALE_MS,
          },
        ];
  const from = position ?? view.restaurant;
  const way = useWay(from, view.destination);
  return (
    <div class="map-box tracking-map">
      <TripMap
        label="Map with the restaurant, your address and your driver"
        marks={[
          { id: "restaurant", kind: "restaurant", at: view.restaurant, label: view.restaurant.name },
          { id: "home", kind: "home", at: view.destination, label: "You" },
          ...driver,
        ]}
        line={position === null ? [] : way.points}
      />
      {position !== null && (
        <span class={ageMs > STALE_MS ? "chip map-note busy" : "chip map-note"}>
          {ageMs > STALE_MS ? `Last seen ${ageText(ageMs)}` : `Live, ${ageText(ageMs)}`}
        </span>
      )}
    </div>
  );
}

function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  return seconds < 3 ? "just now" : seconds < 90 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function DriverLine({ view, position }: { readonly view: OrderView; readonly position: PositionView | null }) {
  const driver = view.driver!;
  return (
    <div class="panel row">
      <span class="driver-face" aria-hidden="true">
        {[...driver.name].slice(0, 1)}
      </span>
      <span class="grow">
        <strong dir="auto">{driver.name}</strong>
        <span class="small soft block">
          {capital(driver.vehicle)}
          {position === null && view.status !== "picked_up" && " · on the map from pickup on"}
        </span>
      </span>
    </div>
  );
}

/** The driver from the pickup on, and support at any time. */
function Reach({ view }: { readonly view: OrderView }) {
  const { orderId, status } = view;
  const support = useSignal<string | null>(null);
  useEffect(() => {
    // Who comes back to this page hears what support answered meanwhile.
    const stop = new AbortController();
    server()
      .http.get<{ readonly rooms: readonly RoomView[] }>("/v1/me/rooms", {}, stop.signal)
      .then(({ rooms }) => {
        support.value = rooms.find((room) => room.kind === "support" && room.orderId === orderId)?.roomId ?? null;
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [orderId]);
  return (
    <div class="chat-reach">
      {(status === "picked_up" || view.roomId !== undefined) && (
        <TalkButton
          client={server()}
          side="customer"
          label="Message"
          title={view.driver?.name ?? "Your driver"}
          hint="Write to your driver. Neither of you sees the other's number."
          room={view.roomId ?? null}
          open={() => openTripRoom(server(), orderId)}
        />
      )}
      {status === "picked_up" && <CallButton client={server()} orderId={orderId} />}
      <TalkButton
        client={server()}
        side="customer"
        label="Help"
        title="Support"
        hint="What went wrong? An agent answers here, and what you write stays."
        room={support.value}
        open={() => openSupportRoom(server(), orderId)}
      />
    </div>
  );
}

function Receipt({ view }: { readonly view: OrderView }) {
  const { totals } = view;
  const money = (minor: number): string => formatMoney(minor, totals.currency);
  return (
    <details class="panel receipt" open={isTerminal(view.status)}>
      <summary>
        <strong class="grow">Your order</strong>
        <span class="number">{money(totals.totalMinor)}</span>
      </summary>
      <dl class="facts">
        {view.lines.map((line, index) => (
          <div key={`${line.itemId}-${index}`}>
            <dt>
              {line.quantity} × <bdi>{line.name}</bdi>
              {line.options !== undefined && (
                <span class="small soft block">
                  <bdi>{line.options.map(({ name }) => name).join(", ")}</bdi>
                </span>
              )}
            </dt>
            <dd>{money(portionMinor(line) * line.quantity)}</dd>
          </div>
        ))}
        <div>
          <dt>Delivery</dt>
          <dd>{money(totals.feeMinor)}</dd>
        </div>
        <div>
          <dt>Tax</dt>
          <dd>{money(totals.taxMinor)}</dd>
        </div>
        {totals.tipMinor > 0 && (
          <div>
            <dt>Tip</dt>
            <dd>{money(totals.tipMinor)}</dd>
          </div>
        )}
        {totals.discountMinor > 0 && (
          <div>
            <dt>Discount</dt>
            <dd>−{money(totals.discountMinor)}</dd>
          </div>
        )}
        <div class="total">
          <dt>Total</dt>
          <dd>{money(totals.totalMinor)}</dd>
        </div>
        {view.refundedMinor !== undefined && view.refundedMinor > 0 && (
          <div class="total">
            <dt>Given back</dt>
            <dd>{money(view.refundedMinor)}</dd>
          </div>
        )}
      </dl>
    </details>
  );
}

/** By which ways the restaurant was reached for is for those who run the kitchens; a customer reads once that it was. */
const isReminder = ({ kind, reason }: OrderView["timeline"][number]): boolean =>
  kind === "escalated" && reason?.startsWith("restaurant:") === true;

function Timeline({ view }: { readonly view: OrderView }) {
  const steps = view.timeline
    .filter((step, index, all) => !(isReminder(step) && all.slice(0, index).some(isReminder)))
    .reverse();
  return (
    <ol class="timeline panel" aria-label="What has happened, newest first">
      {steps.map((step, index) => (
        <li key={`${step.kind}-${step.at}-${index}`} class={index === 0 ? "latest" : ""}>
          <span class="grow">
            {isReminder(step) ? "Reminding the restaurant" : STEP_LABEL[step.kind]}
            {step.kind === "eta_changed" && step.reason !== undefined && (
              <span class="small soft block">{formatReason(step.reason)}</span>
            )}
          </span>
          <time class="small soft number" dateTime={new Date(step.at).toISOString()}>
            {timeOfDay(step.at)}
          </time>
        </li>
      ))}
    </ol>
  );
}

const REASONS = ["I changed my mind", "It takes too long", "I ordered by mistake", "The address is wrong"];

function Cancel({ view }: { readonly view: OrderView }) {
  const asking = useSignal(false);
  const cancelling = useAction(async (reason: string) => {
    await server().command("order.cancel", { orderId: view.orderId, reason });
    asking.value = false;
  });
  if (view.status === "picked_up") return null;
  return (
    <>
      <Button kind="plain" onClick={() => (asking.value = true)}>
        <CloseIcon /> Cancel this order
      </Button>
      {asking.value && (
        <Sheet title="Cancel this order?" onClose={() => (asking.value = false)}>
          <div class="stack">
            <p class="soft">Tell us why, and the order ends at once. You are not charged.</p>
            {REASONS.map((reason) => (
              <Button
                key={reason}
                kind="secondary"
                block
                busy={cancelling.busy}
                onClick={() => void cancelling.run(reason)}
              >
                {reason}
              </Button>
            ))}
            <Button kind="plain" block onClick={() => (asking.value = false)}>
              <CheckIcon /> Keep my order
            </Button>
          </div>
        </Sheet>
      )}
    </>
  );
}
