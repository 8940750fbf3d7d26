/** A trip on offer: what it pays, how far it is, how long there is to decide. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { OfferView } from "../../../../sdk/mod.js";
import { distanceMeters } from "../../../../src/lib/geo.js";
import { useAction } from "../../../shared/actions.js";
import { clock } from "../../../shared/clock.js";
import { formatMoney } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { keepFocus } from "../../../shared/kit/focus.js";
import { HomeIcon, MenuIcon } from "../../../shared/kit/icons.js";
import { now } from "../../../shared/line/node.js";
import { go } from "../../../shared/router.js";
import { distanceText, plural, timeOfDay } from "../../../shared/words.js";
import { position } from "../store/position.js";
import { acceptOffer, declineOffer, offers, server } from "../store/work.js";

const AROUND = 2 * Math.PI * 46;

/** Without a line nobody says that an offer is over; so long after its end it goes by itself. */
const GONE_MS = 1_500;

/** Over whatever page is shown: a driver who looks at what was earned has seconds, too. */
export function Offers() {
  const offer = offers.value.find(({ expiresAt }) => now.value < expiresAt + GONE_MS);
  return offer === undefined ? null : <OfferCard key={offer.offerId} offer={offer} />;
}

function OfferCard({ offer }: { readonly offer: OfferView }) {
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Whoever works with keys or listens is there, too; a key that was on its way somewhere else decides nothing.
    const giveBack = keepFocus();
    card.current?.focus({ preventScroll: true });
    return giveBack;
  }, []);
  const leftMs = useSignal(offer.expiresAt - (server()?.serverNow() ?? now.peek()));
  const whole = useSignal(Math.max(1_000, leftMs.peek()));
  const chosen = useSignal(false);
  useEffect(
    () =>
      clock.every(200, () => {
        leftMs.value = offer.expiresAt - (server()?.serverNow() ?? clock.now());
      }),
    [offer.expiresAt],
  );
  const accepting = useAction(async () => {
    await acceptOffer(offer.offerId);
    chosen.value = true;
    go("");
  });
  const declining = useAction(() => declineOffer(offer.offerId));
  const seconds = Math.max(0, Math.ceil(leftMs.value / 1000));
  const here = position.value;
  const first = offer.stops[0];
  const places = here === null ? offer.stops : [here, ...offer.stops];
  const meters = places.slice(1).reduce((sum, place, index) => sum + distanceMeters(places[index]!, place), 0);
  return (
    <div ref={card} class="offer" role="alertdialog" aria-label="A trip for you" tabIndex={-1}>
      <div class="offer-card">
        <div class="between">
          <div>
            <p class="offer-title">{offer.orderIds.length > 1 ? plural(offer.orderIds.length, "order") : "New trip"}</p>
            <p class="offer-pay number">{formatMoney(offer.payMinor, offer.currency)}</p>
            <p class="soft">
              {distanceText(meters)} in all
              {here !== null && first !== undefined && ` · ${distanceText(distanceMeters(here, first))} to the pickup`}
            </p>
          </div>
          <svg class="countdown" viewBox="0 0 104 104" role="timer" aria-label={`${seconds} seconds left`}>
            <circle cx="52" cy="52" r="46" class="countdown-track" />
            <circle
              cx="52"
              cy="52"
              r="46"
              class="countdown-left"
              stroke-dasharray={AROUND}
              stroke-dashoffset={AROUND * (1 - Math.max(0, Math.min(1, leftMs.value / whole.value)))}
            />
            <text x="52" y="63">
              {seconds}
            </text>
          </svg>
        </div>
        <ol class="stops">
          {offer.stops.map((stop) => (
            <li key={`${stop.orderId}/${stop.kind}`}>
              {stop.kind === "pickup" ? <MenuIcon /> : <HomeIcon />}
              <span class="grow">
                <strong dir="auto">{stop.name}</strong>
                <span class="small soft block">
                  {stop.kind === "pickup" ? `Pick up, ready about ${timeOfDay(offer.readyAt)}` : "Deliver"}
                </span>
              </span>
            </li>
          ))}
        </ol>
        {chosen.value ? (
          <p class="notice good" role="status">
            <span class="spinner" aria-hidden="true" /> Yours, if nobody was faster…
          </p>
        ) : (
          <div class="offer-buttons">
            <Button kind="quiet" size="large" busy={declining.busy} onClick={() => void declining.run()}>
              Decline
            </Button>
            <Button
              kind="good"
              size="large"
              busy={accepting.busy}
              disabled={seconds === 0}
              onClick={() => void accepting.run()}
            >
              Accept
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
