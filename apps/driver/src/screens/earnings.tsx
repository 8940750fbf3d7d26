/** What a driver has earned: by day, then delivery by delivery. */
import { http } from "../../../shared/account/session.js";
import { formatMoney, shortId } from "../../../shared/format.js";
import { WalletIcon } from "../../../shared/kit/icons.js";
import { Bones, Empty, Failure } from "../../../shared/kit/states.js";
import { useFreshness, useReading } from "../../../shared/reading.js";
import { dayOf, plural, timeOfDay } from "../../../shared/words.js";

/** What was delivered is in the books soon after. */
const BOOKED_WITHIN_MS = 15_000;

interface Delivery {
  readonly orderId: string;
  readonly at: number;
  readonly currency: string;
  readonly payMinor: number;
  readonly tipMinor: number;
  readonly totalMinor: number;
}

interface Earnings {
  readonly totals: readonly {
    readonly currency: string;
    readonly deliveries: number;
    readonly payMinor: number;
    readonly tipMinor: number;
    readonly totalMinor: number;
  }[];
  readonly deliveries: readonly Delivery[];
}

export function EarningsPage() {
  const { reading, again, refresh } = useReading(
    (stop) => http.get<Earnings>("/v1/drivers/me/earnings", { limit: 200 }, stop),
    [],
  );
  useFreshness(refresh, BOOKED_WITHIN_MS);
  if (reading.name === "failed") return <Failure error={reading.error} again={again} />;
  if (reading.name === "loading") return <Bones count={4} height={80} />;
  const { totals, deliveries } = reading.value;
  if (deliveries.length === 0) {
    return (
      <Empty picture={<WalletIcon />} title="Nothing earned this week">
        Pay and tips appear here soon after each delivery.
      </Empty>
    );
  }
  const days = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const day = dayOf(delivery.at);
    const present = days.get(day);
    if (present === undefined) days.set(day, [delivery]);
    else present.push(delivery);
  }
  return (
    <div class="stack wide narrow">
      {totals.map((total) => (
        <section key={total.currency} class="panel" aria-label="The last seven days">
          <p class="soft">The last seven days</p>
          <p class="earned number">{formatMoney(total.totalMinor, total.currency)}</p>
          <p class="soft">
            {plural(total.deliveries, "delivery", "deliveries")}
            {total.tipMinor > 0 && ` · ${formatMoney(total.tipMinor, total.currency)} of it tips`}
          </p>
        </section>
      ))}
      {[...days].map(([day, list]) => (
        <section key={day} class="stack" aria-label={day}>
          <h2>{day}</h2>
          <ul class="rows panel">
            {list.map((delivery) => (
              <li key={delivery.orderId} class="between earning">
                <span>
                  {timeOfDay(delivery.at)} <span class="small soft">{shortId(delivery.orderId)}</span>
                  {delivery.tipMinor > 0 && (
                    <span class="small soft block">Tip {formatMoney(delivery.tipMinor, delivery.currency)}</span>
                  )}
                </span>
                <strong class="number">{formatMoney(delivery.totalMinor, delivery.currency)}</strong>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
