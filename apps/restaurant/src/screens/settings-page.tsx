/** The kitchen's doors: open or shut by hand, a short break, the hours of the week. And this tablet. */
import { useSignal } from "@preact/signals";
import type { MenuView, OpeningHours } from "../../../../sdk/mod.js";
import { AccountPage } from "../../../shared/account/account-page.js";
import { useAction } from "../../../shared/actions.js";
import { Button, Switch } from "../../../shared/kit/controls.js";
import { PlusIcon, TrashIcon } from "../../../shared/kit/icons.js";
import { Bones, Failure } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { timeOfDay } from "../../../shared/words.js";
import { server } from "../store/inbox.js";
import { menuChanged, useMenu } from "./menu-page.js";

const BREAKS = [15, 30, 60];
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export function SettingsPage() {
  const { reading, again } = useMenu();
  return (
    <div class="stack wide narrow">
      {reading.name === "failed" ? (
        <Failure error={reading.error} again={again} />
      ) : reading.name === "loading" ? (
        <Bones count={2} height={120} />
      ) : (
        <>
          <Doors menu={reading.value} />
          <Hours key={reading.value.menuVersion} menu={reading.value} />
        </>
      )}
      <AccountPage app="restaurant" />
    </div>
  );
}

function Doors({ menu }: { readonly menu: MenuView }) {
  const { paused, shut, changesAt } = menu;
  const setting = useAction(async (open: boolean) => {
    menuChanged(await server().command("restaurant.open", { open }));
    say(open ? "The doors are open" : "The doors are shut: no new orders");
  });
  const pausing = useAction(async (minutes: number) => {
    menuChanged(await server().command("restaurant.pause", { minutes }));
    say(`A break of ${minutes} minutes`);
  });
  const resuming = useAction(async () => {
    menuChanged(await server().command("restaurant.resume", {}));
    say("Orders can come again");
  });
  return (
    <section class="panel stack" aria-label="Doors">
      <div class="between">
        <h2>Doors</h2>
        <span class={menu.open ? "chip good" : "chip bad"}>{menu.open ? "Taking orders" : "Not taking orders"}</span>
      </div>
      {changesAt !== undefined && (
        <p class="soft">
          {menu.open ? "Closes" : "Opens"} by itself at {timeOfDay(changesAt)}.
        </p>
      )}
      <Switch
        label="Doors open"
        on={shut !== true}
        disabled={setting.busy}
        onChange={(open) => void setting.run(open)}
      />
      {paused === undefined ? (
        <div class="row wrap">
          <span class="soft">Take a break:</span>
          {BREAKS.map((minutes) => (
            <Button key={minutes} kind="quiet" busy={pausing.busy} onClick={() => void pausing.run(minutes)}>
              {minutes} min
            </Button>
          ))}
        </div>
      ) : (
        <div class="between">
          <span class="chip busy">
            {paused.until === undefined ? "Paused" : `Paused until ${timeOfDay(paused.until)}`}
          </span>
          <Button kind="good" busy={resuming.busy} onClick={() => void resuming.run()}>
            Take orders again
          </Button>
        </div>
      )}
    </section>
  );
}

type Span = OpeningHours["weekly"][number];

function Hours({ menu }: { readonly menu: MenuView }) {
  const spans = useSignal<readonly Span[]>(menu.hours?.weekly ?? []);
  const saving = useAction(async (weekly: readonly Span[] | null) => {
    const timeZone = menu.hours?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
    const exceptions = menu.hours?.exceptions;
    const hours =
      weekly === null ? null : { timeZone, weekly: [...weekly], ...(exceptions === undefined ? {} : { exceptions }) };
    menuChanged(await server().command("restaurant.hours", { hours }));
    say("Hours are saved");
  });
  const set = (index: number, change: Partial<Span>): void => {
    spans.value = spans.value.map((span, at) => (at === index ? { ...span, ...change } : span));
  };
  return (
    <section class="panel stack" aria-label="Opening hours">
      <h2>Opening hours</h2>
      <p class="soft small">
        {menu.hours === undefined
          ? "Without hours you open and shut by hand."
          : `By the clock of ${menu.hours.timeZone.replaceAll("_", " ")}. A span that ends before it begins ends the next day.`}
      </p>
      {DAYS.map((name, index) => {
        const day = index + 1;
        return (
          <div key={name} class="hours-day">
            <span class="strong">{name}</span>
            <div class="stack tight">
              {spans.value.map((span, at) =>
                span.day !== day ? null : (
                  <span key={`${day}-${at}`} class="row">
                    <input
                      class="input time"
                      type="time"
                      aria-label={`${name} from`}
                      value={span.from}
                      onInput={(event) => set(at, { from: event.currentTarget.value })}
                    />
                    –
                    <input
                      class="input time"
                      type="time"
                      aria-label={`${name} to`}
                      value={span.to === "24:00" ? "00:00" : span.to}
                      onInput={(event) => set(at, { to: event.currentTarget.value })}
                    />
                    <button
                      type="button"
                      class="icon-button"
                      aria-label={`Remove this span of ${name}`}
                      onClick={() => (spans.value = spans.value.filter((_, each) => each !== at))}
                    >
                      <TrashIcon />
                    </button>
                  </span>
                ),
              )}
              {spans.value.every((span) => span.day !== day) && <span class="soft">Closed</span>}
            </div>
            <button
              type="button"
              class="icon-button"
              aria-label={`Add a span to ${name}`}
              onClick={() => (spans.value = [...spans.value, { day, from: "11:00", to: "22:00" }])}
            >
              <PlusIcon />
            </button>
          </div>
        );
      })}
      <div class="row wrap">
        <Button busy={saving.busy} onClick={() => void saving.run(spans.value)}>
          Save hours
        </Button>
        {menu.hours !== undefined && (
          <Button kind="plain" busy={saving.busy} onClick={() => void saving.run(null)}>
            By hand instead
          </Button>
        )}
      </div>
    </section>
  );
}
