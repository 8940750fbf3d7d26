/** One order for an operator: what it is, why this driver, what can be done about it. */
import { useSignal } from "@preact/signals";
import { isTerminal, type OrderView } from "../../../../sdk/mod.js";
import { useAction } from "../../../shared/actions.js";
import { formatArrival, formatMoney, formatReason, shortId } from "../../../shared/format.js";
import { Button, IconButton } from "../../../shared/kit/controls.js";
import { CloseIcon } from "../../../shared/kit/icons.js";
import { Bones } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { now } from "../../../shared/line/node.js";
import { capital, dayOf, failureText, hasCode, plural, STEP_LABEL, timeOfDay } from "../../../shared/words.js";
import { chosenDispatch, chosenOrder, chosenProblem, select, server } from "../store/city.js";
import { AssignSheet } from "./assign-sheet.js";
import { ReasonSheet } from "./reason-sheet.js";
import { RefundSheet } from "./refund-sheet.js";
import { Suspend } from "./restaurants.js";
import { Why } from "./why.js";

type Doing = "assign" | "cancel" | "refund";

export function OrderPanel({ id }: { readonly id: string }) {
  const view = chosenOrder.value;
  const doing = useSignal<Doing | null>(null);
  const close = (): void => {
    doing.value = null;
  };
  const cancelling = useAction(async (reason: string) => {
    await server().command("order.cancel", { orderId: id, reason });
    say("The order is cancelled");
    close();
  });
  return (
    <div class="stack">
      <div class="between">
        <h2 class="grow">{view?.restaurant.name ?? "Order"}</h2>
        <IconButton label="Close" onClick={() => select(null)}>
          <CloseIcon />
        </IconButton>
      </div>
      {chosenProblem.value !== null && (
        <p class="notice bad" role="alert">
          {hasCode(chosenProblem.value, "not_found")
            ? "There is no order of this number."
            : failureText(chosenProblem.value)}
        </p>
      )}
      {view === null ? (
        chosenProblem.value === null && <Bones count={3} height={70} />
      ) : (
        <>
          <Summary view={view} />
          <div class="row wrap">
            {!isTerminal(view.status) && (
              <>
                <Button kind="secondary" size="little" onClick={() => (doing.value = "assign")}>
                  Assign a driver
                </Button>
                <Button kind="danger" size="little" onClick={() => (doing.value = "cancel")}>
                  Cancel
                </Button>
              </>
            )}
            {view.status === "delivered" && (
              <Button kind="secondary" size="little" onClick={() => (doing.value = "refund")}>
                Refund
              </Button>
            )}
            <Suspend restaurantId={view.restaurant.id} name={view.restaurant.name} />
          </div>
          {chosenDispatch.value !== null && <Why view={chosenDispatch.value} />}
          <History view={view} />
        </>
      )}
      {doing.value === "cancel" && (
        <ReasonSheet
          title="Cancel this order"
          about="Driver and restaurant are told, and the customer's money is given back."
          button="Cancel the order"
          busy={cancelling.busy}
          onDone={(reason) => void cancelling.run(reason)}
          onClose={close}
        />
      )}
      {doing.value === "assign" && <AssignSheet orderId={id} onClose={close} />}
      {doing.value === "refund" && view !== null && <RefundSheet view={view} onClose={close} />}
    </div>
  );
}

function Summary({ view }: { readonly view: OrderView }) {
  const { totals } = view;
  const portions = view.lines.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <dl class="facts panel">
      <div>
        <dt>Order</dt>
        <dd>{shortId(view.orderId)}</dd>
      </div>
      <div>
        <dt>Status</dt>
        <dd>
          <strong>{STEP_LABEL[view.status]}</strong>
        </dd>
      </div>
      {view.deliverAt !== undefined && (
        <div>
          <dt>Ordered for</dt>
          <dd>
            {dayOf(view.deliverAt)}, {timeOfDay(view.deliverAt)}
          </dd>
        </div>
      )}
      {view.eta !== undefined && (
        <div>
          <dt>Arrives</dt>
          <dd>{formatArrival(view.eta.from, view.eta.to, now.value)}</dd>
        </div>
      )}
      <div>
        <dt>{plural(portions, "item")}</dt>
        <dd>{formatMoney(totals.totalMinor, totals.currency)}</dd>
      </div>
      {view.driver !== undefined && (
        <div>
          <dt>Driver</dt>
          <dd>
            {view.driver.name}, {view.driver.vehicle}
          </dd>
        </div>
      )}
      {view.reason !== undefined && (
        <div>
          <dt>Why it ended</dt>
          <dd>{capital(formatReason(view.reason))}</dd>
        </div>
      )}
    </dl>
  );
}

function History({ view }: { readonly view: OrderView }) {
  return (
    <details class="panel" open>
      <summary class="strong">What has happened</summary>
      <ol class="rows">
        {[...view.timeline].reverse().map((step, index) => (
          <li key={`${step.kind}-${step.at}-${index}`} class="between history-row">
            <span>
              {STEP_LABEL[step.kind]} <span class="small soft">by {step.by}</span>
              {step.reason !== undefined && <span class="small soft block">{formatReason(step.reason)}</span>}
            </span>
            <time class="small soft number" dateTime={new Date(step.at).toISOString()}>
              {timeOfDay(step.at)}
            </time>
          </li>
        ))}
      </ol>
    </details>
  );
}
