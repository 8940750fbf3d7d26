/** The kitchen's tablet. */
import { useEffect } from "preact/hooks";
import { AccountPage } from "../../shared/account/account-page.js";
import { account } from "../../shared/account/session.js";
import { IconButton } from "../../shared/kit/controls.js";
import { BellIcon, BoltIcon, GearIcon, MenuIcon, MuteIcon, SoundIcon } from "../../shared/kit/icons.js";
import { Bones } from "../../shared/kit/states.js";
import { ThemeButton } from "../../shared/kit/theme-button.js";
import { Toasts } from "../../shared/kit/toasts.js";
import { LineBanner } from "../../shared/line/banner.js";
import { News } from "../../shared/line/news.js";
import { route } from "../../shared/router.js";
import { allowSound, allowSoundOnTouch, call, soundReady } from "../../shared/sound.js";
import { Board } from "./screens/board.js";
import { MenuPage } from "./screens/menu-page.js";
import { SettingsPage } from "./screens/settings-page.js";
import { StoppedNotice } from "./screens/stopped-notice.js";
import { begun, doors, incoming, startInbox } from "./store/inbox.js";

export function App() {
  const me = account.value;
  useEffect(() => {
    allowSoundOnTouch();
    return stayAwake();
  }, []);
  useEffect(() => {
    if (me !== null) void startInbox();
  }, [me]);
  const [name] = route.value;
  const current = (page: string | undefined) => (name === page ? { "aria-current": "page" as const } : {});
  if (me === null) {
    return (
      <div class="app">
        <Top name="Kitchen" />
        <main class="page">
          <AccountPage app="restaurant" />
        </main>
        <Toasts />
      </div>
    );
  }
  return (
    <div class="with-tabs app">
      <LineBanner loud lost="OFFLINE — new orders cannot reach this tablet" />
      <Top name={me.name} />
      {doors.value?.paused !== undefined && (
        <div class="notice bad shut-notice" role="alert">
          <span>PAUSED — no new orders{doors.value.paused.reason && `: ${doors.value.paused.reason}`}</span>
          <a class="button little secondary" href="#/settings">
            Look
          </a>
        </div>
      )}
      <StoppedNotice />
      <News />
      <main class="page">
        {!begun.value ? (
          <Bones count={3} height={180} />
        ) : name === "menu" ? (
          <MenuPage />
        ) : name === "settings" ? (
          <SettingsPage />
        ) : (
          <Board />
        )}
      </main>
      <nav class="tab-bar" aria-label="Main">
        <a href="#/" {...current(undefined)}>
          <BellIcon />
          Orders
          {incoming.value.length > 0 && <span class="count-mark">{incoming.value.length}</span>}
        </a>
        <a href="#/menu" {...current("menu")}>
          <MenuIcon />
          Menu
        </a>
        <a href="#/settings" {...current("settings")}>
          <GearIcon />
          Settings
        </a>
      </nav>
      <Toasts />
    </div>
  );
}

function Top({ name }: { readonly name: string }) {
  return (
    <header class="top-bar">
      <span class="logo">
        <BoltIcon />
      </span>
      <span class="title">{name}</span>
      <IconButton
        label={soundReady.value ? "Try the bell" : "Switch the bell on"}
        onClick={() => void allowSound().then(() => call("order"))}
      >
        {soundReady.value ? <SoundIcon /> : <MuteIcon />}
      </IconButton>
      <ThemeButton />
    </header>
  );
}

/** A tablet that goes dark rings in an empty kitchen. */
function stayAwake(): () => void {
  const ask = (): void => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").catch(() => undefined);
  };
  ask();
  document.addEventListener("visibilitychange", ask);
  return () => document.removeEventListener("visibilitychange", ask);
}
