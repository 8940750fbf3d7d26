/** An order that is not on the trip any more: that it is so, why, and what to do with its food. */
import { formatReason } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { AlertIcon, CheckIcon } from "../../../shared/kit/icons.js";
import { capital } from "../../../shared/words.js";
import { putAway, type TakenOrder, taken } from "../store/taken.js";
import { claimFood } from "../store/work.js";

const REASONS: Readonly<Record<string, string>> = {
  driver_lost: "We heard nothing of this phone for too long",
  pickup_too_late: "The pickup took too long",
  "assigned to another driver": "Somebody gave it to another driver",
};

export function TakenOrders() {
  return taken.value.map((order) => <TakenCard key={order.orderId} order={order} />);
}

function TakenCard({ order: { orderId, name, reason, state, mayHaveFood } }: { readonly order: TakenOrder }) {
  const mayAsk = mayHaveFood && state === "told";
  return (
    <div class="notice busy taken" role="alert">
      <AlertIcon />
      <div class="grow stack">
        <span>
          <strong class="block">{name}: not on your trip any more</strong>
          {state === "asked"
            ? "You have the food: we are giving the order back to you."
            : state === "gone"
              ? "Another driver has it by now, or it is over."
              : reason !== null && `${REASONS[reason] ?? capital(formatReason(reason))}.`}
        </span>
        {state !== "asked" && (
          <div class="row wrap">
            {mayAsk && (
              <Button kind="good" onClick={() => claimFood(orderId)}>
                <CheckIcon /> I have the food
              </Button>
            )}
            <Button kind="secondary" onClick={() => putAway(orderId)}>
              {mayAsk ? "I do not have it" : "All right"}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
