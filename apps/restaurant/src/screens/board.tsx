/** The kitchen's board: what is new, what cooks, what waits for its driver. */
import { useSignal } from "@preact/signals";
import { useAction } from "../../../shared/actions.js";
import { formatMoney, formatReason, shortId } from "../../../shared/format.js";
import { Button, Segments, Stepper } from "../../../shared/kit/controls.js";
import { BellIcon, CheckIcon, ClockIcon, MenuIcon, ScooterIcon } from "../../../shared/kit/icons.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { Bones, Empty } from "../../../shared/kit/states.js";
import { now } from "../../../shared/line/node.js";
import { useSettling } from "../../../shared/settling.js";
import { capital, STEP_LABEL, timeOfDay } from "../../../shared/words.js";
import {
  accept,
  cancel,
  cooking,
  ended,
  handOver,
  incoming,
  type KitchenOrder,
  markReady,
  ready,
  reject,
  startCooking,
  waiting,
} from "../store/inbox.js";

type Column = "incoming" | "cooking" | "waiting";
const REFUSALS = ["We are too busy", "Something is sold out", "We are closing", "We cannot make it like this"];
const CANCELLATIONS = ["Something is sold out", "The kitchen has stopped", "An accident"];
const MINUTES = { usual: 15, step: 5, least: 5, most: 90 };

export function Board() {
  const column = useSignal<Column>("incoming");
  if (!ready.value && incoming.value.length + cooking.value.length + waiting.value.length === 0) {
    return <Bones count={3} height={180} />;
  }
  const columns = [
    { name: "incoming" as const, title: "New", orders: incoming.value, empty: "New orders ring and appear here." },
    { name: "cooking" as const, title: "In the kitchen", orders: cooking.value, empty: "Nothing is cooking." },
    { name: "waiting" as const, title: "Ready", orders: waiting.value, empty: "Nothing waits for a driver." },
  ];
  return (
    <>
      <div class="board-tabs">
        <Segments
          label="Orders"
          value={column.value}
          options={columns.map(({ name, title, orders }) => ({ value: name, label: `${title} (${orders.length})` }))}
          onChange={(next) => (column.value = next)}
        />
      </div>
      <div class="board">
        {columns.map((each) => (
          <OneColumn key={each.name} {...each} chosen={column.value === each.name} />
        ))}
      </div>
    </>
  );
}

function OneColumn({
  name,
  title,
  orders,
  empty,
  chosen,
}: {
  readonly name: Column;
  readonly title: string;
  readonly orders: readonly KitchenOrder[];
  readonly empty: string;
  readonly chosen: boolean;
}) {
  const settling = useSettling(orders.map(({ orderId }) => orderId));
  return (
    <section class={chosen ? "column chosen" : "column"} aria-label={title}>
      <h2 class="column-title">
        {title} <span class="chip">{orders.length}</span>
      </h2>
      {orders.length === 0 ? (
        <Empty picture={name === "incoming" ? <BellIcon /> : <MenuIcon />} title="All clear">
          {empty}
        </Empty>
      ) : (
        <ul class={`stack ${settling}`}>
          {orders.map((order) => (
            <li key={order.orderId}>
              <Ticket order={order} />
            </li>
          ))}
        </ul>
      )}
      {name === "waiting" && <Ended />}
    </section>
  );
}

function Ticket({ order }: { readonly order: KitchenOrder }) {
  const isNew = order.status === "placed" || order.status === "confirmed";
  const portions = order.lines.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <article class={isNew ? "ticket new" : "ticket"} aria-label={`Order ${shortId(order.orderId)}`}>
      <header class="between">
        <span class="ticket-number">{shortId(order.orderId)}</span>
        <Due order={order} />
      </header>
      <ul class="ticket-lines">
        {order.lines.map((line, index) => (
          <li key={`${line.itemId}-${index}`}>
            <span class="ticket-count">{line.quantity}</span>
            <span class="grow">
              <bdi>{line.name}</bdi>
              {line.options !== undefined && (
                <span class="ticket-choices" dir="auto">
                  {line.options.map(({ name }) => name).join(", ")}
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
      {order.deliverAt !== undefined && (
        <p class="row strong">
          <ClockIcon /> To be there at {timeOfDay(order.deliverAt)}
        </p>
      )}
      {order.note !== undefined && (
        <p class="notice busy" dir="auto">
          {order.note}
        </p>
      )}
      <p class="small soft">
        {portions} {portions === 1 ? "portion" : "portions"} ·{" "}
        {formatMoney(order.totals.itemsMinor, order.totals.currency)} · ordered {timeOfDay(order.placedAt)}
      </p>
      {order.driver !== undefined && (
        <p class="row small">
          <ScooterIcon /> <bdi>{order.driver.name}</bdi>, {order.driver.vehicle}
        </p>
      )}
      {isNew ? <Answer order={order} /> : <Advance order={order} />}
    </article>
  );
}

/** What the clock says of it: how long to answer, how long until it was promised. */
function Due({ order }: { readonly order: KitchenOrder }) {
  if (order.status === "placed" || order.status === "confirmed") {
    const seconds = Math.max(0, Math.ceil((order.acceptBy - now.value) / 1000));
    const text = seconds > 90 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`;
    return (
      <span class={seconds < 60 ? "chip bad" : "chip busy"}>
        <ClockIcon /> {text} to answer
      </span>
    );
  }
  if (order.promisedAt === undefined || order.status === "ready") return null;
  const minutes = Math.round((order.promisedAt - now.value) / 60_000);
  return (
    <span class={minutes < 0 ? "chip bad" : minutes < 3 ? "chip busy" : "chip"}>
      <ClockIcon /> {minutes < 0 ? `${-minutes} min late` : `${minutes} min left`}
    </span>
  );
}

function Answer({ order }: { readonly order: KitchenOrder }) {
  const minutes = useSignal(MINUTES.usual);
  const refusing = useSignal(false);
  const accepting = useAction(() => accept(order.orderId, minutes.value));
  const rejecting = useAction(async (reason: string) => {
    await reject(order.orderId, reason);
    refusing.value = false;
  });
  return (
    <div class="stack">
      <div class="between">
        <span class="strong">Ready in</span>
        <Stepper
          label="Minutes until it is ready"
          value={minutes.value}
          min={MINUTES.least}
          max={MINUTES.most}
          step={MINUTES.step}
          unit="min"
          onChange={(value) => (minutes.value = value)}
        />
      </div>
      <div class="ticket-buttons">
        <Button kind="danger" size="large" onClick={() => (refusing.value = true)}>
          Reject
        </Button>
        <Button kind="good" size="large" busy={accepting.busy} onClick={() => void accepting.run()}>
          <CheckIcon /> Accept
        </Button>
      </div>
      {refusing.value && (
        <Reasons
          title="Why can you not take it?"
          reasons={REFUSALS}
          busy={rejecting.busy}
          choose={(reason) => void rejecting.run(reason)}
          close={() => (refusing.value = false)}
        />
      )}
    </div>
  );
}

function Advance({ order }: { readonly order: KitchenOrder }) {
  const stopping = useSignal(false);
  const cooks = useAction(() => startCooking(order.orderId));
  const done = useAction(() => markReady(order.orderId));
  const cancelling = useAction(async (reason: string) => {
    await cancel(order.orderId, reason);
    stopping.value = false;
  });
  if (order.status === "ready") {
    return order.driver === undefined ? (
      <p class="notice good">Waiting for a driver</p>
    ) : (
      <Button kind="good" size="large" block onClick={() => handOver(order.orderId)}>
        <CheckIcon /> Handed to {order.driver.name}
      </Button>
    );
  }
  return (
    <div class="stack">
      <div class="ticket-buttons">
        {order.status === "accepted" ? (
          <Button kind="quiet" size="large" busy={cooks.busy} onClick={() => void cooks.run()}>
            Start
          </Button>
        ) : (
          <Button kind="plain" onClick={() => (stopping.value = true)}>
            Cancel
          </Button>
        )}
        <Button size="large" busy={done.busy} onClick={() => void done.run()}>
          <CheckIcon /> Ready
        </Button>
      </div>
      {stopping.value && (
        <Reasons
          title="Why does it end here?"
          reasons={CANCELLATIONS}
          busy={cancelling.busy}
          choose={(reason) => void cancelling.run(reason)}
          close={() => (stopping.value = false)}
        />
      )}
    </div>
  );
}

function Reasons(props: {
  readonly title: string;
  readonly reasons: readonly string[];
  readonly busy: boolean;
  readonly choose: (reason: string) => void;
  readonly close: () => void;
}) {
  return (
    <Sheet title={props.title} onClose={props.close}>
      <div class="stack">
        {props.reasons.map((reason) => (
          <Button
            key={reason}
            kind="secondary"
            size="large"
            block
            busy={props.busy}
            onClick={() => props.choose(reason)}
          >
            {reason}
          </Button>
        ))}
      </div>
    </Sheet>
  );
}

function Ended() {
  if (ended.value.length === 0) return null;
  return (
    <details class="panel ended">
      <summary class="strong">Just finished ({ended.value.length})</summary>
      <ul class="rows">
        {ended.value.map((order) => (
          <li key={order.orderId} class="between ended-row">
            <span>
              {shortId(order.orderId)}
              {order.reason !== undefined && (
                <span class="small soft block">{capital(formatReason(order.reason))}</span>
              )}
            </span>
            <span class="small soft">{STEP_LABEL[order.status]}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
