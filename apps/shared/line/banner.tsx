/** Says when the line to the node is lost, and what that means for the person. Nothing is shown while all is well. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "../clock.js";
import { OfflineIcon } from "../kit/icons.js";
import { connection, line, network } from "./node.js";

/** A line that comes back within this needs no words. */
const PATIENCE_MS = 1_500;

export function LineBanner({ lost, loud = false }: { readonly lost: string; readonly loud?: boolean }) {
  const state = line.value;
  const shown = useSignal(false);
  useEffect(() => {
    if (state === "live" || state === "none") {
      shown.value = false;
      return;
    }
    return clock.after(PATIENCE_MS, () => {
      shown.value = true;
    });
  }, [state === "live" || state === "none", shown]);
  if (!shown.value || state === "live" || state === "none") return null;
  if (state === "ended") {
    const closed = connection.value;
    const elsewhere = closed.name === "closed" && closed.code === 4506;
    return (
      <div class={`line-banner ${loud ? "loud" : ""}`} role="alert">
        <span>{elsewhere ? "This device is connected in another window." : "The connection was ended."}</span>
        <button type="button" class="button little secondary" onClick={() => location.reload()}>
          Use it here
        </button>
      </div>
    );
  }
  if (state === "slow") {
    return (
      <div class="line-banner mild" role="status">
        <OfflineIcon />
        <span>Slow connection: news comes every few seconds.</span>
      </div>
    );
  }
  if (state === "opening") {
    return (
      <div class="line-banner mild" role="status">
        <span class="spinner" aria-hidden="true" /> Connecting…
      </div>
    );
  }
  return (
    <div class={`line-banner ${loud ? "loud" : ""}`} role="alert">
      <OfflineIcon />
      <span>{network.value ? lost : `No network. ${lost}`}</span>
    </div>
  );
}
