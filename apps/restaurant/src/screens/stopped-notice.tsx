/** Over every page of the tablet: what is not to be cooked any more, until somebody has read it. */
import { formatReason, shortId } from "../../../shared/format.js";
import { Button } from "../../../shared/kit/controls.js";
import { capital } from "../../../shared/words.js";
import { putAwayStopped, stopped } from "../store/stopped.js";

export function StoppedNotice() {
  if (stopped.value.length === 0) return null;
  return (
    <div class="notice bad shut-notice" role="alert">
      <ul class="bare-list">
        {stopped.value.map(({ orderId, reason }) => (
          <li key={orderId}>
            STOP — {shortId(orderId)}{" "}
            {reason === null ? "ended while this tablet was offline" : `is cancelled: ${capital(formatReason(reason))}`}
          </li>
        ))}
      </ul>
      <Button kind="secondary" size="little" onClick={putAwayStopped}>
        All right
      </Button>
    </div>
  );
}
