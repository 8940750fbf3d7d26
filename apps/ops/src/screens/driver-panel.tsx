/** One driver for an operator: what they carry now, and the way to keep somebody away. */
import { useSignal } from "@preact/signals";
import { account } from "../../../shared/account/session.js";
import { useAction } from "../../../shared/actions.js";
import { formatAgo, shortId } from "../../../shared/format.js";
import { Button, IconButton } from "../../../shared/kit/controls.js";
import { CloseIcon, TargetIcon } from "../../../shared/kit/icons.js";
import { say } from "../../../shared/kit/toasts.js";
import { now } from "../../../shared/line/node.js";
import { DRIVER_LABEL } from "../../../shared/map/pucks.js";
import { STAGE_LABEL, stageOf } from "../../../shared/stages.js";
import { drivers, following, orders, restaurantName, select, server } from "../store/city.js";
import { ReasonSheet } from "./reason-sheet.js";

export function DriverPanel({ id }: { readonly id: string }) {
  const driver = drivers.value.find((each) => each.id === id);
  const carried = orders.value.filter(({ driverId }) => driverId === id);
  const banning = useSignal(false);
  const ban = useAction(async (reason: string) => {
    await server().http.send("POST", `/v1/principals/driver/${encodeURIComponent(id)}/ban`, { reason });
    say("The driver is banned");
    banning.value = false;
  });
  return (
    <div class="stack">
      <div class="between">
        <h2 class="grow">Driver {shortId(id)}</h2>
        <IconButton
          label="Keep in view"
          pressed={following.value}
          onClick={() => {
            following.value = !following.value;
          }}
        >
          <TargetIcon />
        </IconButton>
        <IconButton label="Close" onClick={() => select(null)}>
          <CloseIcon />
        </IconButton>
      </div>
      {driver === undefined ? (
        <p class="soft">Off shift, or out of reach.</p>
      ) : (
        <dl class="facts panel">
          <div>
            <dt>State</dt>
            <dd>
              <strong>{DRIVER_LABEL[driver.state]}</strong>
            </dd>
          </div>
          <div>
            <dt>Last heard</dt>
            <dd>{formatAgo(now.value - driver.at)}</dd>
          </div>
        </dl>
      )}
      {carried.length > 0 && (
        <ul class="rows panel">
          {carried.map((order) => (
            <li key={order.id}>
              <button type="button" class="row-button" onClick={() => select({ kind: "order", id: order.id })}>
                <span class="grow">{restaurantName(order)}</span>
                <span class="small soft">{STAGE_LABEL[stageOf(order.status)]}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {account.value?.role === "admin" && (
        <Button kind="danger" size="little" onClick={() => (banning.value = true)}>
          Ban this driver
        </Button>
      )}
      {banning.value && (
        <ReasonSheet
          title="Ban this driver"
          about="Every session ends and every socket closes within seconds, on every node."
          button="Ban"
          busy={ban.busy}
          onDone={(reason) => void ban.run(reason)}
          onClose={() => (banning.value = false)}
        />
      )}
    </div>
  );
}
