/** The driver's app. */
import { useEffect } from "preact/hooks";
import { AccountPage } from "../../shared/account/account-page.js";
import { account } from "../../shared/account/session.js";
import { BoltIcon, PersonIcon, RouteIcon, WalletIcon } from "../../shared/kit/icons.js";
import { ThemeButton } from "../../shared/kit/theme-button.js";
import { say, Toasts } from "../../shared/kit/toasts.js";
import { LineBanner } from "../../shared/line/banner.js";
import { News } from "../../shared/line/news.js";
import { route } from "../../shared/router.js";
import { allowSoundOnTouch } from "../../shared/sound.js";
import { plural } from "../../shared/words.js";
import { Drive } from "./screens/drive.js";
import { EarningsPage } from "./screens/earnings.js";
import { Offers } from "./screens/offer-card.js";
import { startPosition } from "./store/position.js";
import { closedOffer, onShift, startWork, unsent } from "./store/work.js";

const OFFER_ENDS = {
  won: "The trip is yours",
  lost: "Another driver was faster",
  expired: "The offer has expired",
  withdrawn: "The offer was withdrawn",
  declined: null,
} as const;

export function App() {
  const me = account.value;
  useEffect(() => {
    allowSoundOnTouch();
    startPosition();
  }, []);
  useEffect(() => {
    if (me !== null) void startWork();
  }, [me]);
  useEffect(() => {
    const outcome = closedOffer.value;
    const words = outcome === null ? null : OFFER_ENDS[outcome];
    if (words !== null) say(words);
    closedOffer.value = null;
  }, [closedOffer.value]);
  const [name] = route.value;
  const drives = me !== null && name !== "account" && name !== "earnings";
  return (
    <div class="with-tabs app">
      {me !== null && <LineBanner lost={lostWords()} />}
      <header class="top-bar">
        <span class="logo">
          <BoltIcon />
        </span>
        <span class="title">Driver</span>
        {me !== null && (
          <span class={onShift.value ? "chip good" : "chip"}>{onShift.value ? "On shift" : "Off shift"}</span>
        )}
        <ThemeButton />
      </header>
      <News />
      <main class={drives ? "page full" : "page"}>
        {drives ? <Drive /> : me !== null && name === "earnings" ? <EarningsPage /> : <AccountPage app="driver" />}
      </main>
      {me !== null && (
        <nav class="tab-bar" aria-label="Main">
          <a href="#/" {...(drives ? { "aria-current": "page" as const } : {})}>
            <RouteIcon />
            Drive
          </a>
          <a href="#/earnings" {...(name === "earnings" ? { "aria-current": "page" as const } : {})}>
            <WalletIcon />
            Earnings
          </a>
          <a href="#/account" {...(name === "account" ? { "aria-current": "page" as const } : {})}>
            <PersonIcon />
            Account
          </a>
        </nav>
      )}
      {me !== null && <Offers />}
      <Toasts />
    </div>
  );
}

function lostWords(): string {
  const count = unsent.value;
  return count === 0
    ? "Go on: what you do is kept and sent later."
    : `Go on: ${plural(count, "step")} kept on this phone, sent as soon as there is a line.`;
}
