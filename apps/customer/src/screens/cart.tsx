/** The order before it is placed: what, when, how much. Prices that changed meanwhile are shown and asked about again. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { type ArrivalQuote, type MenuView, type OrderTotals, orderTotals, portionMinor } from "../../../../sdk/mod.js";
import { sleep } from "../../../../src/lib/clock.js";
import { account, http } from "../../../shared/account/session.js";
import { clock } from "../../../shared/clock.js";
import { formatMoney } from "../../../shared/format.js";
import { Button, Field, IconButton, Segments, Stepper } from "../../../shared/kit/controls.js";
import { BackIcon, BagIcon, ClockIcon, ForwardIcon, PinIcon } from "../../../shared/kit/icons.js";
import { Empty, Failure } from "../../../shared/kit/states.js";
import { now } from "../../../shared/line/node.js";
import { useReading } from "../../../shared/reading.js";
import { back, go } from "../../../shared/router.js";
import { distanceText, failureText, minutesRange, timeRange } from "../../../shared/words.js";
import { type Cart, cart, itemsMinor, setExtras, setQuantity } from "../store/cart.js";
import { type DeliveryPlace, place } from "../store/place.js";
import { basketOf, placeOrder, sending } from "../store/placing.js";
import { open } from "../store/server.js";
import { choosePlace } from "./place-sheet.js";
import { closedText, laterText, When } from "./when.js";

/** Whoever types pauses for less; a code is judged once, and not at every letter, against the limit of all reading. */
const TYPING_MS = 500;
/** In thousandths of the food. */
const TIPS = [50, 100, 150];

/** None, some, and the one that is chosen; as round as people give them, in a currency of any size. */
function tipsFor(foodMinor: number, chosenMinor: number): readonly number[] {
  const some = TIPS.map((perMille) => Number(((foodMinor * perMille) / 1000).toPrecision(1))).filter((tip) => tip >= 1);
  return [...new Set([0, ...some.map(Math.round), chosenMinor])].sort((a, b) => a - b);
}

export function CartPage() {
  const { value } = cart;
  if (value === null) {
    return (
      <Empty
        picture={<BagIcon />}
        title="Nothing in your order yet"
        action={<Button onClick={() => go("")}>Find something good</Button>}
      />
    );
  }
  return <Checkout order={value} />;
}

/** Why it cannot be ordered like this, in words that say what to do; null: it can. */
function obstacleOf(menu: MenuView, order: Cart, expected: ArrivalQuote | null, missingMinor: number): string | null {
  if (expected?.delivers === false) {
    return `This address is too far away: they deliver within ${distanceText(menu.deliveryRadiusMeters)}.`;
  }
  if (!menu.open && order.deliverAt === null) return closedText(menu);
  if (missingMinor > 0) return `Add ${formatMoney(missingMinor, order.currency)} more: this kitchen has a minimum.`;
  return null;
}

interface Priced {
  /** What it is the price of. */
  readonly judged: string;
  readonly totals: OrderTotals;
}

function Checkout({ order }: { readonly order: Cart }) {
  // What was sent goes where it was sent to, whatever place is chosen by now.
  const to = order.sent?.destination;
  const at: DeliveryPlace | null = useMemo(
    () =>
      to?.lat === undefined || to.lng === undefined
        ? place.value
        : { lat: to.lat, lng: to.lng, address: to.address ?? "" },
    [to, place.value],
  );
  const busy = sending.value === order.key;
  const locked = order.sent !== undefined;
  const signedIn = account.value !== null;
  const changed = useSignal<readonly string[]>([]);
  const menu = useReading((stop) => open.menu(order.restaurantId, stop), [order.restaurantId, changed.value]);
  const quote = useReading<ArrivalQuote | null>(
    (stop) => (at === null ? Promise.resolve(null) : open.quote(order.restaurantId, at, stop)),
    [order.restaurantId, at],
  );
  const code = order.promotionCode.trim();
  // The node's own calculation, discount included, asked for when there is a code to be judged, and nobody types.
  const judged =
    signedIn && at !== null && code.length > 1 ? JSON.stringify({ ...basketOf(order, at), promotionCode: code }) : null;
  const price = useReading<Priced | null>(
    async (stop) => {
      if (judged === null) return null;
      await sleep(clock, TYPING_MS);
      stop.throwIfAborted();
      const { totals } = await http.send<Pick<Priced, "totals">>("POST", "/v1/orders/price", JSON.parse(judged), {
        signal: stop,
      });
      return { judged, totals };
    },
    [judged],
  );
  const known = menu.reading.name === "ready" ? menu.reading.value : null;
  const expected = quote.reading.name === "ready" ? quote.reading.value : null;
  const tariff = known ?? { currency: order.currency, taxPerMille: 0, deliveryFeeMinor: 0 };
  // A price of what was in the order before is none of this one.
  const priced = price.reading.name === "ready" && price.reading.value?.judged === judged ? price.reading.value : null;
  const totals = priced?.totals ?? orderTotals(order.lines, tariff, order.tipMinor);
  const { feeMinor: fee, taxMinor: tax, totalMinor: total, discountMinor: discount } = totals;
  const missing = Math.max(0, (known?.minimumOrderMinor ?? 0) - itemsMinor.value);
  // What was sent goes again as it is, whatever has changed meanwhile.
  const obstacle = locked || known === null ? null : obstacleOf(known, order, expected, missing);
  return (
    <div class="checkout">
      <div class="stack wide">
        <div class="row">
          <IconButton label="Back" onClick={() => back(`restaurant/${order.restaurantId}`)}>
            <BackIcon />
          </IconButton>
          <h1>{order.restaurantName}</h1>
        </div>
        {changed.value.length > 0 && (
          <div class="notice busy" role="alert">
            <span>
              <strong>This has changed since you looked.</strong>
              {changed.value.map((line) => (
                <span key={line} class="block">
                  {line}
                </span>
              ))}
              Have another look at the total before you order.
            </span>
          </div>
        )}
        {locked && !busy && (
          <div class="notice busy" role="alert">
            <span>
              <strong class="block">We have not heard whether this order arrived.</strong>
              Send it again: it is made once, however often it is sent. Nothing in it can be changed until then.
            </span>
          </div>
        )}
        <fieldset class="bare stack wide" aria-label="What you order" disabled={locked}>
          <ul class="rows panel">
            {order.lines.map((line, index) => (
              <li key={`${line.itemId}-${line.choices}`} class="cart-line">
                <span class="grow">
                  <strong dir="auto">{line.name}</strong>
                  {line.choices !== "" && <span class="small soft block">{line.choices}</span>}
                  <span class="small soft number block">
                    {formatMoney(portionMinor(line) * line.quantity, order.currency)}
                  </span>
                </span>
                <Stepper
                  label={line.name}
                  value={line.quantity}
                  onChange={(quantity) => setQuantity(index, quantity)}
                />
              </li>
            ))}
          </ul>
          {known !== null && <When order={order} menu={known} />}
          <Field
            label="For the kitchen"
            placeholder="No onions, extra napkins"
            maxLength={300}
            value={order.note}
            onInput={(note) => setExtras({ note })}
          />
          <Field
            label="Promotion code"
            placeholder="If you have one"
            maxLength={32}
            value={order.promotionCode}
            onInput={(promotionCode) => setExtras({ promotionCode })}
            problem={price.reading.name === "failed" && code !== "" ? failureText(price.reading.error) : null}
          />
          <div class="field">
            <span class="label">Tip for the driver</span>
            <Segments
              label="Tip for the driver"
              value={String(order.tipMinor)}
              options={tipsFor(itemsMinor.value, order.tipMinor).map((tip) => ({
                value: String(tip),
                label: tip === 0 ? "None" : formatMoney(tip, order.currency),
              }))}
              onChange={(tip) => setExtras({ tipMinor: Number(tip) })}
            />
          </div>
        </fieldset>
      </div>
      <div class="stack checkout-side">
        <button type="button" class="place-button" disabled={locked} onClick={() => choosePlace()}>
          <PinIcon />
          <span class="grow">
            <span class="small soft">Deliver to</span>
            <span class="place-name">{at === null ? "Set your address" : at.address || "The place on the map"}</span>
          </span>
          <ForwardIcon />
        </button>
        {order.deliverAt !== null ? (
          <div class="arrival panel" aria-live="polite">
            <ClockIcon />
            <span class="grow">
              <strong class="arrival-range">{laterText(order.deliverAt, now.value)}</strong>
              <span class="small soft block">We start in time for it</span>
            </span>
          </div>
        ) : (
          expected !== null &&
          known?.open === true && (
            <div class="arrival panel" aria-live="polite">
              <ClockIcon />
              <span class="grow">
                <strong class="arrival-range">{minutesRange(expected.earliest, expected.latest, now.value)}</strong>
                <span class="small soft block">
                  Arrives {timeRange(expected.earliest, expected.latest)}, most likely
                </span>
              </span>
            </div>
          )
        )}
        <dl class="facts panel">
          <Line name="Food" minor={itemsMinor.value} currency={order.currency} />
          <Line name="Delivery" minor={fee} currency={order.currency} />
          {tax > 0 && <Line name="Tax" minor={tax} currency={order.currency} />}
          {discount > 0 && <Line name="Discount" minor={-discount} currency={order.currency} />}
          {order.tipMinor > 0 && <Line name="Tip" minor={order.tipMinor} currency={order.currency} />}
          <div class="total">
            <dt>Total</dt>
            <dd>{formatMoney(total, order.currency)}</dd>
          </div>
        </dl>
        {obstacle !== null && (
          <p class="notice busy" role="status">
            {obstacle}
          </p>
        )}
        {menu.reading.name === "failed" && !locked && <Failure error={menu.reading.error} again={menu.again} />}
        <div class="order-bar">
          {signedIn ? (
            <Button
              size="large"
              block
              busy={busy}
              disabled={at === null || (!locked && (known === null || obstacle !== null))}
              onClick={() => void placeOrder(order, at!, total, (lines) => (changed.value = lines))}
            >
              {locked && !busy ? "Send it again" : changed.value.length > 0 ? "Order at the new price" : "Place order"}{" "}
              · {formatMoney(total, order.currency)}
            </Button>
          ) : (
            <Button size="large" block onClick={() => go("account/order")}>
              Sign in to order
            </Button>
          )}
        </div>
        <p class="small soft">Your card is charged when the food has been delivered.</p>
      </div>
    </div>
  );
}

function Line({ name, minor, currency }: { readonly name: string; readonly minor: number; readonly currency: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{minor === 0 ? "Free" : formatMoney(minor, currency)}</dd>
    </div>
  );
}
