/** A person decides who drives. */
import { useSignal } from "@preact/signals";
import { distanceMeters } from "../../../../src/lib/geo.js";
import { useAction } from "../../../shared/actions.js";
import { shortId } from "../../../shared/format.js";
import { Button, Field } from "../../../shared/kit/controls.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say } from "../../../shared/kit/toasts.js";
import { DRIVER_LABEL } from "../../../shared/map/pucks.js";
import { distanceText } from "../../../shared/words.js";
import { cityPicture, drivers, server } from "../store/city.js";

const MOST_SHOWN = 8;

export function AssignSheet({ orderId, onClose }: { readonly orderId: string; readonly onClose: () => void }) {
  const chosen = useSignal<string | null>(null);
  const reason = useSignal("");
  const order = cityPicture()?.order(orderId);
  const door = order === undefined ? null : { lat: order.from[0], lng: order.from[1] };
  const near = drivers.value
    .filter(({ state }) => state === "available")
    .map((driver) => ({ ...driver, meters: door === null ? 0 : distanceMeters(driver, door) }))
    .sort((a, b) => a.meters - b.meters)
    .slice(0, MOST_SHOWN);
  const assigning = useAction(async () => {
    await server().command("ops.assign", { orderId, driverId: chosen.value!, reason: reason.value.trim() });
    say("The driver is asked");
    onClose();
  });
  return (
    <Sheet
      title="Assign a driver"
      onClose={onClose}
      foot={
        <Button
          size="large"
          block
          busy={assigning.busy}
          disabled={chosen.value === null || reason.value.trim() === ""}
          onClick={() => void assigning.run()}
        >
          Ask this driver
        </Button>
      }
    >
      <div class="stack">
        {near.length === 0 && <p class="notice busy">Nobody is free nearby.</p>}
        <div role="radiogroup" aria-label="Free drivers, nearest first">
          {near.map((driver) => (
            <label key={driver.id} class="option">
              <input
                type="radio"
                name="driver"
                checked={chosen.value === driver.id}
                onChange={() => (chosen.value = driver.id)}
              />
              <span class="grow">
                Driver {shortId(driver.id)} <span class="small soft">{DRIVER_LABEL[driver.state]}</span>
              </span>
              <span class="small soft number">{distanceText(driver.meters)}</span>
            </label>
          ))}
        </div>
        <Field
          label="Reason"
          required
          maxLength={200}
          value={reason.value}
          onInput={(value) => (reason.value = value)}
        />
      </div>
    </Sheet>
  );
}
