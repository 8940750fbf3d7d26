/** The card of what is selected: an order with its timeline and arrival, or a driver with the orders carried. */
import type { ComponentChildren } from "preact";
import type { OrderView } from "../../../../sdk/mod.js";
import { formatArrival, formatClock, formatMoney, formatReason, shortId } from "../../../shared/format.js";
import { DRIVER_COLOR, DRIVER_LABEL } from "../../../shared/map/pucks.js";
import { STAGE_LABEL, type Stage, stageColor, stageOf } from "../../../shared/stages.js";
import { cityPicture, clock, following, restaurantName, revision, select, selectedView, selection } from "../store.js";
import { CloseIcon, TargetIcon } from "./icons.js";
import { StageMark } from "./stage-mark.js";

type TimelineKind = OrderView["timeline"][number]["kind"];

const STEP_LABEL: Readonly<Record<TimelineKind, string>> = {
  placed: "Placed",
  confirmed: "Confirmed",
  accepted: "Accepted by the restaurant",
  preparing: "Cooking",
  ready: "Ready for pickup",
  picked_up: "Picked up",
  delivered: "Delivered",
  cancelled: "Cancelled",
  rejected: "Rejected",
  undeliverable: "Could not be delivered",
  driver_assigned: "Driver assigned",
  driver_unassigned: "Driver changed",
  driver_near: "Driver is near",
  driver_arrived: "Driver has arrived",
  eta_changed: "New arrival time",
  escalated: "Support looks into it",
  payment_captured: "Paid",
  payment_voided: "Payment released",
  payment_refunded: "Refunded",
  payment_refund_refused: "Refund was not possible",
};

const PROGRESS: readonly Stage[] = ["placed", "cooking", "waiting", "on_the_way", "delivered"];

export function Card() {
  const chosen = selection.value;
  if (chosen === null) return null;
  return (
    <section class="card surface" aria-label={chosen.kind === "order" ? "Selected order" : "Selected driver"}>
      {chosen.kind === "order" ? <OrderCard id={chosen.id} /> : <DriverCard id={chosen.id} />}
    </section>
  );
}

function Head({
  title,
  subtitle,
  children,
}: {
  title: ComponentChildren;
  subtitle: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="head">
      <div class="titles">
        <h2>{title}</h2>
        <p>{subtitle}</p>
      </div>
      {children}
      <button type="button" class="round" aria-label="Close" onClick={() => select(null)}>
        <CloseIcon />
      </button>
    </div>
  );
}

function OrderCard({ id }: { readonly id: string }) {
  revision.value;
  const order = cityPicture()?.order(id);
  const view = selectedView.value;
  const status = view?.status ?? order?.status;
  if (status === undefined) {
    return <Head title={`Order ${shortId(id)}`} subtitle="Waiting for news of this order…" />;
  }
  const stage = stageOf(status);
  const name = view?.restaurant.name ?? (order === undefined ? "" : restaurantName(order));
  return (
    <>
      <Head title={name} subtitle={`Order ${shortId(id)}`} />
      <div class="status" style={{ color: `var(${stageColor(stage)})` }}>
        <StageMark stage={stage} />
        <strong>{STAGE_LABEL[stage]}</strong>
        {view?.eta !== undefined && (
          <span class="eta">arrives {formatArrival(view.eta.from, view.eta.to, clock.now())}</span>
        )}
      </div>
      {stage !== "cancelled" && <Progress stage={stage} />}
      {view?.anotherFirst === true && <p class="note">The driver is delivering another order first.</p>}
      {view?.reason !== undefined && <p class="note">{formatReason(view.reason)}</p>}
      {view !== null && <Facts view={view} driverId={order?.driverId} />}
      {view !== null && <Timeline view={view} />}
    </>
  );
}

function Progress({ stage }: { readonly stage: Stage }) {
  const reached = PROGRESS.indexOf(stage);
  return (
    <div class="progress" role="img" aria-label={`Step ${reached + 1} of ${PROGRESS.length}`}>
      {PROGRESS.map((step, index) => (
        <span
          key={step}
          class={index === reached && stage !== "delivered" ? "progress-step current" : "progress-step"}
          style={{ background: index <= reached ? `var(${stageColor(stage)})` : "var(--line)" }}
        />
      ))}
    </div>
  );
}

function Facts({ view, driverId }: { readonly view: OrderView; readonly driverId: string | undefined }) {
  const items = view.lines.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <dl class="facts">
      <div>
        <dt>{items === 1 ? "1 item" : `${items} items`}</dt>
        <dd>{formatMoney(view.totals.totalMinor, view.totals.currency)}</dd>
      </div>
      <div>
        <dt>Driver</dt>
        <dd>
          {driverId === undefined ? (
            (view.driver?.name ?? "not yet")
          ) : (
            <button type="button" class="link" onClick={() => select({ kind: "driver", id: driverId })}>
              {view.driver === undefined
                ? `Driver ${shortId(driverId)}`
                : `${view.driver.name} · ${view.driver.vehicle}`}
            </button>
          )}
        </dd>
      </div>
      {view.destination.address !== undefined && (
        <div>
          <dt>To</dt>
          <dd>{view.destination.address}</dd>
        </div>
      )}
    </dl>
  );
}

function Timeline({ view }: { readonly view: OrderView }) {
  return (
    <ol class="timeline" aria-label="Timeline, newest first">
      {[...view.timeline].reverse().map((step, index) => (
        <li key={`${step.kind}-${step.at}`} class={index === 0 ? "latest" : ""}>
          <span>
            {STEP_LABEL[step.kind]}
            {step.reason !== undefined && <small>{formatReason(step.reason)}</small>}
          </span>
          <time dateTime={new Date(step.at).toISOString()}>{formatClock(step.at)}</time>
        </li>
      ))}
    </ol>
  );
}

function DriverCard({ id }: { readonly id: string }) {
  revision.value;
  const picture = cityPicture();
  const driver = picture?.driver(id);
  const orders = [...(picture?.orders() ?? [])].filter((order) => order.driverId === id);
  if (driver === undefined) return <Head title={`Driver ${shortId(id)}`} subtitle="Off shift, or out of reach" />;
  return (
    <>
      <Head title={`Driver ${shortId(id)}`} subtitle={orders.length === 1 ? "1 order" : `${orders.length} orders`}>
        <button
          type="button"
          class="round"
          aria-pressed={following.value}
          aria-label="Keep this driver in view"
          title="Keep this driver in view"
          onClick={() => {
            following.value = !following.value;
          }}
        >
          <TargetIcon />
        </button>
      </Head>
      <div class="status" style={{ color: `var(${DRIVER_COLOR[driver.state]})` }}>
        <span class={`puck ${driver.state}`} aria-hidden="true" />
        <strong>{DRIVER_LABEL[driver.state]}</strong>
      </div>
      {orders.length === 0 ? (
        <p class="note">{driver.state === "offered" ? "Deciding on an offer." : "No order at the moment."}</p>
      ) : (
        <ul class="carried">
          {orders.map((order) => {
            const stage = stageOf(order.status);
            return (
              <li key={order.id}>
                <button type="button" onClick={() => select({ kind: "order", id: order.id })}>
                  <StageMark stage={stage} />
                  <span class="text">{restaurantName(order)}</span>
                  <span class="aside">{STAGE_LABEL[stage]}</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
