/** A person decides who drives. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { distanceMeters } from "../../../../src/lib/geo.js";
import { useAction } from "../../../shared/actions.js";
import { shortId } from "../../../shared/format.js";
import { Button, Field } from "../../../shared/kit/controls.js";
import { Sheet } from "../../../shared/kit/sheet.js";
import { say } from "../../../shared/kit/toasts.js";
import { DRIVER_LABEL } from "../../../shared/map/pucks.js";
import { distanceText } from "../../../shared/words.js";
import { cityPicture, drivers, server } from "../store/city.js";
import { type Row, rowsOf } from "./assign-rows.js";

export function AssignSheet({ orderId, onClose }: { readonly orderId: string; readonly onClose: () => void }) {
  const chosen = useSignal<string | null>(null);
  const reason = useSignal("");
  const shown = useRef<readonly string[]>([]);
  const looks = useSignal(0);
  looks.value;
  const order = cityPicture()?.order(orderId);
  const door = order === undefined ? null : { lat: order.from[0], lng: order.from[1] };
  const free = drivers.value
    .filter(({ state }) => state === "available")
    .map(({ id, lat, lng }) => ({ id, meters: door === null ? 0 : distanceMeters({ lat, lng }, door) }));
  const { rows, isCurrent } = rowsOf(shown.current, free);
  shown.current = rows.map(({ id }) => id);
  const canBeAsked = rows.some(({ id, meters }) => id === chosen.value && meters !== null);
  const assigning = useAction(async () => {
    await server().command("ops.assign", { orderId, driverId: chosen.value!, reason: reason.value.trim() });
    say("The driver is asked");
    onClose();
  });
  const lookAgain = (): void => {
    shown.current = [];
    chosen.value = null;
    looks.value++;
  };
  return (
    <Sheet
      title="Assign a driver"
      onClose={onClose}
      foot={
        <Button
          size="large"
          block
          busy={assigning.busy}
          disabled={!canBeAsked || reason.value.trim() === ""}
          onClick={() => void assigning.run()}
        >
          Ask this driver
        </Button>
      }
    >
      <div class="stack">
        {rows.length === 0 && <p class="notice busy">Nobody is free nearby.</p>}
        <div role="radiogroup" aria-label="Free drivers, nearest first">
          {rows.map((row) => (
            <Choice
              key={row.id}
              row={row}
              checked={chosen.value === row.id}
              choose={() => {
                chosen.value = row.id;
              }}
            />
          ))}
        </div>
        {rows.length > 0 && (
          <Button kind="secondary" disabled={isCurrent} onClick={lookAgain}>
            Look again
          </Button>
        )}
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

function Choice({
  row: { id, meters },
  checked,
  choose,
}: {
  readonly row: Row;
  readonly checked: boolean;
  readonly choose: () => void;
}) {
  return (
    <label class="option">
      <input type="radio" name="driver" checked={checked} disabled={meters === null} onChange={choose} />
      <span class="grow">
        Driver {shortId(id)}{" "}
        <span class="small soft">{meters === null ? "Not free any more" : DRIVER_LABEL.available}</span>
      </span>
      {meters !== null && <span class="small soft number">{distanceText(meters)}</span>}
    </label>
  );
}
