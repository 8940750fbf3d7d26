import type { MenuView } from "../../../../sdk/mod.js";
import { AccountPage } from "../../../shared/account/account-page.js";
import { useAction } from "../../../shared/actions.js";
import { Button, Switch } from "../../../shared/kit/controls.js";
import { Bones, Failure } from "../../../shared/kit/states.js";
import { say } from "../../../shared/kit/toasts.js";
import { timeOfDay } from "../../../shared/words.js";
import { server } from "../store/inbox.js";
import { HoursForm } from "./hours-form.js";
import { menuChanged, useMenu } from "./menu-version.js";

const BREAKS = [15, 30, 60];

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
          <HoursForm key={JSON.stringify(reading.value.hours)} menu={reading.value} />
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
