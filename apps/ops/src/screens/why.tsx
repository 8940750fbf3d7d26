/** Why this driver: what is known of whoever was asked, what the trip was expected to bring, and what the choice was made of. */
import type { DispatchView } from "../../../../sdk/mod.js";
import { formatReason, shortId } from "../../../shared/format.js";
import { capital, plural, timeOfDay } from "../../../shared/words.js";

type Offer = DispatchView["offers"][number];
type Evidence = NonNullable<Offer["evidence"]>;

const OUTCOME: Readonly<Record<Offer["outcome"], string>> = {
  open: "deciding",
  won: "took it",
  lost: "was too late",
  expired: "did not answer",
  withdrawn: "withdrawn",
  declined: "declined",
};
const BY: Readonly<Record<Offer["by"], string>> = {
  horizon: "by the plan of all orders and drivers",
  simple: "nearest driver, without a plan",
  manual: "by a person",
};
/** Minutes of the city, whose day may pass faster than the clock. */
type Minutes = (durationMs: number) => string;

export function Why({ view }: { readonly view: DispatchView }) {
  const minutes: Minutes = (durationMs) => `${(durationMs / (view.minuteMs ?? 60_000)).toFixed(1)} min`;
  return (
    <details class="panel why" open>
      <summary class="strong">Why this driver</summary>
      {view.offers.length === 0 ? (
        <p class="soft small">
          {view.search === "none" ? "The search has not begun." : "Nobody has been asked yet: the food is not due."}
        </p>
      ) : (
        <>
          <Search view={view} />
          <ol class="rows">
            {[...view.offers].reverse().map((offer, index) => (
              <li key={offer.offerId} class="why-offer">
                <div class="between">
                  <strong>Driver {shortId(offer.driverId)}</strong>
                  <span class={offer.outcome === "won" ? "chip good" : offer.outcome === "open" ? "chip info" : "chip"}>
                    {OUTCOME[offer.outcome]}
                  </span>
                </div>
                <p class="small soft">
                  Asked at {timeOfDay(offer.madeAt)}, {BY[offer.by]}
                  {offer.orderIds.length > 1 && `, with ${plural(offer.orderIds.length, "order")} on one trip`}
                </p>
                {offer.evidence === undefined ? (
                  <p class="small">{capital(formatReason(offer.why))}</p>
                ) : (
                  <Reasons evidence={offer.evidence} minutes={minutes} open={index === 0} />
                )}
              </li>
            ))}
          </ol>
        </>
      )}
    </details>
  );
}

/** When it was time to ask, and when somebody was asked. */
function Search({ view: { dueAt, firstOfferAt } }: { readonly view: DispatchView }) {
  if (dueAt === null || firstOfferAt === null) return null;
  return (
    <p class="small soft">
      Time to ask came at {timeOfDay(dueAt)}; the first driver was asked{" "}
      {(Math.max(0, firstOfferAt - dueAt) / 1000).toFixed(1)} s later.
    </p>
  );
}

function Reasons(props: { readonly evidence: Evidence; readonly minutes: Minutes; readonly open: boolean }) {
  const { evidence, minutes, open } = props;
  const { terms, alternatives } = evidence;
  return (
    <>
      {evidence.chosen !== undefined && <p class="small">{about(evidence.chosen)}</p>}
      <details class="small" open={open}>
        <summary>What was expected of the trip</summary>
        <dl class="facts">
          <Fact name="Way to the restaurant" value={minutes(terms.travelMs)} />
          <Fact name="Driver waits for the food" value={minutes(terms.driverWaitsMs)} />
          <Fact name="Food waits for the driver" value={minutes(terms.foodWaitsMs)} />
          <Fact name="Until the driver is free again" value={minutes(terms.busyMs)} />
          {terms.sharingMs > 0 && <Fact name="Longer for sharing the trip" value={minutes(terms.sharingMs)} />}
        </dl>
      </details>
      <details class="small" open={open}>
        <summary>What the choice weighed, in minutes of a customer’s waiting</summary>
        <dl class="facts">
          <Fact name="Later than any driver could be" value={minutes(terms.delayMs)} />
          <Fact name="Later than promised" value={minutes(terms.lateMs)} />
          <Fact name="Offers that this driver declines" value={minutes(terms.acceptanceMs)} />
          <Fact name="More than a fair share of the work" value={minutes(terms.fairnessMs)} />
          {terms.ratingMs !== undefined && <Fact name="Customers’ ratings" value={minutes(terms.ratingMs)} />}
          <div class="strong">
            <dt>All together</dt>
            <dd>{minutes(terms.costMs)}</dd>
          </div>
        </dl>
        {alternatives.slice(0, 3).map(({ driverId, extraMs }) => (
          <p key={driverId} class="soft">
            {extraMs >= 0
              ? `Driver ${shortId(driverId)} instead: ${minutes(extraMs)} more.`
              : `Driver ${shortId(driverId)} would have cost ${minutes(-extraMs)} less, and is needed for another order.`}
          </p>
        ))}
      </details>
      <p class="small soft">
        Decided at {timeOfDay(evidence.decidedAt)} among {plural(evidence.drivers, "driver")} and{" "}
        {plural(evidence.orders, "order")} that waited.
      </p>
    </>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function about({ vehicle, acceptance, busyShare, rating }: NonNullable<Evidence["chosen"]>): string {
  const stars =
    rating.count === 0
      ? "not rated yet"
      : `rated ${rating.average.toFixed(1)} of 5 by ${plural(rating.count, "customer")}`;
  const accepts = `accepts ${Math.round(acceptance * 100)} % of offers`;
  return capital(`${vehicle}, ${accepts}, on trips for ${Math.round(busyShare * 100)} % of the shift, ${stars}.`);
}
